"""Every metric of `lathe evaluate` beside its reference implementation on the same predictions, and beside golden.json."""
import json
import pathlib
import tempfile

import jiwer
import numpy as np
import scipy.special
import scipy.stats
import skimage.metrics
import sklearn.metrics

import labelled
import lathe
import metrics
import tables

TOLERANCE = 1e-6
_SCALE = ["--scale", repr(1 / 255), "--mean", "0"]


class _Evaluation:
    """One run of `lathe evaluate`: its figures, and the predictions that it made them of."""

    def __init__(self, model, data, metric, *more):
        with tempfile.TemporaryDirectory() as folder:
            report = lathe.run("evaluate", str(model), "--data", str(data), "--metric", metric, "--predictions", folder, *more)
            self._arrays = {path.stem: np.load(path) for path in pathlib.Path(folder).glob("*.npy")}
        self.accuracy = report["accuracy"]

    def outputs(self, side="model"):
        """By name, in the model's order; float64 [samples, ...]."""
        names = sorted(name for name in self._arrays if name.startswith(side + "_") and name != f"{side}_answers")
        return {name.split("_", 2)[2]: self._arrays[name] for name in names}

    def only(self, side="model"):
        output, = self.outputs(side).values()
        return output.reshape(len(output), -1) if output.ndim != 3 else output

    def answers(self, side="model"):
        return self._arrays[f"{side}_answers"]

    def figures(self, side="input"):
        return {row["metric"]: row[side] for row in [self.accuracy, *self.accuracy["also"]]}


# --- references, each by the library that users would ask ----------------------------------------------------------------


def _classes(evaluation, data):
    scores, labels = evaluation.only(), data["label"]
    found = {"top1": sklearn.metrics.accuracy_score(labels, np.argmax(scores, axis=1))}
    if scores.shape[1] > 5:
        found["top5"] = sklearn.metrics.top_k_accuracy_score(labels, scores, k=5, labels=np.arange(scores.shape[1]))
    return found


def _auc(evaluation, data):
    scores, labels = evaluation.only(), data["label"]
    if scores.shape[1] == 2:
        return {"auc": sklearn.metrics.roc_auc_score(labels, scores[:, 1] - scores[:, 0])}
    return {"auc": np.mean([sklearn.metrics.roc_auc_score(labels == k, scores[:, k]) for k in range(scores.shape[1])])}


def _speech(evaluation, data):
    hypotheses = [metrics.decode_ctc(sample) for sample in evaluation.only()]
    references = [metrics.text_of(row[row >= 0]) for row in data["labels"]]
    return {"wer": jiwer.wer(references, hypotheses), "cer": jiwer.cer(references, hypotheses)}


def _detection(evaluation, data):
    """pycocotools on the boxes that Lathe decoded, in the order in which it has them."""
    boxes = [[] for _ in data["labels"]]
    for image, kind, *rest in evaluation.answers().tolist():
        boxes[int(image)].append((int(kind), *rest))
    exact = metrics.average_precisions(metrics.match_boxes(boxes, data["labels"]))
    return {"map": exact[0], "map_50_95": exact.mean()}


def _answers(evaluation, data):
    f1, em = metrics.question_answering(evaluation.outputs(), data)
    return {"f1": f1.value, "em": em.value}


_REFERENCES = {
    "fashion": [("top1", _classes, "scikit-learn"), ("auc", _auc, "scikit-learn")],
    "spam": [("top1", _classes, "scikit-learn"), ("auc", _auc, "scikit-learn")],
    "speech": [("wer", _speech, "jiwer")],
    "detection": [("map", _detection, "pycocotools")],
    "qa": [("f1", _answers, "SQuAD rules")],
}


def _golden(name):
    """What golden.json knows of a model, by metric, in Lathe's units."""
    golden = json.loads((lathe.shared_dir() / "data/golden.json").read_text()).get(name, {})
    known = {"wer": "wer", "cer": "cer", "map": "map50", "map_50_95": "map5095", "f1": "f1", "em": "em"}
    return {metric: golden[key] for metric, key in known.items() if key in golden}


def _print(checks, table, what, evaluation, expected, reference, golden=None, side="input"):
    figures = evaluation.figures(side)
    for metric, theirs in expected.items():
        mine, known = figures[metric], (golden or {}).get(metric)
        good = checks.at_most(f"{what} {metric}, difference to {reference}", abs(mine - theirs), TOLERANCE, digits=9)
        if known is not None:  # written with four decimals or more
            good &= checks.at_most(f"{what} {metric}, difference to golden.json", abs(mine - known), 1e-4, digits=9)
        table.row(what, metric, f"{mine:.9f}", f"{theirs:.9f}", reference, f"{abs(mine - theirs):.1e}",
                  "-" if known is None else f"{known:.7g}", "ok" if good else "FAILED")


