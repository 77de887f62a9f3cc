"""See tools/bench."""
import argparse
import dataclasses
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np

import lathe
import race
import suite

MODEL = "models/mobilenet_v2_1.0_224_random.tflite"
OUT = lathe.ROOT / "build" / "bench"
SAMPLES = 100
THREADS = 2
MEMORY_SLACK = 64 << 20

# A process of its own, so that time and memory are those of somebody who runs the peer for one model.
PEER = """
import pathlib, sys
import numpy as np
import quantizer
model, preset, data, out = sys.argv[1:]
samples = np.load(data)["x"] if preset == "int8" else None
pathlib.Path(out).write_bytes(quantizer.quantize(pathlib.Path(model).read_bytes(), quantizer.Settings(preset, float_io=False), samples))
"""
BARE = """
import sys, time
import numpy as np
import stock
model = stock.Model(open(sys.argv[1], "rb").read(), threads=2)
samples = np.load(sys.argv[2])["x"]
model.run([samples[:1]])
started = time.monotonic()
for sample in samples:
    model.run([sample[None]])
print(time.monotonic() - started)
"""


@dataclasses.dataclass
class Contender:
    name: str
    measure: object  # () -> (seconds, peak resident bytes or None)
    seconds_max: float = None
    bytes_max: object = None  # () -> bound on the peak, known after the first run
    seconds: list = dataclasses.field(default_factory=list)
    peak_bytes: int = None

    def run(self):
        seconds, peak = self.measure()
        self.seconds.append(seconds)
        if peak is not None:
            self.peak_bytes = max(peak, self.peak_bytes or 0)


def time_ours(model, preset, *arguments):
    output = OUT / f"{preset}.tflite"

    def measure():
        started = time.monotonic()
        report = lathe.optimize(model, output, "--preset", preset, "--threads", str(THREADS), *arguments)
        return time.monotonic() - started, report.get("peak_rss_bytes")

    return measure


def time_script(script, *arguments):
    """Whole process: wall time and peak resident size."""
    def measure():
        seconds, peak, _ = race.child([sys.executable, "-c", script, *map(str, arguments)])
        return seconds, peak

    return measure


def time_bare(model, data):
    def measure():
        done = subprocess.run([sys.executable, "-c", BARE, str(model), str(data)], cwd=pathlib.Path(__file__).parent,
                              capture_output=True, text=True, check=True)
        return float(done.stdout.split()[-1]), None

    return measure


def contenders(model, data):
    def bound(preset):
        return lambda: model.stat().st_size + (OUT / f"{preset}.tflite").stat().st_size + MEMORY_SLACK

    peer = lambda preset: time_script(PEER, model, preset, data, OUT / f"peer.{preset}.tflite")
    return [
        Contender("dynamic-range, --no-benchmark", time_ours(model, "dynamic-range", "--no-benchmark"), 0.3, bound("dynamic-range")),
        Contender("dynamic-range, with the table", time_ours(model, "dynamic-range"), 0.6),
        Contender(f"int8, {SAMPLES} samples, --no-benchmark", time_ours(model, "int8", "--no-benchmark", "--calibration", str(data)), 2.0),
        Contender("litert-quantizer, dynamic range", peer("dynamic-range")),
        Contender(f"litert-quantizer, int8, {SAMPLES} samples", peer("int8")),
        Contender(f"{SAMPLES} bare inferences", time_bare(model, data)),
    ]


def main():
    parser = argparse.ArgumentParser(description="Times `lathe optimize` beside its peers.")
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    shared = lathe.shared_dir()
    if shared is None:
        sys.exit("bench: set LATHE_SHARED_DIR to the folder that holds models/")
    OUT.mkdir(parents=True, exist_ok=True)
    model, data = shared / MODEL, OUT / "samples.npz"
    np.savez(data, x=suite.uniform_samples((1, 224, 224, 3), SAMPLES, 1, -1, 1))
    field = contenders(model, data)
    for number in range(arguments.runs + 1):  # the first fills the file cache and does not count
        for contender in field:
            contender.run()
            if number == 0:
                contender.seconds.clear()
    data.unlink()

    print(f"{MODEL}, {THREADS} threads, median of {arguments.runs} interleaved runs, warm file cache\n")
    print("| | seconds | bound | peak memory MiB | bound | |")
    print("|---|---|---|---|---|---|")
    failed = False
    mebibytes = lambda value: "" if value is None else f"{value / (1 << 20):.0f}"
    for contender in field:
        seconds = statistics.median(contender.seconds)
        bytes_max = contender.bytes_max() if contender.bytes_max else None
        slow = contender.seconds_max is not None and seconds > contender.seconds_max
        large = bytes_max is not None and (contender.peak_bytes is None or contender.peak_bytes > bytes_max)
        failed |= slow or large
        print(f"| {contender.name} | {seconds:.2f} | {contender.seconds_max or ''} | {mebibytes(contender.peak_bytes)} | "
              f"{mebibytes(bytes_max)} | {'FAILED' if slow or large else 'ok' if contender.seconds_max else ''} |")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
