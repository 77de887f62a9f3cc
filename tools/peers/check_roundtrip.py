"""See tools/check-roundtrip."""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

import lathe
import stock

SAMPLES = 2
SKIPPED = 77  # ctest counts this exit code as skipped


def inputs_of(model, rng):
    """One random array an input. Integers stay small: most of them are rows of a table."""
    values = []
    for detail in model.inputs:
        shape, kind = tuple(detail["shape"]), np.dtype(detail["dtype"])
        if kind.kind == "f":
            values.append(rng.uniform(0, 1, shape).astype(kind))
        elif detail["quantization"][0]:
            limits = np.iinfo(kind)
            values.append(rng.integers(limits.min, limits.max + 1, shape).astype(kind))
        else:
            values.append(rng.integers(0, 2, shape).astype(kind))
    return values


def difference(before, after):
    """What differs between two files when both run on the same inputs; "" if not a bit does."""
    first, second = stock.Model(before), stock.Model(after)
    if [d["name"] for d in first.inputs] != [d["name"] for d in second.inputs]:
        return "the inputs have other names"
    rng = np.random.default_rng(3)
    for sample in range(SAMPLES):
        values = inputs_of(first, rng)
        for index, (a, b) in enumerate(zip(first.run(values), second.run(values))):
            if a.dtype != b.dtype or a.shape != b.shape:
                return f"sample {sample}, output {index}: {a.dtype}{a.shape} became {b.dtype}{b.shape}"
            if a.tobytes() != b.tobytes():
                return f"sample {sample}, output {index}: {int(np.sum(a != b))} of {a.size} values differ"
    return ""


def main():
    parser = argparse.ArgumentParser(description="Round-trips every real model and compares its outputs bit by bit.")
    parser.add_argument("--program", default=str(lathe.ROOT / "build/release/bin/round_trip"))
    arguments = parser.parse_args()
    shared = lathe.shared_dir()
    if shared is None:
        print("check-roundtrip: LATHE_SHARED_DIR names no folder of real models")
        sys.exit(1 if os.environ.get("LATHE_REQUIRE_SHARED") else SKIPPED)
    failures = 0
    with tempfile.TemporaryDirectory() as scratch:
        output = pathlib.Path(scratch) / "out.tflite"
        for path in sorted(shared.rglob("*.tflite")):
            done = subprocess.run([arguments.program, str(path), str(output)], capture_output=True, text=True, check=False)
            before = path.read_bytes()
            problem = done.stderr.strip() if done.returncode else difference(before, output.read_bytes())
            failures += bool(problem)
            size = f"{len(before):,} -> {output.stat().st_size:,} bytes" if output.exists() else ""
            print(f"{path.relative_to(shared)}: {problem or 'equal to the bit, ' + size}", flush=True)
            output.unlink(missing_ok=True)
    print(f"{failures} failed")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
