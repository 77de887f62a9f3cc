"""What the sections of tools/check-peers share: files of Lathe and of litert-quantizer, and what they are worth."""
import dataclasses
import hashlib
import json
import pathlib

import numpy as np

import labelled
import lathe
import metrics
import quantizer
import stock
import tables

OUT = lathe.ROOT / "build" / "check-peers"


@dataclasses.dataclass
class Evaluation:
    """A file on the test samples of a labelled model."""
    scores: list  # of metrics.Score
    db: list  # SQNR of each output against float
    centered_db: list  # with the mean of the float output taken from both

    def deciding(self, task):
        return self.scores[:task.deciding]


class Workbench:
    def __init__(self, threads=2):
        OUT.mkdir(parents=True, exist_ok=True)
        self.checks = tables.Checks()
        self.peers = quantizer.Files(OUT / "peer")
        self.threads = threads
        self._evaluations = OUT / "evaluations"
        self._evaluations.mkdir(exist_ok=True)
        self._optimized = {}
        self._float_outputs = {}
        self._exact = None, None  # digest and outputs of the file that errors() compared with last
        # Figures of a file do not change, but with the code that measures them.
        sources = [pathlib.Path(module.__file__).read_bytes() for module in (metrics, stock, labelled)]
        self._measure_digest = quantizer.digest(*sources)

    def optimize(self, name, model, *arguments, benchmark=False):
        """(bytes, report) of `lathe optimize`. LatheError when it fails."""
        key = model, arguments, benchmark
        if key not in self._optimized:  # the sections share many files
            output = OUT / f"{name}.tflite"
            chosen = [*arguments, "--threads", str(self.threads), *([] if benchmark else ["--no-benchmark"])]
            report = lathe.optimize(model, output, *chosen)
            self._optimized[key] = output.read_bytes(), report
        return self._optimized[key]

    def recipe(self, name, **fields):
        """The arguments that give `lathe optimize` this recipe."""
        path = OUT / f"{name}.recipe.json"
        path.write_text(json.dumps(fields))
        return ["--recipe", str(path)]

    def float_outputs(self, model, content=None):
        """By name, of a labelled model or of a rescaled copy of it."""
        content = content or model.path().read_bytes()
        key = hashlib.sha256(content).digest()
        if key not in self._float_outputs:
            self._float_outputs[key] = labelled.outputs_by_name(content, content, model.task.test())
        return self._float_outputs[key]

    def evaluate(self, model, candidate, reference=None):
        """Evaluation of the bytes `candidate` against the float file (`reference`, by default the model's own); cached."""
        reference = reference or model.path().read_bytes()
        key = quantizer.digest(self._measure_digest.encode(), candidate, reference, model.task.test())[:24]
        path = self._evaluations / f"{key}.json"
        if path.exists():
            kept = json.loads(path.read_text())
            scores = [metrics.Score(**{**fields, "resampled": np.array(fields["resampled"])}) for fields in kept["scores"]]
            return Evaluation(scores, kept["db"], kept["centered_db"])
        exact = self.float_outputs(model, reference)
        outputs = exact if candidate == reference else labelled.outputs_by_name(candidate, reference, model.task.test())
        found = Evaluation(model.task.score(outputs, model.task.test_data()),
                           [stock.sqnr_db(exact[name], outputs[name]) for name in exact],
                           [stock.centered_sqnr_db(exact[name], outputs[name]) for name in exact])
        as_lists = [{**vars(score), "value": float(score.value), "resampled": score.resampled.tolist()} for score in found.scores]
        path.write_text(json.dumps({"scores": as_lists, "db": found.db, "centered_db": found.centered_db}))
        return found

    def errors(self, candidate, reference, samples):
        """How far the outputs of `candidate` are from those of `reference`, in dB, one value an output; cached."""
        key = quantizer.digest(self._measure_digest.encode(), b"errors", candidate, reference, samples)[:24]
        path = self._evaluations / f"{key}.json"
        if not path.exists():
            kept = quantizer.digest(reference, samples)
            if self._exact[0] != kept:
                self._exact = kept, stock.outputs_of(reference, samples)
            pairs = list(zip(self._exact[1], stock.outputs_of(candidate, samples)))
            path.write_text(json.dumps({
                "sqnr_db": [stock.sqnr_db(y, q.reshape(y.shape)) for y, q in pairs],
                "psnr_db": [float(np.mean([stock.psnr_db(a, b) for a, b in zip(y, q.reshape(y.shape))])) for y, q in pairs]}))
        return json.loads(path.read_text())

    def peer_file(self, model, settings, content=None):
        """litert-quantizer's bytes of a labelled model (or of `content` in its place); PeerError when it failed."""
        return self.peers.get(content or model.path().read_bytes(), settings, model.task.calibration())
