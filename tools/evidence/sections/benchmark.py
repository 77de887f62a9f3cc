"""`lathe benchmark`: two copies of a model are not ranked, and one that does 20 % more work is found; each 100 times, on
the machine as it is and with a process that keeps one core busy. Then where the profiles put the time."""
import collections
import contextlib
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import lathe
import slow_model
import tables

RUNS = 100
MODELS = ("mlperf_tiny_kws", "mlperf_tiny_resnet8_cifar10", "mlperf_tiny_vww", "face_landmark")
RIGHT_MIN = 95
EXTRA_WORK = 0.2


def run(checks, only):
    models = [name for name in MODELS if not only or name in only] or list(only)
    folder = lathe.shared_dir() / "models"
    with tempfile.TemporaryDirectory() as made:
        slow = {name: _make_slow(folder / f"{name}.tflite", pathlib.Path(made) / f"{name}.tflite") for name in models}
        table = tables.Table(f"{RUNS} runs of `lathe benchmark A --against B --threads 1`, over {', '.join(models)}", "B", "load",
                             "no difference", "slower", "faster", "median ratio", "s a run")
        for busy in (False, True):
            for what in ("the same file", f"{EXTRA_WORK:.0%} more work"):
                pairs = [(folder / f"{name}.tflite", folder / f"{name}.tflite" if what == "the same file" else slow[name])
                         for name in models]
                _row(checks, table, what, busy, pairs)
    _profiles(checks, only)


def _row(checks, table, what, busy, pairs):
    counts, ratios, seconds = collections.Counter(), [], []
    with _busy_core() if busy else contextlib.nullcontext():
        for i in range(RUNS):
            report = lathe.run("benchmark", str(pairs[i % len(pairs)][0]), "--against", str(pairs[i % len(pairs)][1]), "--threads",
                               "1")
            counts[report["latency"]["ranking"]] += 1
            ratios.append(report["latency"]["ratio"])
            seconds.append(sum(step["seconds"] for step in report["timing"]))
    load = "one core busy" if busy else "none of ours"
    table.row(what, load, counts["no difference"], counts["slower"], counts["faster"], f"{statistics.median(ratios):.3f}",
              f"{statistics.mean(seconds):.2f}")
    right = "no difference" if what == "the same file" else "slower"
    checks.at_least(f"benchmark: {what}, {load}: '{right}' of {RUNS}", counts[right], RIGHT_MIN, digits=0)


def _make_slow(model, out):
    """The model with operators run twice that take EXTRA_WORK of its time by its own profile."""
    profile = lathe.run("benchmark", str(model), "--profile", "--threads", "1")
    milliseconds = {row["index"]: row["ms"] for row in profile["operators"] if "ms" in row and row["subgraph"] == 0}
    data, share = slow_model.slower(model.read_bytes(), milliseconds, EXTRA_WORK)
    out.write_bytes(data)
    print(f"{model.name}: operators that take {share:.1%} of its time run twice")
    return out


@contextlib.contextmanager
def _busy_core():
    """A process that computes without end on the last core that we may use."""
    core = max(os.sched_getaffinity(0))
    code = f"import os\nos.sched_setaffinity(0, [{core}])\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        try:
            yield
        finally:
            process.kill()


def _profiles(checks, only):
    table = tables.Table("`lathe benchmark MODEL --profile --threads 1`: what XNNPACK runs, and the share of its kernels' time that is "
                         "laid on operators", "model", "operators", "in XNNPACK", "ms a run", "ms in kernels", "on operators")
    for model in sorted((lathe.shared_dir() / "models").glob("*.tflite")):
        if only and model.stem not in only:
            continue
        report = lathe.run("benchmark", str(model), "--profile", "--threads", "1")
        profile = report["profile"]["input"]
        kernels = profile["delegated_ms"] + profile["builtin_ms"]
        on_operators = sum(row.get("ms", 0) for row in report["operators"])
        share = on_operators / kernels if kernels else 1
        table.row(model.stem, profile["operators"], profile["delegated_operators"], f"{profile['run_ms']:.3f}", f"{kernels:.3f}",
                  f"{share:.1%}")
        checks.at_most(f"profile of {model.stem}: ms in kernels against ms a run", kernels, profile["run_ms"] * 1.05, digits=3)
        checks.at_least(f"profile of {model.stem}: share of the time on operators", share, 0.95)
