"""Large constants in a residual stream: qa_tx_hard, its variants, and the fallback in place of the rewrite."""
import labelled
import lathe
import metrics
import quantizer
import residual_variants
import structure
import tables
import workbench

LOSS_MAX = 0.7  # points of F1, plain int8
FALLBACK_LOSS_MAX, FALLBACK_SIZE_MAX = 0.5, 0.36  # points of F1, share of the float file
MIN_SQNR_DB = "30"


def _row(bench, table, model, label, content, made, bound, size_max=None, all_integer=False):
    exact, mine = bench.evaluate(model, content, content), bench.evaluate(model, made, content)
    lost, error = metrics.loss(exact.scores[0], mine.scores[0])
    islands = structure.float_operators(made)
    good = bound is None or bench.checks.at_most(f"{label}, points of F1 lost", lost, bound)
    if size_max is not None:
        good &= bench.checks.at_most(f"{label}, share of the float size", len(made) / len(content), size_max, digits=3)
    if all_integer and islands:
        good = bench.checks.fail(f"{label}: {len(islands)} operators compute in float: {islands[:5]}")
    table.row(label, tables.signed(lost, error), tables.number(bound), tables.signed(metrics.loss(exact.scores[1], mine.scores[1])[0]),
              len(islands), f"{len(made):,} ({len(made) / len(content):.3f})", "" if bound is None else "ok" if good else "FAILED")


def _ours(bench, table, model, label, path, arguments, bound, **checks):
    try:
        made, _ = bench.optimize(label.replace(" ", "-"), path, *arguments, *model.task.lathe_arguments())
        _row(bench, table, model, label, path.read_bytes(), made, bound, **checks)
    except lathe.LatheError as error:
        bench.checks.fail(f"{label}: {error}")
        table.row(label, "", tables.number(bound), "", "", "", f"FAILED: {error}")


def _peer(bench, table, model, label, content):
    try:
        made = bench.peer_file(model, quantizer.Settings("int8"), content)
        _row(bench, table, model, f"litert-quantizer: {label}", content, made, None)
    except quantizer.PeerError as error:
        table.row(f"litert-quantizer: {label}", "", "", "", "", str(error)[:80], "")


def run(bench, only):
    del only  # one model
    model = labelled.by_name("qa_tx_hard")
    table = tables.Table("Points of F1 and EM lost by int8 with a large constant in the residual stream", "file", "F1", "bound", "EM",
                         "float operators", "bytes (of float)", "")
    plain = ["--preset", "int8"]
    _ours(bench, table, model, "qa_tx_hard int8", model.path(), plain, LOSS_MAX, all_integer=True)
    _peer(bench, table, model, "qa_tx_hard int8", model.path().read_bytes())
    fallback = bench.recipe("qa_tx_hard.fallback", preset="int8", correct={"residual_constants": "OFF"})
    _ours(bench, table, model, f"qa_tx_hard int8, rewrite off, --min-sqnr {MIN_SQNR_DB}", model.path(),
          [*fallback, "--min-sqnr", MIN_SQNR_DB], FALLBACK_LOSS_MAX, size_max=FALLBACK_SIZE_MAX)
    for kind in residual_variants.KINDS:
        path = workbench.OUT / f"qa_tx.{kind}.tflite"
        path.write_bytes(residual_variants.variant(labelled.by_name("qa_tx").path().read_bytes(), kind))
        label = f"qa_tx with a constant in {kind}, int8"
        _ours(bench, table, model, label, path, plain, LOSS_MAX, all_integer=True)
        _peer(bench, table, model, label, path.read_bytes())
