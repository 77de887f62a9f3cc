"""The models that sections predict about, and the files that Lathe makes of them once."""
import collections
import json

import lathe

OUT = lathe.ROOT / "build" / "check-evidence"
# Presets that a job carries out without falling back.
PRESETS = ("float16", "dynamic-range", "weight-only-int8", "weight-only-int4", "int8", "int16x8")


def models(only):
    """Paths of every model of the shared folder, but edsr, of which one run takes a second."""
    shared = lathe.shared_dir()
    paths = sorted((shared / "models").glob("*.tflite")) + sorted((shared / "data").glob("*/*.tflite"))
    return [path for path in paths if (path.stem in only if only else not path.stem.startswith("edsr_"))]


def optimized(path, preset):
    """(file, report) of a job without benchmark on synthetic samples; made once for a build. LatheError as the job."""
    build = lathe.run("version")["build_id"]
    folder = OUT / build
    folder.mkdir(parents=True, exist_ok=True)
    output, answer = folder / f"{path.stem}.{preset}.tflite", folder / f"{path.stem}.{preset}.json"
    if not answer.exists():
        report = lathe.optimize(path, output, "--preset", preset, "--effort", "fast", "--no-benchmark")
        answer.write_text(json.dumps(report))
    return output, json.loads(answer.read_text())


def count(operators):
    """How many operators there are of each (kind, precision)."""
    found = collections.Counter()
    for row in operators:
        found[row["kind"], row["precision"]] += row.get("count", 1)
    return found
