"""litert-quantizer, the peer: quantizes repaired copies of models, and measures what that costs.

It reads only `builtin_code` and needs a signature, so older files come back unquantized or fail; a repaired copy has both
and computes the same, which makes the comparison one of quantization and not of parsing.
"""
import contextlib
import dataclasses
import hashlib
import importlib.metadata
import io
import json
import pathlib

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from litert_quantizer import calibrator, qtyping, quantizer, recipe_manager
from litert_quantizer.utils import qsv_utils

SIGNATURE = "serving_default"
_NAMES = quantizer.AlgorithmName
# What its weights' ranges can come from where it has a choice for every operator.
WEIGHTS = {"min-max": _NAMES.MIN_MAX_UNIFORM_QUANT, "octav": _NAMES.OCTAV, "mse": _NAMES.MSE}
# How it joins the ranges of the samples; the first is its default.
RANGES = ("moving-average", "min-max")
SCHEMES = ("float16", "weight-only-int8", "dynamic-range", "int8", "int16x8", "weight-only-int4", "dynamic-range-int4")


@dataclasses.dataclass(frozen=True)
class Settings:
    """How to quantize; the defaults are its own, but for `float_io`, which makes files comparable with Lathe's."""
    scheme: str  # one of SCHEMES
    weights: str = "min-max"  # of WEIGHTS
    ranges: str = "moving-average"  # of RANGES; schemes with calibration only
    float_io: bool = True  # inputs and outputs keep float32; schemes with calibration only


def _recipe(settings):
    manager = recipe_manager.RecipeManager()
    every = {"regex": ".*", "operation_name": qtyping.TFLOperationName.ALL_SUPPORTED,
             "algorithm_key": WEIGHTS[settings.weights]}
    match settings.scheme:
        case "float16":
            half = qtyping.TensorQuantizationConfig(num_bits=16, dtype=qtyping.TensorDataType.FLOAT)
            config = qtyping.OpQuantizationConfig(weight_tensor_config=half, explicit_dequantize=True,
                                                  compute_precision=qtyping.ComputePrecision.FLOAT)
            manager.add_quantization_config(**{**every, "algorithm_key": _NAMES.FLOAT_CASTING}, op_config=config)
        case "weight-only-int8" | "weight-only-int4":
            manager.add_weight_only_config(**every, num_bits=int(settings.scheme[-1]))
        case "dynamic-range" | "dynamic-range-int4":
            manager.add_dynamic_config(**every, num_bits=4 if settings.scheme.endswith("int4") else 8)
        case "int8" | "int16x8":
            bits = 8 if settings.scheme == "int8" else 16
            manager.add_static_config(**every, activation_num_bits=bits, weight_num_bits=8)
            if settings.float_io:
                for edge in (qtyping.TFLOperationName.INPUT, qtyping.TFLOperationName.OUTPUT):
                    manager.add_quantization_config(".*", edge, algorithm_key=_NAMES.NO_QUANTIZE)
    return manager.get_quantization_recipe()


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


def _calibrate(tool, content, settings, rows, threads):
    if settings.ranges == "moving-average":
        return tool.calibrate(rows, num_threads=threads)
    observer = calibrator.Calibrator(content, num_threads=threads, qsv_update_func=qsv_utils.min_max_update)
    manager = recipe_manager.RecipeManager()
    manager.load_quantization_recipe(tool.get_quantization_recipe())
    observer.calibrate(rows, manager)
    return observer.get_model_qsvs()


def quantize(content, settings, calibration=None, threads=2):
    """The bytes that litert-quantizer makes of a repaired model. `calibration`: samples of the only input, where the scheme
    needs them."""
    content = bytearray(content)
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    signature = model.signatureDefs[0]
    shape = model.subgraphs[0].tensors[signature.inputs[0].tensorIndex].shape
    name = signature.inputs[0].name.decode()
    key = signature.signatureKey.decode()
    noise = io.StringIO()  # its own report and progress bars
    with contextlib.redirect_stdout(noise), contextlib.redirect_stderr(noise):
        tool = quantizer.Quantizer(content, _recipe(settings))
        statistics = None
        if tool.need_calibration:
            rows = [{name: sample.reshape(shape)} for sample in calibration]  # a generator would calibrate nothing
            statistics = _calibrate(tool, content, settings, {key: rows}, threads)
        return bytes(tool.quantize(statistics, enable_progress_report=False).quantized_model)


class PeerError(Exception):
    """What litert-quantizer threw: a result of the peer, not of the check."""


class Files:
    """The files that litert-quantizer makes, on disk by what they depend on: it takes minutes and does not change."""

    def __init__(self, folder):
        self._folder = pathlib.Path(folder)
        self._folder.mkdir(parents=True, exist_ok=True)

    def get(self, content, settings, calibration=None):
        """Its bytes of a repaired copy of `content`. PeerError with its words when it failed."""
        samples = calibration if settings.scheme in ("int8", "int16x8") else np.zeros(0)
        key = hashlib.sha256(f"{version()} {settings} {digest(content, samples)}".encode()).hexdigest()[:24]
        made, failed = self._folder / f"{key}.tflite", self._folder / f"{key}.error"
        if not made.exists() and not failed.exists():
            try:
                made.write_bytes(quantize(repair(content), settings, calibration))
            except Exception as error:  # whatever it throws
                failed.write_text(f"{type(error).__name__}: {error}"[:200])
        if failed.exists():
            raise PeerError(failed.read_text())
        return made.read_bytes()


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
