"""The trained models with labelled data (data/ of LATHE_SHARED_DIR) and what the float files must score by its README."""
import dataclasses
import functools
import json

import numpy as np

import lathe
import metrics
import stock

_IMAGE_SCALE = np.float32(1 / 255)


@dataclasses.dataclass(frozen=True)
class Task:
    """One data set: what its models share."""
    folder: str
    array: str  # the name of the model's input in the data
    score: object  # (outputs by name, data) -> [metrics.Score], the deciding ones first
    deciding: int  # how many of these
    prefix: str = ""  # of calib.npz and test.npz
    image: bool = False  # uint8, to be divided by 255
    outputs: tuple = ()  # by name, in the file's order; () for a single one

    def calibration_file(self):
        return lathe.shared_dir() / "data" / self.folder / f"{self.prefix}calib.npz"

    def lathe_arguments(self):
        """What tells `lathe optimize` about the calibration data."""
        arguments = ["--calibration", str(self.calibration_file())]
        return arguments + ["--scale", repr(1 / 255), "--mean", "0"] if self.image else arguments

    @functools.cache
    def _load(self, name):
        with np.load(lathe.shared_dir() / "data" / self.folder / name) as arrays:
            return {key: arrays[key] for key in arrays}

    def _samples(self, name):
        samples = self._load(name)[self.array]
        return samples.astype(np.float32) * _IMAGE_SCALE if self.image else samples

    def calibration(self):
        return self._samples(f"{self.prefix}calib.npz")

    def test(self):
        return self._samples(f"{self.prefix}test.npz")

    def test_data(self):
        """Labels and whatever else scoring needs."""
        data = dict(self._load(f"{self.prefix}test.npz"))
        if self.folder == "qa":
            data["vocabulary"] = (lathe.shared_dir() / "data/qa/qa_vocab.txt").read_text().splitlines()
        return data


FASHION = Task("fashion", "image", metrics.top1, 1, image=True)
SPAM = Task("spam", "tokens", metrics.top1, 1)
SPEECH = Task("speech", "features", metrics.speech, 1, prefix="sp_")
DETECTION = Task("detection", "image", metrics.detection, 1, prefix="det_", image=True)
QA = Task("qa", "ids", metrics.question_answering, 2, prefix="qa_")


@dataclasses.dataclass(frozen=True)
class Model:
    name: str
    task: Task
    float_scores: dict  # by metric, percent as printed in the README

    def path(self):
        return lathe.shared_dir() / "data" / self.task.folder / f"{self.name}.tflite"


_QA_SCORES = {"F1": 90.03, "EM": 88.80}
MODELS = (
    Model("fm_mnv1relu", FASHION, {"top-1": 89.95}),
    Model("fm_mnv1relu_mild", FASHION, {"top-1": 89.95}),
    Model("fm_mnv2", FASHION, {"top-1": 90.00}),
    Model("fm_mnv2_nosig", FASHION, {"top-1": 90.00}),
    Model("spam_tx", SPAM, {"top-1": 97.50}),
    Model("sp_w2l", SPEECH, {"WER": 13.70, "CER": 4.45}),
    Model("sp_lstm", SPEECH, {"WER": 35.79}),
    Model("sp_lstm_unrolled", SPEECH, {"WER": 35.74}),
    Model("det_yolo", DETECTION, {"mAP@.5": 90.8, "mAP@.5:.95": 55.7}),
    Model("qa_tx", QA, _QA_SCORES),
    Model("qa_tx_hard", QA, _QA_SCORES),
)


def by_name(name):
    return next(model for model in MODELS if model.name == name)


def contradictions(model, scores):
    """What differs from the README's figures for the float file, rounded as they are."""
    values = {score.name: score.value for score in scores}
    digits = lambda number: len(f"{number}".split(".")[1])
    return [f"{model.name}: float {name} is {values[name]:.3f}, its README says {expected}"
            for name, expected in model.float_scores.items() if round(values[name], digits(expected)) != expected]


def golden_contradictions(outputs_of):
    """What differs from golden.json, which has more of three models than one figure. `outputs_of(model)`: by name, of float."""
    golden = json.loads((lathe.shared_dir() / "data/golden.json").read_text())
    found = []

    def expect(what, value, expected, tolerance=0.0):
        if not np.allclose(value, expected, rtol=0, atol=tolerance):
            found.append(f"{what} is {value}, golden.json says {expected}")

    def words(sentences):
        return [" ".join(sentence.split()) for sentence in sentences]

    speech = by_name("sp_w2l")
    logits = outputs_of(speech)["logits"]
    hypotheses = [metrics.decode_ctc(sample) for sample in logits[:len(golden["sp_w2l"]["hyps"])]]
    if hypotheses != words(golden["sp_w2l"]["hyps"]):
        found.append(f"sp_w2l: the first hypotheses are {hypotheses}")
    scores = metrics.speech({"logits": logits}, speech.task.test_data())
    expect("sp_w2l WER", scores[0].value, 100 * golden["sp_w2l"]["wer"], 1e-6)
    expect("sp_w2l CER", scores[1].value, 100 * golden["sp_w2l"]["cer"], 1e-6)

    detection = by_name("det_yolo")
    boxes = [metrics.decode_grid(grid) for grid in outputs_of(detection)["grid"]]
    expect("det_yolo detections", sum(map(len, boxes)), golden["det_yolo"]["detections"])
    for mine, theirs in zip(boxes, golden["det_yolo"]["first3"]):
        expect("det_yolo boxes", np.array(mine[:len(theirs)]), np.array(theirs), 2e-4)
    precisions = metrics.average_precisions(metrics.match_boxes(boxes, detection.task.test_data()["labels"]))
    expect("det_yolo AP", precisions, list(golden["det_yolo"]["per_threshold"].values()), 1e-5)

    answers = by_name("qa_tx")
    data = answers.task.test_data()
    spans = metrics.spans_of(outputs_of(answers), data)[:len(golden["qa_tx"]["spans"])]
    expect("qa_tx spans", spans, golden["qa_tx"]["spans"])
    scores = metrics.question_answering(outputs_of(answers), data)
    expect("qa_tx F1", scores[0].value, golden["qa_tx"]["f1"], 1e-4)
    expect("qa_tx EM", scores[1].value, golden["qa_tx"]["em"], 1e-4)
    return found


def outputs_by_name(content, reference_content, samples):
    """[count, ...] float32 by the reference's names: an optimized file without a signature keeps the order of its input."""
    mine, reference = stock.Model(content, 1).output_names(), stock.Model(reference_content, 1).output_names()
    names = mine if set(mine) == set(reference) else reference
    outputs = [output.reshape(len(samples), *output.shape[2:]) for output in stock.outputs_of(content, samples)]
    return dict(zip(names, outputs))
