"""Speed and memory of the job: `lathe optimize --no-benchmark` beside litert-quantizer (imports excluded) and bare inference."""
import os

import numpy as np

import labelled
import lathe
import race
import statistics
import seed_models
import tables
import workbench

RUNS = 5
THREADS = 2
SEED = 1
MIB = 1 << 20
TRANSFORM_SECONDS_MAX, TRANSFORM_SLACK = 0.3, 64 * MIB
BEST_SECONDS_MAX = 60
# Steps of a report's timing[] that verify the result and do not make it.
VERIFICATION = {"compare", "measure", "benchmark", "profile"}


def _image_samples(name, size, count):
    path = workbench.OUT / f"{name}.{count}.npz"
    if not path.exists():
        np.savez(path, x=lathe.input_maker().noise((1, size, size, 3), count, SEED, -1, 1))
    return path


def _task_samples(model, count):
    path = workbench.OUT / f"{model.name}.{count}.npz"
    np.savez(path, x=model.task.calibration()[:count])
    return path


def _ours(name, model, data, effort):
    output = workbench.OUT / f"{name}.{effort}.tflite"
    chosen = [] if effort == "default" else ["--effort", effort]
    return race.job(f"int8, {effort} effort", model, output, "--preset", "int8", "--calibration", str(data), *chosen, threads=THREADS)


def _race(bench, title, model, data, samples, efforts):
    """{name: Runner} after the race; jobs that Lathe refuses are failed checks."""
    name = model.stem
    peer = workbench.OUT / f"{name}.peer.tflite"
    runners = [*(_ours(name, model, data, effort) for effort in efforts),
               race.script("litert-quantizer int8", race.PEER, model, "int8", data, peer),
               race.script("bare inferences", race.BARE, model, data, THREADS)]
    for runner in runners:
        if "best" in runner.name:
            runner.runs_max = 1
    done = {}
    for runner in list(runners):
        try:
            runner.measure()
            done[runner.name] = runner
        except RuntimeError as error:
            bench.checks.fail(f"{title}, {runner.name}: {error}")
    race.take_turns(list(done.values()), RUNS)
    table = tables.Table(f"{title}, {samples} samples, median of {RUNS} interleaved runs, {THREADS} threads of {os.cpu_count()} cores",
                         "job", "seconds", "x bare", "litert-quantizer / it", "peak MiB", "of litert-quantizer's")
    its, bare = done.get("litert-quantizer int8"), done.get("bare inferences")
    for runner in done.values():
        table.row(runner.name, tables.number(runner.median()), tables.number(runner.median() / bare.median()),
                  tables.number(its.median() / runner.median(), 1), tables.number(runner.peak_bytes / MIB, 0),
                  f"{100 * runner.peak_bytes / its.peak_bytes:.0f} %")
    return done


def _hold(bench, title, done, effort, bare_max=None, faster_min=None, memory_max=None):
    runner = done.get(f"int8, {effort} effort")
    if runner is None:
        return  # its failure is on the list already
    its, bare, what = done["litert-quantizer int8"], done["bare inferences"], f"{title}, {effort} effort"
    if bare_max:
        bench.checks.at_most(f"{what}, times its bare inferences", runner.median() / bare.median(), bare_max)
    if faster_min:
        bench.checks.at_least(f"{what}, times faster than litert-quantizer", its.median() / runner.median(), faster_min)
    if memory_max:
        bench.checks.at_most(f"{what}, peak memory beside litert-quantizer's", runner.peak_bytes / its.peak_bytes, memory_max)


def _mobilenet(bench):
    model = lathe.shared_dir() / "models/mobilenet_v2_1.0_224_random.tflite"
    title = "mobilenet_v2_1.0_224"
    done = _race(bench, title, model, _image_samples(title, 224, 100), 100, ("fast", "default", "best"))
    _hold(bench, title, done, "fast", bare_max=1.9, faster_min=5, memory_max=0.45)
    _hold(bench, title, done, "default", bare_max=3.5, memory_max=0.45)
    best = done.get("int8, best effort")
    if best:
        bench.checks.at_most(f"{title}, best effort, seconds", best.median(), BEST_SECONDS_MAX)


def _large(bench, key, size):
    model = seed_models.path(key)
    done = _race(bench, key, model, _image_samples(key, size, 20), 20, ("fast",))
    _hold(bench, key, done, "fast", bare_max=1.6, memory_max=0.40)


def _small(bench, name, count):
    model = labelled.by_name(name)
    done = _race(bench, name, model.path(), _task_samples(model, count), count, ("fast", "default"))
    _hold(bench, name, done, "default", faster_min=20)


def _transformation(bench):
    model = seed_models.path("resnet_v2_101")
    output = workbench.OUT / "resnet.dynamic-range.tflite"
    runner = race.job("dynamic-range", model, output, "--preset", "dynamic-range", threads=THREADS)
    race.take_turns([runner], RUNS)
    seconds = lambda report, verification: sum(step["seconds"] for step in report["timing"]
                                               if (step["step"] in VERIFICATION) == verification)
    made = statistics.median(seconds(report, False) for report in runner.reports)
    verified = statistics.median(seconds(report, True) for report in runner.reports)
    # The executor's peak before it ran the result; of the whole job where the report does not tell them apart.
    peak = max(report.get("transform_peak_rss_bytes", report["peak_rss_bytes"]) for report in runner.reports)
    bound = model.stat().st_size + output.stat().st_size + TRANSFORM_SLACK
    table = tables.Table(f"resnet_v2_101 dynamic-range ({model.stat().st_size / 1e6:.0f} MB), median of {RUNS} runs",
                         "transformation s", "verification s", "whole job s", "its peak MiB", "input + output + 64 MiB", "peak of the job MiB")
    table.row(tables.number(made), tables.number(verified), tables.number(runner.median()), tables.number(peak / MIB, 0),
              tables.number(bound / MIB, 0), tables.number(runner.peak_bytes / MIB, 0))
    bench.checks.at_most("resnet_v2_101 dynamic-range, transformation", made, TRANSFORM_SECONDS_MAX, " s")
    bench.checks.at_most("resnet_v2_101 dynamic-range, peak of the transformation", peak / MIB, bound / MIB, " MiB", 0)


def run(bench, only):
    parts = {
        "mobilenet_v2_1.0_224_random": lambda: _mobilenet(bench),
        "inception_v3": lambda: _large(bench, "inception_v3", 299),
        "resnet_v2_101": lambda: (_large(bench, "resnet_v2_101", 224), _transformation(bench)),
        "spam_tx": lambda: _small(bench, "spam_tx", 200),
        "fm_mnv1relu": lambda: _small(bench, "fm_mnv1relu", 500),
    }
    for name, part in parts.items():
        if not only or name in only:
            part()
