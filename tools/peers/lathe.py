"""The `lathe` command as the checks see it: a program that answers in JSON."""
import importlib.util
import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


class LatheError(Exception):
    """The command failed; the text is its own error, `reason` its upper-case word for it ("" if it did not answer)."""

    def __init__(self, text, reason=""):
        super().__init__(text)
        self.reason = reason


def program():
    """The built command: $LATHE_BIN_DIR/lathe, or that of the release preset."""
    folder = pathlib.Path(os.environ.get("LATHE_BIN_DIR", ROOT / "build/release/bin"))
    return folder / "lathe"


def shared_dir():
    """The folder with the real models (models/, data/): LATHE_SHARED_DIR, or `shared` beside the checkout; None without."""
    folder = pathlib.Path(os.environ.get("LATHE_SHARED_DIR") or ROOT.parent / "shared")
    return folder if (folder / "models").is_dir() else None


def input_maker():
    """The module tools/inputs.py of the shared folder, which makes the inputs of models without data."""
    spec = importlib.util.spec_from_file_location("inputs", shared_dir() / "tools/inputs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def optimize(model, output, *arguments):
    """Runs `lathe optimize` locally; the report, as a dictionary."""
    return run("optimize", str(model), "-o", str(output), *arguments)


def run(*arguments):
    """The JSON answer of any command. LatheError when it fails or answers something else."""
    try:
        done = subprocess.run([str(program()), *arguments, "--json"], capture_output=True, text=True, check=False)
    except OSError as error:
        raise LatheError(f"{error}; build it with tools/build") from None
    try:
        answer = json.loads(done.stdout)
    except json.JSONDecodeError:
        raise LatheError(f"`lathe {' '.join(arguments)}` ended with {done.returncode} and no JSON object: {done.stdout[-300:]} "
                         f"{done.stderr[-600:]}") from None
    if done.returncode != 0:
        error = answer.get("error", {})
        raise LatheError(f"{error.get('reason')}: {error.get('message')}", error.get("reason", ""))
    return answer
