"""The same bytes for any number of threads."""
import hashlib

import labelled
import lathe
import tables
import workbench

THREADS = (1, 2, 8)
SCHEMES = ("float16", "weight-only-int8", "weight-only-int4", "dynamic-range", "int8", "int16x8")
MODELS = ("fm_mnv1relu", "sp_lstm", "det_yolo", "qa_tx_hard", "face_landmark")


def _case(name):
    """(file, arguments that name its calibration data)."""
    if name == "face_landmark":  # calibrated with made-up samples
        return lathe.shared_dir() / f"models/{name}.tflite", []
    model = labelled.by_name(name)
    return model.path(), model.task.lathe_arguments()


def run(bench, only):
    table = tables.Table(f"First digits of the result's sha256 for --threads {', '.join(map(str, THREADS))}",
                         "model", "scheme", *map(str, THREADS), "")
    for name in MODELS:
        if only and name not in only:
            continue
        path, data = _case(name)
        for scheme in SCHEMES:
            what, output, digests = f"{name} {scheme}", workbench.OUT / "determinism.tflite", []
            try:
                for threads in THREADS:
                    lathe.optimize(path, output, "--preset", scheme, "--no-benchmark", "--threads", str(threads), *data)
                    digests.append(hashlib.sha256(output.read_bytes()).hexdigest())
            except lathe.LatheError as error:
                bench.checks.fail(f"{what}: {error}")
                table.row(name, scheme, *[""] * len(THREADS), f"FAILED: {error}"[:100])
                continue
            same = len(set(digests)) == 1
            if not same:
                bench.checks.fail(f"{what}: the bytes depend on the number of threads")
            bench.checks.count += same
            table.row(name, scheme, *[digest[:8] for digest in digests], "ok" if same else "FAILED")
