"""Size and operator types that `lathe recommend` predicts, against the files that jobs make."""
import time

import lathe
import predictions
import tables

SIZE_ERROR_MAX = 0.02  # of the real file
SECONDS_MAX = 1.0  # for 200 MB; every model here is smaller


def _predicted(path):
    """Recommendations by preset, whatever data there is, and the seconds that it took."""
    started = time.monotonic()
    answer = lathe.run("recommend", str(path), "--data", "labelled")
    return {each["recipe"]["preset"]: each for each in answer["recommendations"]}, time.monotonic() - started


def _compare(checks, table, path, preset, predicted):
    try:
        output, report = predictions.optimized(path, preset)
    except lathe.LatheError as error:
        table.row(path.stem, preset, "", "", "", f"refused: {error.reason}; predicted {'a file' if predicted else 'none'}")
        if predicted is not None:
            checks.fail(f"{path.stem} {preset}: predicted, but the job ends with {error.reason}")
        return
    if predicted is None:
        checks.fail(f"{path.stem} {preset}: left out, but the job makes {output.stat().st_size} bytes")
        table.row(path.stem, preset, "", report["output"]["bytes"], "", "left out")
        return
    real = report["output"]["bytes"]
    error = predicted["predicted_bytes"] / real - 1
    differs = predictions.count(predicted["operators"]) - predictions.count(report["operators"])
    missing = predictions.count(report["operators"]) - predictions.count(predicted["operators"])
    types = "exact" if not differs and not missing else f"predicted {dict(differs)}, got {dict(missing)}"
    checks.at_most(f"{path.stem} {preset}: error of the predicted size", abs(error), SIZE_ERROR_MAX, digits=4)
    if types != "exact":
        checks.fail(f"{path.stem} {preset}: operator types: {types}")
    else:
        checks.count += 1
    table.row(path.stem, preset, predicted["predicted_bytes"], real, f"{100 * error:+.2f} %", types)


def run(checks, only):
    table = tables.Table("Predicted against real files", "model", "preset", "predicted bytes", "real bytes", "error", "operator types")
    slowest = 0.0
    for path in predictions.models(only):
        try:
            found, seconds = _predicted(path)
        except lathe.LatheError as error:
            found, seconds = {}, 0.0
            if error.reason != "NOTHING_TO_RECOMMEND":
                raise
        slowest = max(slowest, seconds)
        for preset in predictions.PRESETS:
            _compare(checks, table, path, preset, found.get(preset))
    checks.at_most("slowest recommendation", slowest, SECONDS_MAX, " s")
    print(f"\nslowest recommendation: {slowest:.2f} s, process start included")
