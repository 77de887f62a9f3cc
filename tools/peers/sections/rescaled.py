"""Function-preserving rescaled copies of three models: what quantization without equalization loses, beside litert-quantizer."""
import labelled
import lathe
import metrics
import quantizer
import rescale
import tables
import workbench

SEEDS = (1, 2, 3, 4, 5)
# Points that the mean over the seeds may lose against float.
_FASHION = {"int8": 0.5, "int16x8": 0.3, "dynamic-range": 0.4}
LOSS_MAX = {"fm_mnv1relu": _FASHION, "fm_mnv2": _FASHION,
            "det_yolo": {"int8": 1.2, "int16x8": 0.6, "dynamic-range": 0.8}}


def _ours(bench, model, copy, scheme, seed):
    path = workbench.OUT / f"{model.name}.rescaled.{seed}.tflite"
    path.write_bytes(copy)
    data = model.task.lathe_arguments()  # for dynamic-range too: equalization is chosen by held-back error
    content, _ = bench.optimize(f"{path.stem}.{scheme}", path, "--preset", scheme, *data)
    return bench.evaluate(model, content, copy)


def _theirs(bench, model, copy, scheme):
    return bench.evaluate(model, bench.peer_file(model, quantizer.Settings(scheme), copy), copy)


def _losses(bench, model, copies, evaluate):
    """((mean, error, worst) over the seeds or None, first failure or "")."""
    pairs, failure = [], ""
    for seed, copy in copies.items():
        try:
            pairs.append((bench.evaluate(model, copy, copy).scores[0], evaluate(seed, copy).scores[0]))
        except (lathe.LatheError, quantizer.PeerError) as error:
            failure = failure or f"seed {seed}: {error}"
    return metrics.mean_loss(pairs) if pairs else None, failure


def _cells(found, failure):
    """Mean and worst, as two cells."""
    return [tables.signed(*found[:2]), tables.number(found[2])] if found else [failure[:80], ""]


def run(bench, only):
    table = tables.Table(f"Points lost on rescaled copies, seeds {', '.join(map(str, SEEDS))}; the first metric of each model",
                         "model", "scheme", "ours, mean", "worst", "bound on the mean", "litert-quantizer, mean", "worst", "")
    for name, bounds in LOSS_MAX.items():
        if only and name not in only:
            continue
        model = labelled.by_name(name)
        copies = {seed: rescale.rescale(model.path().read_bytes(), name, seed)[0] for seed in SEEDS}
        for scheme, bound in bounds.items():
            mine, failure = _losses(bench, model, copies, lambda seed, copy: _ours(bench, model, copy, scheme, seed))
            theirs = _losses(bench, model, copies, lambda seed, copy: _theirs(bench, model, copy, scheme))
            what = f"{name} rescaled, {scheme}"
            good = not failure or bench.checks.fail(f"{what}: {failure}")
            if mine:
                good &= bench.checks.at_most(f"{what}, mean points lost", mine[0], bound)
            table.row(name, scheme, *_cells(mine, failure), tables.number(bound), *_cells(*theirs), "ok" if good else "FAILED")
