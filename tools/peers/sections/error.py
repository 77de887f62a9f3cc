"""Error against float where no labels exist: face_landmark beside the best of litert-quantizer's settings, edsr on photographs."""
import numpy as np

import lathe
import quantizer
import tables
import workbench

SAMPLES = 64
CALIBRATION_SEED, TEST_SEED = 1, 2
# dB that each output must be better than litert-quantizer's best setting for that output; then the least dB of any.
LANDMARK_BOUNDS = {"int8": ((1.5, 0.0), None), "int16x8": ((3.0, 3.0), 45.0), "int4 convolutions": ((3.0, 3.0), None)}
# Only convolutions, because litert-quantizer refuses int4 for the depthwise ones.
_INT4_RULES = [{"selector": {"kinds": ["CONV_2D"]}, "quantize": {"scheme": "WEIGHT_ONLY", "weights": {"bits": 4}}}]

# Of 540 x 960 pixels; one takes seconds. Fewer than 16 samples choose nothing (docs/recipes.md).
CALIBRATION_PHOTOS, TEST_PHOTOS = 16, 4
PSNR_MIN = 48.5
MLPERF_FILES = ("edsr_f32b5_full_qint8", "edsr_f32b5_QAT")


def _save(name, samples):
    path = workbench.OUT / f"{name}.npz"
    np.savez(path, x=samples)
    return path


def _peer_settings(scheme):
    if scheme.startswith("int4"):
        return [quantizer.Settings(peer, weights) for peer in ("weight-only-int4", "dynamic-range-int4") for weights in quantizer.WEIGHTS]
    return [quantizer.Settings(scheme, weights, ranges) for weights in quantizer.WEIGHTS for ranges in quantizer.RANGES]


def _peer_rows(bench, table, scheme, content, samples, test):
    """(best dB of each output over its settings, bytes of its largest file); all of them are printed."""
    best, largest = [], 0
    for settings in _peer_settings(scheme):
        label = f"litert-quantizer {settings.scheme}, weights {settings.weights}, ranges {settings.ranges}"
        try:
            made = bench.peers.get(content, settings, samples)
        except quantizer.PeerError as error:
            table.row(scheme, label, "", "", str(error)[:80], "")
            continue
        db = bench.errors(made, content, test)["sqnr_db"]
        best.append(db)
        largest = max(largest, len(made))
        table.row(scheme, label, *map(tables.number, db), f"{len(made):,}", "")
    return np.max(best, axis=0), largest


def _landmark_arguments(bench, scheme, calibration):
    chosen = ["--preset", scheme] if scheme in ("int8", "int16x8") else bench.recipe("face_landmark.int4", rules=_INT4_RULES)
    return [*chosen, "--calibration", str(calibration)]


def _landmark(bench):
    path = lathe.shared_dir() / "models/face_landmark.tflite"
    content, noise = path.read_bytes(), lathe.input_maker().noise
    samples, test = (noise((1, 192, 192, 3), SAMPLES, seed, 0, 1) for seed in (CALIBRATION_SEED, TEST_SEED))
    calibration = _save("face_landmark", samples)
    table = tables.Table(f"face_landmark, SQNR in dB on {SAMPLES} inputs of seed {TEST_SEED}, calibrated with {SAMPLES} of seed "
                         f"{CALIBRATION_SEED}", "scheme", "file", "output 1", "output 2", "bytes", "")
    for scheme, (gains, least) in LANDMARK_BOUNDS.items():
        best, largest = _peer_rows(bench, table, scheme, content, samples, test)
        for effort in ("balanced", "best"):
            label = f"face_landmark {scheme}, effort {effort}"
            try:
                made, _ = bench.optimize(f"face_landmark.{scheme.replace(' ', '-')}.{effort}", path,
                                         *_landmark_arguments(bench, scheme, calibration), "--effort", effort)
            except lathe.LatheError as error:
                bench.checks.fail(f"{label}: {error}")
                table.row(scheme, f"ours, effort {effort}", "", "", "", f"FAILED: {error}")
                continue
            db = bench.errors(made, content, test)["sqnr_db"]
            good = True
            if effort == "balanced":  # the default is what is promised
                good = bench.checks.at_most(f"{label}, bytes beside litert-quantizer's", len(made), largest, digits=0)
                for index, (value, its, gain) in enumerate(zip(db, best, gains)):
                    good &= bench.checks.at_least(f"{label}, output {index + 1}", value, its + gain, " dB")
                good &= least is None or bench.checks.at_least(f"{label}, least output", min(db), least, " dB")
            table.row(scheme, f"**ours**, effort {effort}", *map(tables.number, db), f"{len(made):,}",
                      "" if effort != "balanced" else "ok" if good else "FAILED")


def _edsr(bench):
    models, photos = lathe.shared_dir() / "models", lathe.input_maker().photos
    path = models / "edsr_f32b5_fp32.tflite"
    content, samples, test = path.read_bytes(), photos("calib", CALIBRATION_PHOTOS, 0), photos("test", TEST_PHOTOS, 0)
    calibration = _save("edsr", samples)
    table = tables.Table(f"edsr_f32b5 int8, mean PSNR in dB to float on {TEST_PHOTOS} mosaics of other photographs than the "
                         f"{CALIBRATION_PHOTOS} that calibrated", "file", "PSNR dB", "bytes", "")
    for name in MLPERF_FILES:
        made = (models / f"{name}.tflite").read_bytes()
        table.row(f"MLPerf Mobile's {name}", tables.number(bench.errors(made, content, test)["psnr_db"][0]), f"{len(made):,}", "")
    peer_bytes = []
    for ranges in quantizer.RANGES:
        try:
            made = bench.peers.get(content, quantizer.Settings("int8", ranges=ranges), samples)
            figure = tables.number(bench.errors(made, content, test)["psnr_db"][0])
            peer_bytes.append(len(made))
            table.row(f"litert-quantizer, ranges {ranges}", figure, f"{len(made):,}", "")
        except quantizer.PeerError as error:
            table.row(f"litert-quantizer, ranges {ranges}", str(error)[:80], "", "")
    try:
        made, _ = bench.optimize("edsr.int8", path, "--preset", "int8", "--calibration", str(calibration))
    except lathe.LatheError as error:
        bench.checks.fail(f"edsr int8: {error}")
        return
    psnr = bench.errors(made, content, test)["psnr_db"][0]
    good = bench.checks.at_least("edsr int8, PSNR to float", psnr, PSNR_MIN, " dB")
    if peer_bytes:
        good &= bench.checks.at_most("edsr int8, bytes beside litert-quantizer's", len(made), min(peer_bytes), digits=0)
    table.row("**ours**", tables.number(psnr), f"{len(made):,}", "ok" if good else "FAILED")


def run(bench, only):
    if not only or "face_landmark" in only:
        _landmark(bench)
    if not only or "edsr_f32b5_fp32" in only:
        _edsr(bench)
