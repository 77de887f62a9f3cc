"""How long `lathe evaluate` takes beside bare inferences on all cores. Wants a machine that does nothing else."""
import concurrent.futures
import os
import pathlib
import statistics
import tempfile
import time

import numpy as np

import lathe
import stock
import tables

ROUNDS = 5
RATIO_MAX = 1.3
FASHION_SECONDS_MAX = 0.2
_SAMPLES = 500


def _bare_seconds(content, samples):
    """One one-thread interpreter a core shares the samples; loading them is not counted, as in a service that runs already."""
    models = [stock.Model(content, threads=1) for _ in range(os.cpu_count())]

    def work(model, share):
        for sample in share:
            model.run([sample])

    shares = [samples[i::len(models)] for i in range(len(models))]
    with concurrent.futures.ThreadPoolExecutor(len(models)) as pool:
        started = time.monotonic()
        list(pool.map(work, models, shares))
        return time.monotonic() - started


def _evaluate_seconds(*arguments):
    started = time.monotonic()
    lathe.run("evaluate", *arguments)
    return time.monotonic() - started


def run(checks, only):
    table = tables.Table(f"Seconds of `lathe evaluate`, the whole command, medians of {ROUNDS} interleaved rounds", "model", "samples", "Lathe",
                         "bare inferences", "ratio", "")
    models = lathe.shared_dir() / "models"
    path = models / "mobilenet_v2_1.0_224_random.tflite"
    if not only or path.stem in only:
        with tempfile.TemporaryDirectory() as folder:
            random = np.random.default_rng(0)
            samples = random.random((_SAMPLES, 1, 224, 224, 3), np.float32)
            data = pathlib.Path(folder) / "samples.npz"
            np.savez(data, input=samples[:, 0], label=random.integers(0, 1000, _SAMPLES))
            mine, bare = [], []
            for _ in range(ROUNDS):
                bare.append(_bare_seconds(path.read_bytes(), samples))
                mine.append(_evaluate_seconds(str(path), "--data", str(data), "--metric", "top1"))
        ratio = statistics.median(mine) / statistics.median(bare)
        good = checks.at_most(f"{path.stem}: times of the bare inferences", ratio, RATIO_MAX)
        table.row(path.stem, _SAMPLES, f"{statistics.median(mine):.2f}", f"{statistics.median(bare):.2f}", f"{ratio:.2f}",
                  "ok" if good else "FAILED")
    for name in ("fm_mnv1relu", "fm_mnv2"):
        if only and name not in only:
            continue
        folder = lathe.shared_dir() / "data/fashion"
        seconds = statistics.median(_evaluate_seconds(str(folder / f"{name}.tflite"), "--data", str(folder / "test.npz"), "--metric",
                                                      "top1", "--scale", repr(1 / 255)) for _ in range(ROUNDS))
        good = checks.at_most(f"{name}: seconds for 2,000 images", seconds, FASHION_SECONDS_MAX)
        table.row(name, 2000, f"{seconds:.3f}", "-", "-", "ok" if good else "FAILED")