def _labelled_models(checks, only):
    table = tables.Table("Metrics of the float models, by Lathe and by a reference on the same predictions", "model", "metric",
                         "Lathe", "reference", "by", "difference", "golden.json", "")
    with tempfile.TemporaryDirectory() as folder:
        options = pathlib.Path(folder) / "vocabulary.json"
        for model in labelled.MODELS:
            if only and model.name not in only:
                continue
            task, data = model.task, model.task.test_data()
            more = _SCALE if task.image else []
            if "vocabulary" in data:
                options.write_text(json.dumps({"answer_span": {"vocabulary": list(data["vocabulary"])}}))
                more = ["--metric-options", str(options)]
            path = lathe.shared_dir() / "data" / task.folder / f"{task.prefix}test.npz"
            for metric, reference, by in _REFERENCES[task.folder]:
                evaluation = _Evaluation(model.path(), path, metric, *more)
                _print(checks, table, model.name, evaluation, reference(evaluation, data), by, _golden(model.name))


# --- metrics that no shared data set has ----------------------------------------------------------------------------------


def _signals(checks, table, folder):
    """psnr and rmse of a model against its own outputs with noise: any values will do."""
    model, images = labelled.by_name("fm_mnv2"), labelled.FASHION.test()[:200]
    plain = pathlib.Path(folder) / "plain.npz"
    np.savez(plain, image=images, label=np.zeros(200, np.int64))
    outputs = _Evaluation(model.path(), plain, "top1").only()
    labels = outputs + np.random.default_rng(0).normal(0, 0.5, outputs.shape)
    data = pathlib.Path(folder) / "signals.npz"
    np.savez(data, image=images, label=labels)
    options = pathlib.Path(folder) / "peak.yaml"
    options.write_text("peak: 30\n")
    evaluation = _Evaluation(model.path(), data, "psnr", "--metric-options", str(options))
    psnr = np.mean([skimage.metrics.peak_signal_noise_ratio(*pair, data_range=30) for pair in zip(labels, evaluation.only())])
    _print(checks, table, "fm_mnv2 and noise", evaluation, {"psnr": psnr}, "scikit-image")
    rmse = {"rmse": sklearn.metrics.root_mean_squared_error(labels.ravel(), evaluation.only().ravel())}
    _print(checks, table, "fm_mnv2 and noise", evaluation, rmse, "scikit-learn")


def _fidelity(checks, table):
    path = lathe.shared_dir() / "data/fashion/test.npz"
    one, other = labelled.by_name("fm_mnv2"), labelled.by_name("fm_mnv1relu")
    evaluation = _Evaluation(one.path(), path, "agreement", "--against", str(other.path()), *_SCALE)
    y, q = evaluation.only(), evaluation.only("against")
    kl = scipy.special.rel_entr(y, np.maximum(q, 1e-12)).sum(axis=1).mean()  # the outputs are distributions already
    cosine = np.mean([sklearn.metrics.pairwise.cosine_similarity(a[None], b[None])[0, 0] for a, b in zip(y, q)])
    agreement = sklearn.metrics.accuracy_score(np.argmax(y, axis=1), np.argmax(q, axis=1))
    _print(checks, table, "fm_mnv2, fm_mnv1relu", evaluation, {"agreement": agreement, "cosine": cosine}, "scikit-learn", side="output")
    _print(checks, table, "fm_mnv2, fm_mnv1relu", evaluation, {"kl": kl}, "scipy", side="output")
    sqnr = 10 * np.log10((y ** 2).sum() / ((y - q) ** 2).sum())
    _print(checks, table, "fm_mnv2, fm_mnv1relu", evaluation, {"sqnr": sqnr}, "numpy", side="output")


def _intervals(checks):
    """The paired interval beside scipy's, which draws other resamples: both ends within a tenth of its width."""
    table = tables.Table("95 % intervals of the difference between two models, top1", "models", "difference", "Lathe", "scipy", "")
    path, labels = lathe.shared_dir() / "data/fashion/test.npz", labelled.FASHION.test_data()["label"]
    for first, second in (("fm_mnv2", "fm_mnv1relu"), ("fm_mnv1relu", "fm_mnv1relu_mild")):
        evaluation = _Evaluation(labelled.by_name(first).path(), path, "top1", "--against", str(labelled.by_name(second).path()), *_SCALE)
        right = [np.argmax(evaluation.only(side), axis=1) == labels for side in ("model", "against")]
        difference = lambda a, b, axis: np.mean(b, axis=axis) - np.mean(a, axis=axis)
        theirs = scipy.stats.bootstrap([r.astype(float) for r in right], difference, paired=True, method="percentile",
                                       n_resamples=5000, rng=np.random.default_rng(0)).confidence_interval
        mine = evaluation.accuracy
        width = max(theirs.high - theirs.low, 1e-3)
        off = max(abs(mine["difference_low"] - theirs.low), abs(mine["difference_high"] - theirs.high)) / width
        good = checks.at_most(f"{first}, {second}: interval off by, of its width", off, 0.1)
        table.row(f"{first}, {second}", f"{mine['difference']:+.4f}", f"{mine['difference_low']:+.4f} .. {mine['difference_high']:+.4f}",
                  f"{theirs.low:+.4f} .. {theirs.high:+.4f}", "ok" if good else "FAILED")


def run(checks, only):
    _labelled_models(checks, only)
    if only:
        return
    table = tables.Table("Metrics without a shared data set", "what", "metric", "Lathe", "reference", "by", "difference",
                         "golden.json", "")
    with tempfile.TemporaryDirectory() as folder:
        _signals(checks, table, folder)
    _fidelity(checks, table)
    _intervals(checks)
