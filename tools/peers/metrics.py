"""What a task's answers are worth, by the reference implementations (jiwer, pycocotools) and the rules of the data's README.

Every figure comes with resampled values: the same figure on the same resamples of the test samples for every file that is
compared, so that the spread of a difference of two files is that of paired samples.
"""
import contextlib
import dataclasses
import functools
import io
import string

import jiwer
import numpy as np
from pycocotools import coco, cocoeval

RESAMPLES = 400  # knows a standard error within 4 %


@dataclasses.dataclass
class Score:
    """One figure in percent. `resampled` has its value on each of RESAMPLES resamples."""
    name: str
    value: float
    resampled: np.ndarray
    higher_is_better: bool = True


def loss(reference, candidate):
    """(points that `candidate` is worse than `reference`, its paired standard error); negative when it is better."""
    sign = 1 if reference.higher_is_better else -1
    return sign * (reference.value - candidate.value), float(np.std(reference.resampled - candidate.resampled, ddof=1))


def mean_loss(pairs):
    """As loss, of the mean over [(reference, candidate)] on the same samples, and the worst of them: (mean, error, worst)."""
    losses = [loss(*pair)[0] for pair in pairs]
    resampled = np.mean([reference.resampled - candidate.resampled for reference, candidate in pairs], axis=0)
    return float(np.mean(losses)), float(np.std(resampled, ddof=1)), max(losses)


@functools.lru_cache(maxsize=None)
def _weights(count):
    """[RESAMPLES, count]: how often each sample is in each resample (bootstrap, seed 0)."""
    return np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), RESAMPLES).astype(np.float64)


def _ratio(name, numerators, denominators, higher_is_better=True):
    """100 * sum / sum, with samples as the units that are drawn."""
    weights = _weights(len(numerators))
    numerators, denominators = np.asarray(numerators, np.float64), np.asarray(denominators, np.float64)
    value = 100 * numerators.sum() / denominators.sum()
    return Score(name, value, 100 * (weights @ numerators) / (weights @ denominators), higher_is_better)


def _mean(name, values):
    return _ratio(name, values, np.ones(len(values)))


# --- classification ---------------------------------------------------------------------------------------------------


def top1(outputs, data):
    scores = next(iter(outputs.values()))
    return [_mean("top-1", np.argmax(scores.reshape(len(scores), -1), axis=1) == data["label"])]


# --- speech -----------------------------------------------------------------------------------------------------------

CTC_BLANK = 27
_LETTERS = " " + string.ascii_lowercase


def text_of(symbols):
    """Of CTC symbols without blanks, spaces collapsed."""
    return " ".join("".join(_LETTERS[s] for s in symbols).split())


def decode_ctc(logits):
    """The greedy hypothesis of one sample, [frames, symbols]."""
    best = np.argmax(logits, axis=-1)
    changed = np.concatenate([[True], best[1:] != best[:-1]])
    return text_of(best[changed & (best != CTC_BLANK)])


def speech(outputs, data):
    """Word and character error rate over the whole set."""
    hypotheses = [decode_ctc(sample) for sample in next(iter(outputs.values()))]
    references = [text_of(row[row >= 0]) for row in data["labels"]]

    def rate(name, process):
        found = [process([reference], [hypothesis]) for reference, hypothesis in zip(references, hypotheses)]
        edits = [f.substitutions + f.deletions + f.insertions for f in found]
        return _ratio(name, edits, [f.hits + f.substitutions + f.deletions for f in found], higher_is_better=False)

    return [rate("WER", jiwer.process_words), rate("CER", jiwer.process_characters)]


# --- question answering -----------------------------------------------------------------------------------------------

_SEPARATOR = 2
_SPAN_MAX = 7  # b <= a + 7
_ARTICLES = {"a", "an", "the"}


