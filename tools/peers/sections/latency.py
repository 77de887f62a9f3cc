"""Speed of the result: int8 files of Lathe and of litert-quantizer and the float file, interleaved on one thread."""
import time

import numpy as np

import catalogue
import lathe
import quantizer
import stock
import structure
import tables

ROUNDS = 41
ROUND_SECONDS = 0.004  # a file runs as often as fits into this, at least once: short runs would measure Python
TOTAL_SECONDS = 20  # rounds stop here, but for the first ROUNDS_MIN
ROUNDS_MIN = 5
# How much slower a file may look by chance and still count as equally fast.
NOISE = 0.03
# Beside float: from here on the job's own, shorter benchmark must notice, too, and its report say it.
SLOWER_MIN = 1.25


class _Timed:
    def __init__(self, content, sample):
        self._model = stock.Model(content, threads=1)
        self._model.run_float([sample.reshape(tuple(self._model.inputs[0]["shape"]))])
        self._runs = 1
        self._runs = max(1, round(ROUND_SECONDS / self.milliseconds() * 1e3))

    def milliseconds(self):
        """Of one invocation, the mean over the runs of a round."""
        started = time.perf_counter()
        for _ in range(self._runs):
            self._model.invoke()
        return (time.perf_counter() - started) / self._runs * 1e3


def _rounds(contents, sample):
    """[rounds, files] milliseconds; each round begins with another file."""
    timed = [_Timed(content, sample) for content in contents]
    measured, started = [], time.monotonic()
    while len(measured) < ROUNDS_MIN or (len(measured) < ROUNDS and time.monotonic() - started < TOTAL_SECONDS):
        row = [0.0] * len(timed)
        for turn in range(len(timed)):
            position = (turn + len(measured)) % len(timed)
            row[position] = timed[position].milliseconds()
        measured.append(row)
    return np.array(measured)


def _ratio(numerators, denominators):
    """(median of the rounds' ratios, its standard error by resampling the rounds)."""
    ratios = numerators / denominators
    drawn = np.random.default_rng(0).integers(len(ratios), size=(200, len(ratios)))
    return float(np.median(ratios)), float(np.median(ratios[drawn], axis=1).std())


def _check_verdict(bench, entry):
    """Whether the report says that the result, clearly slower than its input, is so; the job measures for itself here."""
    _, report = bench.optimize(f"{entry.name}.verdict", entry.path, "--preset", "int8", *entry.lathe_arguments(), benchmark=True)
    said = any("slow" in sentence for sentence in report.get("verdict", []))
    return said or bench.checks.fail(f"{entry.name} int8 is slower than float, but its report's verdict does not say so")


def run(bench, only):
    table = tables.Table("Milliseconds of one inference, median of interleaved rounds on one thread; in brackets the QUANTIZE and "
                         "DEQUANTIZE operators that run", "model", "float", "ours int8", "litert-quantizer int8",
                         "ours / its", "ours / float", "")
    for entry in catalogue.entries(only):
        samples = entry.calibration()
        try:
            mine, _ = bench.optimize(f"{entry.name}.int8", entry.path, "--preset", "int8", *entry.lathe_arguments())
        except lathe.LatheError as error:
            good = error.reason in catalogue.REFUSALS or bench.checks.fail(f"{entry.name} int8: {error}")
            table.row(entry.name, "", f"{error}"[:100], "", "", "", "refused" if good else "FAILED")
            continue
        contents = [entry.path.read_bytes(), mine]
        try:
            contents.append(bench.peers.get(contents[0], quantizer.Settings("int8"), samples))
        except quantizer.PeerError:
            pass
        measured = _rounds(contents, samples[0])
        medians = np.median(measured, axis=0)
        edged = lambda index: f"{medians[index]:.3f} ({structure.edge_count(contents[index])})"
        beside_float, float_error = _ratio(measured[:, 1], measured[:, 0])
        good, its, beside = True, "-", "-"
        if len(contents) == 3:
            ratio, error = _ratio(measured[:, 1], measured[:, 2])
            its, beside = edged(2), tables.signed(ratio, error).lstrip("+")
            good = bench.checks.at_most(f"{entry.name} int8, time beside litert-quantizer's", ratio, 1 + NOISE + error)
        if beside_float > SLOWER_MIN + float_error:
            good &= _check_verdict(bench, entry)
        table.row(entry.name, f"{medians[0]:.3f}", edged(1), its, beside, tables.signed(beside_float, float_error).lstrip("+"),
                  "ok" if good else "FAILED")
