"""Runs the built programs for end-to-end tests, as a user would. Python's standard library only."""
import hashlib
import json
import os
import pathlib
import selectors
import signal
import struct
import subprocess
import tempfile
import time
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("LATHE_BIN_DIR", ROOT / "build/release/bin"))
EXAMPLE = ROOT / "examples/fashion_mnist"
MODEL = EXAMPLE / "fashion_mnist.tflite"
# How the example's uint8 images become the model's input.
PIXELS = ("--scale", "0.00392156862745098", "--mean", "0")
SKIPPED = 77
TERMINAL = {"SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"}
# Nothing here takes a minute on a machine that does nothing else.
DEADLINE_SECONDS = 120


class Answer:
    """What a command did: exit code, its JSON object (None if it printed none) and everything it printed."""

    def __init__(self, command, done):
        self.code, self.text = done.returncode, f"$ {' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}"
        try:
            self.json = json.loads(done.stdout)
        except json.JSONDecodeError:
            self.json = None

    @property
    def error(self):
        return (self.json or {}).get("error", {})

    def ok(self):
        """The JSON object. AssertionError with everything printed when the command failed."""
        if self.code != 0 or self.json is None:
            raise AssertionError(f"ended with {self.code}:\n{self.text}")
        return self.json


def lathe(*arguments, server=None):
    """Runs `lathe ... --json`."""
    command = [BIN / "lathe", *arguments, "--json"] + (["--server", server] if server else [])
    environment = {key: value for key, value in os.environ.items() if key != "LATHE_SERVER"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_SECONDS, env=environment, check=False)
    return Answer(command, done)


class Server:
    """A lathe-server of its own on free loopback ports. Use with `with`: leaving it ends the process and waits for it."""

    def __init__(self, data_dir, *flags):
        self.data_dir = pathlib.Path(data_dir)
        self.log = self.data_dir.parent / f"{self.data_dir.name}.log"
        command = [BIN / "lathe-server", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--data-dir", self.data_dir]
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen([*command, *flags], stdout=subprocess.PIPE, stderr=log, text=True)
        ready = self._read_ready_line()
        self.address, self.metrics = ready["grpc"], ready["metrics"]

    def _read_ready_line(self):
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            line = self._process.stdout.readline() if selector.select(30) else ""
        if not line:
            self.kill()
            raise AssertionError(f"the server did not start:\n{self.log.read_text()[-3000:]}")
        return json.loads(line)

    @property
    def pid(self):
        return self._process.pid

    def kill(self):
        """kill -9, as a crash would."""
        self._process.send_signal(signal.SIGKILL)
        self._ended(None)

    def stop(self):
        """Drains; the exit code."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._ended(60)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the server did not drain within 60 s:\n{self.log.read_text()[-3000:]}") from None

    def _ended(self, seconds):
        code = self._process.wait(seconds)
        self._process.stdout.close()
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self.stop()


def wait_until(condition, what, seconds=DEADLINE_SECONDS):
    """Polls until `condition` gives something true, and returns that."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.05)  # between polls of another process; nothing tells us sooner
    raise AssertionError(f"{what}: not within {seconds} s")


def executors_below(folder):
    """Process ids of executors whose working directory is below `folder`."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            works_there = os.readlink(entry / "cwd").startswith(str(folder))
            is_executor = (entry / "comm").read_text().startswith("lathe-executor")
        except OSError:  # it ended meanwhile
            continue
        if works_there and is_executor:
            found.append(int(entry.name))
    return found


def sha256_of(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def scratch():
    return tempfile.TemporaryDirectory(prefix="lathe-e2e-")


def write_npz(path, **arrays):
    """Each array: (numpy type string, shape, bytes)."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, (kind, shape, content) in arrays.items():
            archive.writestr(f"{name}.npy", npy(kind, shape, content))


def npy(kind, shape, content):
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {tuple(shape)}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + content