def decode_span(ids, start, end):
    """(first, last) position of the best answer between the two separators."""
    low, high = np.flatnonzero(ids == _SEPARATOR)[:2]
    best, span = -np.inf, (low + 1, low + 1)
    for a in range(low + 1, high):
        last = min(a + _SPAN_MAX, high - 1)
        totals = start[a].astype(np.float64) + end[a:last + 1]
        b = int(np.argmax(totals))
        if totals[b] > best:
            best, span = totals[b], (a, a + b)
    return span


def _answer(vocabulary, ids, span):
    text = " ".join(vocabulary[i] for i in ids[span[0]:span[1] + 1]).lower()
    text = "".join(letter for letter in text if letter not in string.punctuation)
    return [word for word in text.split() if word not in _ARTICLES]


def _f1(predicted, gold):
    if not predicted or not gold:
        return float(predicted == gold)
    rest, common = list(gold), 0
    for word in predicted:
        if word in rest:
            rest.remove(word)
            common += 1
    return 2 * common / (len(predicted) + len(gold))


def spans_of(outputs, data):
    return [decode_span(*row) for row in zip(data["ids"], outputs["start_logits"].reshape(len(data["ids"]), -1),
                                             outputs["end_logits"].reshape(len(data["ids"]), -1))]


def question_answering(outputs, data):
    """SQuAD's F1 and exact match. `data` has the `vocabulary` too."""
    pairs = [(_answer(data["vocabulary"], ids, span), _answer(data["vocabulary"], ids, gold))
             for ids, span, gold in zip(data["ids"], spans_of(outputs, data), data["labels"])]
    return [_mean("F1", [_f1(*pair) for pair in pairs]), _mean("EM", [predicted == gold for predicted, gold in pairs])]


# --- detection --------------------------------------------------------------------------------------------------------

_CELL_PIXELS, _ANCHOR_PIXELS, _IMAGE_PIXELS = 8, 24, 96
_SCORE_MIN, _OVERLAP_MAX, _DETECTIONS_MAX = 0.01, 0.45, 100


def _overlap(box, others):
    """Intersection over union of one box with many; x1, y1, x2, y2."""
    width = np.clip(np.minimum(box[2], others[:, 2]) - np.maximum(box[0], others[:, 0]), 0, None)
    height = np.clip(np.minimum(box[3], others[:, 3]) - np.maximum(box[1], others[:, 1]), 0, None)
    area = lambda b: (b[..., 2] - b[..., 0]) * (b[..., 3] - b[..., 1])
    shared = width * height
    return shared / np.maximum(area(box) + area(others) - shared, 1e-12)


def _suppress(boxes, scores):
    """Indices that greedy suppression keeps, best first; equal scores in order of the cell."""
    kept = []
    for index in np.argsort(-scores, kind="stable"):
        if not kept or _overlap(boxes[index], boxes[kept]).max() <= _OVERLAP_MAX:
            kept.append(int(index))
    return kept


def decode_grid(grid):
    """[(class, score, x1, y1, x2, y2)] of one image, best first."""
    rows, columns, _ = grid.shape
    cells = grid.reshape(rows * columns, -1).astype(np.float64)
    sigmoid = lambda x: 1 / (1 + np.exp(-x))
    center = np.stack([np.tile(np.arange(columns), rows), np.repeat(np.arange(rows), columns)], axis=1)
    center = (center + sigmoid(cells[:, 0:2])) * _CELL_PIXELS
    size = np.exp(np.minimum(cells[:, 2:4], 2)) * _ANCHOR_PIXELS
    boxes = np.clip(np.concatenate([center - size / 2, center + size / 2], axis=1), 0, _IMAGE_PIXELS)
    scores = sigmoid(cells[:, 4:5]) * sigmoid(cells[:, 5:])
    found = []
    for kind in range(scores.shape[1]):
        chosen = np.flatnonzero(scores[:, kind] >= _SCORE_MIN)
        for kept in chosen[_suppress(boxes[chosen], scores[chosen, kind])]:
            found.append((kind, scores[kept, kind], *boxes[kept]))
    return sorted(found, key=lambda row: -row[1])[:_DETECTIONS_MAX]


