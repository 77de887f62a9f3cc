"""See tools/check-presets."""
import argparse
import pathlib
import sys
import time

import numpy as np

import lathe
import quantizer
import stock
import structure
import suite

OUT = lathe.ROOT / "build" / "check-presets"
# Kinds that an int8 preset may leave in float on face_landmark: XNNPACK does not take PRELU in int8, and the kernel that
# remains is slower than the float one.
FLOAT_KINDS_ALLOWED = {"PRELU"}
# How the report explains a sum between them, which needs no more conversions in float than in int8, and what leads to it.
FLOAT_SUM_REASON = "what reads it stays float"


class Row:
    """One preset on one model, as it is printed."""

    def __init__(self, case, preset, floor):
        self.case, self.preset, self.floor = case, preset, floor
        self.bytes = self.db = self.top1 = None
        self.peer = {}
        self.failures = []


def lathe_arguments(case, preset, calibration_file, seed=1):
    arguments = ["--preset", preset, "--no-benchmark", "--seed", str(seed)]
    if preset != "int8":
        return arguments if case.labelled else arguments + [f"--input-range={case.low:g},{case.high:g}"]
    arguments += ["--calibration", str(calibration_file)]
    return arguments + ["--scale", repr(1 / 255), "--mean", "0"] if case.labelled else arguments


def measure_peer(cache, case, preset, content, samples, reference, labels):
    """litert-quantizer's bytes, decibels and top-1 on a repaired copy; from the cache when it was measured before."""
    calibration, test = samples

    def measure():
        try:
            output = quantizer.quantize(quantizer.repair(content), quantizer.Settings(preset, float_io=False), calibration)
            candidate = stock.outputs_of(output, test)
        except Exception as error:  # whatever the peer throws is a result of the peer, not of this check
            return {"error": f"{type(error).__name__}: {error}"[:200]}
        figures = {"bytes": len(output), "db": stock.least_sqnr_db(reference, candidate)}
        if labels is not None:
            figures["top1"] = stock.top1(candidate[0], labels)
        return figures

    return cache.get([quantizer.version(), preset, quantizer.digest(content, calibration, test)], measure)


def check_really_int8(content, report):
    """What contradicts "all int8 but the islands that are allowed and explained"."""
    explained = {entry["index"]: entry.get("reason", "") for entry in report.get("operators", [])}
    failures = []
    for index, kind in structure.float_operators(content):
        reason = explained.get(index, "")
        if kind not in FLOAT_KINDS_ALLOWED and not reason.startswith(FLOAT_SUM_REASON):
            failures.append(f"operator {index} {kind} computes in float")
        elif not reason:
            failures.append(f"operator {index} {kind} is float and operators[] does not say why")
    return failures


def measure_ours(row, path, test, reference, labels, float_top1, calibration_file):
    output = OUT / f"{row.case.name}.{row.preset}.tflite"
    try:
        report = lathe.optimize(path, output, *lathe_arguments(row.case, row.preset, calibration_file))
    except lathe.LatheError as error:
        row.failures.append(str(error))
        return
    content = output.read_bytes()
    row.bytes = len(content)
    types = {detail["dtype"].__name__ for model in [stock.Model(content)] for detail in model.inputs + model.outputs}
    if types != {"float32"}:
        row.failures.append(f"inputs and outputs are {', '.join(sorted(types))}, not float32")
    candidate = stock.outputs_of(content, test)
    row.db = stock.least_sqnr_db(reference, candidate)
    if row.floor is not None and row.db < row.floor:
        row.failures.append(f"{row.db:.2f} dB is below the floor of {row.floor}")
    if labels is not None:
        row.top1 = stock.top1(candidate[0], labels)
        if row.preset == "int8" and float_top1 - row.top1 > suite.TOP1_LOSS_MAX:
            row.failures.append(f"top-1 fell from {float_top1:.2f} to {row.top1:.2f} %, more than {suite.TOP1_LOSS_MAX} points")
    if row.case.name == "face_landmark" and row.preset == "int8":
        row.failures += check_really_int8(content, report)


def measure_case(case, shared, cache, with_peer):
    path = shared / case.path
    content = path.read_bytes()
    shape = stock.Model(content).inputs[0]["shape"]
    calibration, test, labels = suite.samples_for(case, shape, shared)
    reference = stock.outputs_of(content, test)
    float_top1 = None if labels is None else stock.top1(reference[0], labels)
    if case.labelled:
        calibration_file = shared / case.data / "calib.npz"
    else:
        calibration_file = OUT / f"{case.name}.npz"
        np.savez(calibration_file, x=calibration)
    for preset, floor in zip(suite.PRESETS, case.floors):
        row = Row(case, preset, floor)
        measure_ours(row, path, test, reference, labels, float_top1, calibration_file)
        if with_peer and preset in suite.PEER_PRESETS:
            row.peer = measure_peer(cache, case, preset, content, (calibration, test), reference, labels)
        yield row, len(content), float_top1
    if not case.labelled:
        calibration_file.unlink()


def print_row(row, float_bytes, float_top1):
    number = lambda value, digits=1: "-" if value is None else f"{value:.{digits}f}"
    share = "-" if row.bytes is None else f"{row.bytes:,} ({100 * row.bytes / float_bytes:.0f} %)"
    peer_bytes = f"{row.peer['bytes']:,}" if "bytes" in row.peer else row.peer.get("error", "-")
    top1 = "" if float_top1 is None else f"{float_top1:.2f} -> {number(row.top1, 2)} ({number(row.peer.get('top1'), 2)})"
    print(f"| {row.case.name} | {row.preset} | {share} | {number(row.db)} | {'-' if row.floor is None else row.floor} | "
          f"{peer_bytes} | {number(row.peer.get('db'))} | {top1} | {'FAILED' if row.failures else 'ok'} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description="Measures every preset against its floors and against litert-quantizer.")
    parser.add_argument("--only", action="append", metavar="MODEL", help="measure this model only; may be given again")
    parser.add_argument("--no-peer", action="store_true", help="leave litert-quantizer out")
    arguments = parser.parse_args()
    shared = lathe.shared_dir()
    if shared is None:
        sys.exit("check-presets: set LATHE_SHARED_DIR to the folder that holds models/ and data/")
    unknown = set(arguments.only or ()) - {case.name for case in suite.CASES}
    if unknown:
        sys.exit(f"check-presets: no such model: {', '.join(sorted(unknown))}; known: {', '.join(c.name for c in suite.CASES)}")

    OUT.mkdir(parents=True, exist_ok=True)
    cache = quantizer.Cache(OUT / "peer")
    started = time.monotonic()
    failures = []
    print(f"Error against float by the stock interpreter; litert-quantizer {quantizer.version()} on repaired copies.\n")
    print("| model | preset | bytes (of float) | SQNR dB | floor | litert-quantizer bytes | its dB | top-1 % float -> ours (its) | |")
    print("|---|---|---|---|---|---|---|---|---|")
    for case in suite.CASES:
        if arguments.only and case.name not in arguments.only:
            continue
        for row, float_bytes, float_top1 in measure_case(case, shared, cache, not arguments.no_peer):
            print_row(row, float_bytes, float_top1)
            failures += [f"{case.name} {row.preset}: {failure}" for failure in row.failures]
    print(f"\n{time.monotonic() - started:.0f} s")
    for failure in failures:
        print(f"FAILED {failure}")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
