"""litert-quantizer, the peer: quantizes repaired copies of models, and measures what that costs.

It reads only `builtin_code` and needs a signature, so older files come back unquantized or fail; a repaired copy has both
and computes the same, which makes the comparison one of quantization and not of parsing.
"""
import contextlib
import hashlib
import importlib.metadata
import io
import json
import pathlib

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from litert_quantizer import quantizer, recipe

SIGNATURE = "serving_default"
_RECIPES = {
    "weight-only-int8": recipe.weight_only_wi8_afp32,
    "dynamic-range": recipe.dynamic_wi8_afp32,
    "int8": recipe.static_wi8_ai8,
}


def version():
    return importlib.metadata.version("litert-quantizer")


def repair(content):
    """The same model with `builtin_code` filled in and, if it had none, a signature named serving_default."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    for code in model.operatorCodes:
        code.builtinCode = max(code.builtinCode, code.deprecatedBuiltinCode)
    if not model.signatureDefs:
        model.signatureDefs = [_signature_of(model.subgraphs[0])]
    builder = flatbuffers.Builder(len(content) + (1 << 16))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _signature_of(graph):
    def maps(prefix, tensors):
        result = []
        for position, index in enumerate(tensors):
            entry = schema.TensorMapT()
            entry.name, entry.tensorIndex = f"{prefix}_{position}", index
            result.append(entry)
        return result

    signature = schema.SignatureDefT()
    signature.inputs = maps("input", graph.inputs)
    signature.outputs = maps("output", graph.outputs)
    signature.signatureKey = SIGNATURE
    signature.subgraphIndex = 0
    return signature


def quantize(content, preset, calibration=None, threads=2):
    """The bytes that litert-quantizer makes of a repaired model. `calibration`: samples of the only input, for int8."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    signature = model.signatureDefs[0]
    shape = model.subgraphs[0].tensors[signature.inputs[0].tensorIndex].shape
    name = signature.inputs[0].name.decode()
    key = signature.signatureKey.decode()
    noise = io.StringIO()  # its own report and progress bars
    with contextlib.redirect_stdout(noise), contextlib.redirect_stderr(noise):
        tool = quantizer.Quantizer(bytearray(content), _RECIPES[preset]())
        statistics = None
        if tool.need_calibration:
            rows = [{name: sample.reshape(shape)} for sample in calibration]  # a generator would calibrate nothing
            statistics = tool.calibrate({key: rows}, num_threads=threads)
        return bytes(tool.quantize(statistics, enable_progress_report=False).quantized_model)


class Cache:
    """Measured figures on disk, by what they depend on: the peer takes minutes and does not change between runs."""

    def __init__(self, folder):
        self._folder = pathlib.Path(folder)
        self._folder.mkdir(parents=True, exist_ok=True)

    def get(self, key_parts, measure):
        digest = hashlib.sha256("\0".join(key_parts).encode()).hexdigest()[:24]
        path = self._folder / f"{digest}.json"
        if path.exists():
            return json.loads(path.read_text())
        figures = measure()
        path.write_text(json.dumps(figures))
        return figures


def digest(*arrays_or_bytes):
    """One sha256 of models and samples, for a Cache key."""
    sha = hashlib.sha256()
    for part in arrays_or_bytes:
        sha.update(part if isinstance(part, bytes) else np.ascontiguousarray(part).tobytes())
    return sha.hexdigest()
