"""Runs models on the stock LiteRT Python interpreter with its default kernels, and measures how far two models differ."""
import concurrent.futures
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

    def output_names(self):
        """By the only signature, in the order of `outputs`; "output_0", ... without one."""
        names = [f"output_{position}" for position in range(len(self.outputs))]
        for signature in self._interpreter.get_signature_list():
            by_tensor = {detail["index"]: name for name, detail in
                         self._interpreter.get_signature_runner(signature).get_output_details().items()}
            names = [by_tensor[detail["index"]] for detail in self.outputs]
        return names

    def run(self, values):
        """The outputs, as a list of arrays of the file's own types, for one array an input."""
        self._interpreter.reset_all_variables()
        for detail, value in zip(self.inputs, values):
            self._interpreter.set_tensor(detail["index"], value)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(detail["index"]) for detail in self.outputs]

    def invoke(self):
        """Once more with the inputs of the last run."""
        self._interpreter.invoke()

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
    if value.dtype.kind not in "iu" or scale == 0:
        return value
    return (value.astype(np.float32) - zero_point) * np.float32(scale)


def outputs_of(content, samples, threads=2):
    """Outputs in float32 for every sample of a model with one input: a list, one [count, ...] array an output. `threads`
    one-thread interpreters share the samples."""
    def run(share):
        model = Model(content, threads=1)
        batch = tuple(model.inputs[0]["shape"])
        return [model.run_float([sample.reshape(batch)]) for sample in share]

    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        shares = list(pool.map(run, [s for s in np.array_split(samples, threads) if len(s)]))
    return [np.stack(column) for column in zip(*[row for share in shares for row in share])]


def sqnr_db(reference, candidate):
    """10*log10(sum y^2 / sum (y - q)^2) over everything, in double; None for a zero signal."""
    y, q = reference.astype(np.float64), candidate.astype(np.float64)
    signal, noise = float(np.sum(y * y)), float(np.sum((y - q) ** 2))
    if signal == 0:
        return None
    if not math.isfinite(noise):
        return -SQNR_MAX_DB
    return SQNR_MAX_DB if noise == 0 else min(SQNR_MAX_DB, 10 * math.log10(signal / noise))


def centered_sqnr_db(reference, candidate):
    """As sqnr_db, with the mean of the reference over everything taken from both: what a large constant would hide."""
    mean = reference.astype(np.float64).mean()
    return sqnr_db(reference.astype(np.float64) - mean, candidate.astype(np.float64) - mean)


def psnr_db(reference, candidate, peak=255.0):
    """10*log10(peak^2 / mean squared error) over everything, in double."""
    error = float(np.mean((reference.astype(np.float64) - candidate.astype(np.float64)) ** 2))
    return SQNR_MAX_DB if error == 0 else min(SQNR_MAX_DB, 10 * math.log10(peak * peak / error))


def least_sqnr_db(reference, candidate):
    """The smallest over all outputs."""
    if [r.size for r in reference] != [c.size for c in candidate]:
        raise ValueError(f"the outputs differ in size: {[r.shape for r in reference]} against {[c.shape for c in candidate]}")
    measured = [sqnr_db(r.reshape(c.shape), c) for r, c in zip(reference, candidate)]
    return min(value for value in measured if value is not None)


def top1(scores, labels):
    """Percent of samples whose largest score is at the label."""
    return 100.0 * float(np.mean(np.argmax(scores.reshape(len(scores), -1), axis=1) == labels))