def match_boxes(detections, labels):
    """pycocotools' matches of every image and class, all areas in one."""
    annotations, results = [], []
    for image, boxes in enumerate(labels):
        for kind, x1, y1, x2, y2 in boxes[boxes[:, 0] >= 0].tolist():
            annotations.append({"id": len(annotations) + 1, "image_id": image, "category_id": int(kind), "iscrowd": 0,
                                "bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1)})
        for kind, score, x1, y1, x2, y2 in detections[image]:
            results.append({"image_id": image, "category_id": kind, "score": score, "bbox": [x1, y1, x2 - x1, y2 - y1]})
    with contextlib.redirect_stdout(io.StringIO()):  # it reports its progress
        truth = coco.COCO()
        truth.dataset = {"images": [{"id": i} for i in range(len(labels))], "annotations": annotations,
                         "categories": [{"id": k} for k in sorted({a["category_id"] for a in annotations})]}
        truth.createIndex()
        evaluation = cocoeval.COCOeval(truth, truth.loadRes(results), "bbox")
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluation.params.maxDets = [_DETECTIONS_MAX]
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation


def average_precisions(evaluation):
    """Mean over the classes for each threshold .50:.05:.95, by pycocotools."""
    return evaluation.eval["precision"][:, :, :, 0, 0].mean(axis=(1, 2))


class _ClassMatches:
    """The detections of one class over all images, best first, to be weighted by resamples of images."""

    def __init__(self, per_image):
        present = [(image, entry) for image, entry in enumerate(per_image) if entry is not None]
        scores = np.concatenate([entry["dtScores"] for _, entry in present])
        order = np.argsort(-scores, kind="mergesort")
        self._image = np.concatenate([np.full(len(entry["dtScores"]), image) for image, entry in present])[order]
        self._hit = (np.concatenate([entry["dtMatches"] for _, entry in present], axis=1) > 0)[:, order]
        self._truths = np.zeros(len(per_image))
        for image, entry in present:
            self._truths[image] = len(entry["gtIds"])

    def average_precision(self, weights, recall_thresholds):
        """[thresholds]: COCO's 101-point average, images counted `weights` times."""
        counted = weights[self._image]
        hits, all_found = np.cumsum(self._hit * counted, axis=1), np.cumsum(counted)
        recall = hits / max(self._truths @ weights, 1)
        precision = np.maximum.accumulate((hits / np.maximum(all_found, 1))[:, ::-1], axis=1)[:, ::-1]
        padded = np.concatenate([precision, np.zeros((len(precision), 1))], axis=1)
        return np.array([p[np.searchsorted(r, recall_thresholds, side="left")].mean() for p, r in zip(padded, recall)])


def detection(outputs, data):
    """COCO's mean average precision at IoU .50 and averaged over .50:.05:.95."""
    evaluation = match_boxes([decode_grid(grid) for grid in next(iter(outputs.values()))], data["labels"])
    exact = average_precisions(evaluation)
    images = len(data["labels"])
    classes = [_ClassMatches(evaluation.evalImgs[k * images:(k + 1) * images]) for k in range(len(evaluation.params.catIds))]
    points = evaluation.params.recThrs
    mean_over_classes = lambda weights: np.mean([c.average_precision(weights, points) for c in classes], axis=0)
    if not np.allclose(mean_over_classes(np.ones(images)), exact, atol=1e-9):
        raise AssertionError("the resampled average precision does not agree with pycocotools")
    resampled = 100 * np.array([mean_over_classes(weights) for weights in _weights(images)])
    return [Score("mAP@.5", 100 * exact[0], resampled[:, 0]), Score("mAP@.5:.95", 100 * exact.mean(), resampled.mean(axis=1))]
