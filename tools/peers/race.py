"""Times of jobs that take turns, so that whatever else the machine does hits all of them."""
import dataclasses
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import lathe

# Each prints its seconds. A process of its own, so that memory is that of somebody who runs the peer for one model; its imports
# are not in the time.
PEER = """
import pathlib, sys, time
import numpy as np
import quantizer
model, scheme, data, out = sys.argv[1:]
with np.load(data) as arrays:
    samples = arrays["x"]
started = time.monotonic()
pathlib.Path(out).write_bytes(quantizer.quantize(pathlib.Path(model).read_bytes(), quantizer.Settings(scheme), samples))
print(time.monotonic() - started)
"""
# One-thread interpreters on all cores: what inference costs at least. Interpreters are made and warm before the clock starts.
BARE = """
import sys, threading, time
import numpy as np
import stock
content, threads = open(sys.argv[1], "rb").read(), int(sys.argv[3])
with np.load(sys.argv[2]) as arrays:
    samples = arrays["x"]
models = [stock.Model(content, threads=1) for _ in range(threads)]
for model in models:
    model.run([samples[:1]])
def run(model, share):
    for sample in share:
        model.run([sample[None]])
workers = [threading.Thread(target=run, args=pair) for pair in zip(models, np.array_split(samples, threads))]
started = time.monotonic()
for worker in workers: worker.start()
for worker in workers: worker.join()
print(time.monotonic() - started)
"""


@dataclasses.dataclass
class Runner:
    """One contender. `measure`: () -> (seconds, peak resident bytes or None, report or None)."""
    name: str
    measure: object
    runs_max: int = 1 << 30  # fewer runs for what takes minutes
    seconds: list = dataclasses.field(default_factory=list)
    peak_bytes: int = 0
    reports: list = dataclasses.field(default_factory=list)

    def median(self):
        return statistics.median(self.seconds)

    def run(self):
        seconds, peak, report = self.measure()
        self.seconds.append(seconds)
        self.peak_bytes = max(self.peak_bytes, peak or 0)
        self.reports.append(report)


# Between us and the process to measure, because Linux counts what a parent had in memory to the child it starts.
_LAUNCHER = """
import resource, subprocess, sys, time
started = time.monotonic()
code = subprocess.call(sys.argv[2:])
seconds = time.monotonic() - started
with open(sys.argv[1], "w") as figures:
    figures.write(f"{seconds} {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss}")
sys.exit(code)
"""


def child(command):
    """(wall seconds, largest resident size of the process or a child of it in bytes, stdout). RuntimeError when it fails."""
    with tempfile.NamedTemporaryFile("r") as figures:
        done = subprocess.run([sys.executable, "-S", "-E", "-c", _LAUNCHER, figures.name, *command], cwd=pathlib.Path(__file__).parent,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stdout[-300:]} {done.stderr[-300:]}")
        seconds, kibibytes = figures.read().split()
    return float(seconds), int(kibibytes) * 1024, done.stdout


def job(name, model, output, *arguments, threads=2):
    """`lathe optimize`, whole process."""
    command = [str(lathe.program()), "optimize", str(model), "-o", str(output), "--threads", str(threads), "--no-benchmark",
               *arguments, "--json"]

    def measure():
        seconds, peak, text = child(command)
        return seconds, peak, json.loads(text)

    return Runner(name, measure)


def script(name, text, *arguments):
    """A Python process that prints its own seconds; its peak memory is that of the process."""
    def measure():
        _, peak, printed = child([sys.executable, "-c", text, *map(str, arguments)])
        return float(printed.split()[-1]), peak, None

    return Runner(name, measure)


def take_turns(runners, runs):
    """Runs all of them `runs` times in turns, after one turn that fills the file cache and does not count."""
    for number in range(runs + 1):
        for runner in runners:
            if number > runner.runs_max:
                continue
            if number == 0 and runner.runs_max < runs:
                continue
            runner.run()
            if number == 0:
                runner.seconds.clear()
                runner.reports.clear()
