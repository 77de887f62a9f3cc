"""Accuracy of every labelled model in every scheme beside litert-quantizer: same data, float32 inputs and outputs."""
import labelled
import lathe
import metrics
import quantizer
import structure
import tables

SCHEMES = ("float16", "weight-only-int8", "dynamic-range", "int8", "int16x8")
# Points that int8 and int16x8 may lose against float, and every scheme be behind litert-quantizer; each plus one paired
# standard error.
LOSS_MAX = 0.3
LOSS_MAX_DETECTION_INT8 = 0.8
WER_LOSS_MAX = 0.5  # of the recurrent models, in every scheme, without a standard error
FULL_INTEGER_LOSS_MAX = {"F1": 0.3, "EM": 0.5}
_STATIC = ("int8", "int16x8")


def _loss_bound(model, scheme, error):
    """Points that the scheme may lose; None where nothing is promised."""
    if model.name.startswith("sp_lstm"):
        return WER_LOSS_MAX
    if scheme not in _STATIC:
        return None
    return (LOSS_MAX_DETECTION_INT8 if (model.name, scheme) == ("det_yolo", "int8") else LOSS_MAX) + error


def _check_float(bench, models):
    for problem in labelled.golden_contradictions(bench.float_outputs):
        bench.checks.fail(problem)
    for model in models:
        for problem in labelled.contradictions(model, bench.evaluate(model, model.path().read_bytes()).scores):
            bench.checks.fail(problem)


def _peer(bench, model, settings):
    """(bytes, Evaluation), or (what it threw, None)."""
    try:
        content = bench.peer_file(model, settings)
        return content, bench.evaluate(model, content)
    except quantizer.PeerError as error:
        return str(error), None


def _print(bench, table, model, label, ours, peer, bound_of):
    """One row a deciding metric. `ours` and `peer`: (bytes, Evaluation). `bound_of(metric, paired error)`: points or None."""
    content, mine = ours
    theirs_content, theirs = peer
    exact = bench.evaluate(model, model.path().read_bytes())
    for index, reference in enumerate(exact.deciding(model.task)):
        what = f"{model.name} {label} {reference.name}"
        lost, error = metrics.loss(reference, mine.scores[index])
        bound = bound_of(reference.name, error)
        good = bound is None or bench.checks.at_most(f"{what}, points lost", lost, bound)
        cells = ["-", "-", "-"]
        if theirs is not None:
            its_lost, its_error = metrics.loss(reference, theirs.scores[index])
            behind, between = metrics.loss(theirs.scores[index], mine.scores[index])
            good &= bench.checks.at_most(f"{what}, points behind litert-quantizer", behind, LOSS_MAX + between)
            cells = [tables.number(theirs.scores[index].value), tables.signed(its_lost, its_error), tables.signed(behind, between)]
        least = lambda evaluation: "-" if evaluation is None else tables.number(min(evaluation.centered_db), 1)
        size = f"{len(content):,} ({len(theirs_content):,})" if theirs is not None else f"{len(content):,} ({theirs_content[:60]})"
        table.row(model.name, label, reference.name, tables.number(reference.value), tables.number(mine.scores[index].value),
                  tables.signed(lost, error), tables.number(bound), *cells, f"{least(mine)} ({least(theirs)})", size,
                  "ok" if good else "FAILED")


def _measure(bench, table, model, label, arguments, settings, bound_of):
    """The report's content for further checks, or None when Lathe failed."""
    try:
        content, _ = bench.optimize(f"{model.name}.{label.replace(' ', '-')}", model.path(), *arguments)
        mine = bench.evaluate(model, content)
    except lathe.LatheError as error:
        bench.checks.fail(f"{model.name} {label}: {error}")
        table.row(model.name, label, *[""] * 10, f"FAILED: {error}")
        return None
    _print(bench, table, model, label, (content, mine), _peer(bench, model, settings), bound_of)
    return content


def _full_integer(bench, table, io_type):
    """qa_tx with nothing in float, also its outputs if io_type says so."""
    model, label = labelled.by_name("qa_tx"), f"int8 all integer, {io_type} outputs"
    recipe = bench.recipe(f"qa_tx.full.{io_type}", preset="int8",
                          quantize={"require_full_integer": True, "io_type": io_type.upper()})
    content = _measure(bench, table, model, label, [*recipe, *model.task.lathe_arguments()],
                       quantizer.Settings("int8", float_io=io_type == "float32"),
                       lambda metric, error: FULL_INTEGER_LOSS_MAX[metric])
    left = [] if content is None else structure.float_operators(content)
    if left:
        bench.checks.fail(f"qa_tx {label}: {len(left)} operators compute in float: {left[:5]}")


def run(bench, only):
    models = [model for model in labelled.MODELS if not only or model.name in only]
    _check_float(bench, models)
    table = tables.Table(
        "Points lost against float and behind litert-quantizer, ± paired standard error; bound = points that may be lost",
        "model", "scheme", "metric", "float", "ours", "lost", "bound", "litert-quantizer", "its loss", "ours behind it",
        "SQNR dB, mean removed (its)", "bytes (its)", "")
    for model in models:
        for scheme in SCHEMES:
            arguments = ["--preset", scheme, *(model.task.lathe_arguments() if scheme in _STATIC else [])]
            _measure(bench, table, model, scheme, arguments, quantizer.Settings(scheme),
                     lambda _, error, model=model, scheme=scheme: _loss_bound(model, scheme, error))
    if any(model.name == "qa_tx" for model in models):
        _full_integer(bench, table, "float32")
        _full_integer(bench, table, "int8")
