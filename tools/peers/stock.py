"""Runs models on the stock LiteRT Python interpreter with its default kernels, and measures how far two models differ."""
import math

import numpy as np
from ai_edge_litert import interpreter as litert

# Of outputs that are equal to the bit; more decibels would say nothing.
SQNR_MAX_DB = 200.0


class Model:
    """One interpreter of one model. Variable tensors are reset before every sample, so samples do not influence each other."""

    def __init__(self, content, threads=2):
        self._interpreter = litert.Interpreter(model_content=bytes(content), num_threads=threads)
        self._interpreter.allocate_tensors()
        self.inputs = self._interpreter.get_input_details()
        self.outputs = self._interpreter.get_output_details()

    def run(self, values):
        """The outputs, as a list of arrays of the file's own types, for one array an input."""
        self._interpreter.reset_all_variables()
        for detail, value in zip(self.inputs, values):
            self._interpreter.set_tensor(detail["index"], value)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(detail["index"]) for detail in self.outputs]

    def run_float(self, values):
        """Like run, with float32 on both sides: integer inputs are quantized, integer outputs dequantized, by the file's own scales."""
        encoded = [_quantize(detail, value) for detail, value in zip(self.inputs, values)]
        return [_dequantize(detail, value) for detail, value in zip(self.outputs, self.run(encoded))]


def _quantize(detail, value):
    scale, zero_point = detail["quantization"]
    if detail["dtype"] == value.dtype or scale == 0:
        return value.astype(detail["dtype"], copy=False)
    limits = np.iinfo(detail["dtype"])
    return np.clip(np.round(value / scale) + zero_point, limits.min, limits.max).astype(detail["dtype"])


def _dequantize(detail, value):
    scale, zero_point = detail["quantization"]
    if value.dtype.kind != "i" or scale == 0:
        return value
    return (value.astype(np.float32) - zero_point) * np.float32(scale)


def outputs_of(content, samples, threads=2):
    """Outputs in float32 for every sample of a model with one input: a list, one [count, ...] array an output."""
    model = Model(content, threads)
    batch = tuple(model.inputs[0]["shape"])
    rows = [model.run_float([sample.reshape(batch)]) for sample in samples]
    return [np.stack(column) for column in zip(*rows)]


def sqnr_db(reference, candidate):
    """10*log10(sum y^2 / sum (y - q)^2) over everything, in double; None for a zero signal."""
    y, q = reference.astype(np.float64), candidate.astype(np.float64)
    signal, noise = float(np.sum(y * y)), float(np.sum((y - q) ** 2))
    if signal == 0:
        return None
    if not math.isfinite(noise):
        return -SQNR_MAX_DB
    return SQNR_MAX_DB if noise == 0 else min(SQNR_MAX_DB, 10 * math.log10(signal / noise))


def least_sqnr_db(reference, candidate):
    """The smallest over all outputs."""
    if [r.size for r in reference] != [c.size for c in candidate]:
        raise ValueError(f"the outputs differ in size: {[r.shape for r in reference]} against {[c.shape for c in candidate]}")
    measured = [sqnr_db(r.reshape(c.shape), c) for r, c in zip(reference, candidate)]
    return min(value for value in measured if value is not None)


def top1(scores, labels):
    """Percent of samples whose largest score is at the label."""
    return 100.0 * float(np.mean(np.argmax(scores.reshape(len(scores), -1), axis=1) == labels))
