"""Causes of error: `lathe compare` on files that other programs made, on outlier weights that are put in on purpose, on every scheme."""
import tempfile
import pathlib

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

import lathe
import tables

# Files that were quantized elsewhere, and the float files that they were made from. The range of the inputs is the one that the
# quantized file's own input holds.
REFERENCES = {
    "mlperf_tiny_resnet8_cifar10": ("mlperf_tiny_resnet8_cifar10_int8_reference", (0, 255)),
    "mlperf_tiny_kws": ("mlperf_tiny_kws_int8_reference", (-120, 90)),
    "mlperf_tiny_vww": ("mlperf_tiny_vww_int8_reference", (0, 1)),
    "mlperf_tiny_ad": ("mlperf_tiny_ad_int8_reference", (-60, 20)),
    "edsr_f32b5_fp32": ("edsr_f32b5_full_qint8", (0, 255)),
}
# A weight becomes so many times the largest of its channel.
OUTLIER_FACTOR = 64
OUTLIER_MODELS = ("mlperf_tiny_resnet8_cifar10", "mlperf_tiny_kws", "mlperf_tiny_vww", "mlperf_tiny_ad", "face_landmark")
OUTLIER_PRESETS = ("dynamic-range", "weight-only-int8", "int8")
PRESETS = ("float16", "dynamic-range", "weight-only-int8", "weight-only-int4", "int8", "int16x8")
SCHEME_MODEL = "mlperf_tiny_resnet8_cifar10"
CAUSES = {"weight rounding", "weight range", "activation clipping", "activation rounding", "bias"}

_WEIGHTS = {schema.BuiltinOperator.CONV_2D: 0, schema.BuiltinOperator.DEPTHWISE_CONV_2D: 3, schema.BuiltinOperator.FULLY_CONNECTED: 0}


def _model(name):
    return lathe.shared_dir() / "models" / f"{name}.tflite"


class Outlier:
    """A copy of a float model in which one weight is `factor` times the largest of its channel.

    It is put into the convolution or dense layer in the middle of those that have at least 64 weights a channel, into the channel
    that has the largest weight, at the smallest weight but zero: one that matters little as it is."""

    def __init__(self, content, factor):
        model = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
        graph = model.subgraphs[0]
        layers = []
        for op in graph.operators:
            code = model.operatorCodes[op.opcodeIndex]
            kind = max(code.builtinCode, code.deprecatedBuiltinCode)
            if kind not in _WEIGHTS:
                continue
            weights = graph.tensors[op.inputs[1]]
            data = model.buffers[weights.buffer].data
            if data is None or weights.type != schema.TensorType.FLOAT32:
                continue
            values = np.moveaxis(np.frombuffer(bytes(data), np.float32).reshape(weights.shape), _WEIGHTS[kind], 0)
            if values[0].size >= 64:
                layers.append((op, weights, _WEIGHTS[kind]))
        op, weights, axis = layers[len(layers) // 2]
        values = np.frombuffer(bytes(model.buffers[weights.buffer].data), np.float32).reshape(weights.shape).copy()
        channels = np.moveaxis(values, axis, 0)  # a view
        flat = np.abs(channels.reshape(len(channels), -1))
        channel = int(np.argmax(flat.max(axis=1)))
        spot = np.unravel_index(int(np.argmin(np.where(flat[channel] > 0, flat[channel], np.inf))), channels[channel].shape)
        self.size = float(factor * flat[channel].max())
        channels[(channel, *spot)] = self.size
        self.layer = graph.tensors[op.outputs[0]].name.decode()
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        model.buffers.append(buffer)  # of its own: others may share the old one
        weights.buffer = len(model.buffers) - 1
        builder = flatbuffers.Builder(len(content) + (1 << 16))
        builder.Finish(model.Pack(builder), b"TFL3")
        self.content = bytes(builder.Output())


def _compare(a, b, data_range=None):
    arguments = ["compare", str(a), str(b)]
    if data_range:
        arguments.append(f"--input-range={data_range[0]},{data_range[1]}")
    return lathe.run(*arguments)


def _chosen(names, only):
    return [name for name in names if not only or any(part in name for part in only)]


def _references(checks, only):
    table = tables.Table("Files that were not made by Lathe: the three largest causes", "file", "output", "operators", "unmatched",
                         "cause", "operator", "SQNR alone", "share", "try next")
    for name in _chosen(REFERENCES, only):
        other, data_range = REFERENCES[name]
        answer = _compare(_model(name), _model(other), data_range)
        for row, cause in enumerate(answer["ranking"][:3]):
            head = (other, f"{answer['outputs'][0]['sqnr_db']:.1f} dB", len(answer["operators"]), len(answer["unmatched"]))
            table.row(*(head if row == 0 else ("", "", "", "")), cause["cause"], f"{cause['index']} {cause['kind']}",
                      f"{cause['sqnr_db']:.1f} dB", f"{100 * cause['share']:.1f} %", cause["advice"])
        checks.at_least(f"{other}, causes", len(answer["ranking"]), 3, digits=0)
        checks.at_most(f"{other}, operators without a counterpart", len(answer["unmatched"]), 0, digits=0)
        for cause in answer["ranking"]:
            if cause["cause"] not in CAUSES or not cause["advice"]:
                checks.fail(f"{other}: {cause}")


def _same_layer(layer, cause):
    """Names of merged operators hold those of all parts, in any order."""
    return layer == cause["name"] or layer.split(";")[0] in cause["name"] or cause["name"] in layer


def _outliers(checks, only, folder):
    table = tables.Table(f"One weight made {OUTLIER_FACTOR} times the largest of its channel, then quantized: the largest cause",
                         "model", "preset", "layer", "the weight", "found at", "cause", "SQNR alone", "next cause")
    for name in _chosen(OUTLIER_MODELS, only):
        outlier = Outlier(_model(name).read_bytes(), OUTLIER_FACTOR)
        given = folder / f"{name}.outlier.tflite"
        given.write_bytes(outlier.content)
        for preset in OUTLIER_PRESETS:
            made = folder / f"{name}.{preset}.tflite"
            label = f"{name} {preset}"
            data_range = REFERENCES.get(name, (None, (0, 1)))[1]
            lathe.optimize(given, made, "--preset", preset, "--no-benchmark", f"--input-range={data_range[0]},{data_range[1]}")
            ranking = _compare(given, made, data_range)["ranking"]
            first, second = ranking[0], ranking[1]
            table.row(name, preset, outlier.layer[-40:], f"{outlier.size:.1f}", first["name"][-40:], first["cause"],
                      f"{first['sqnr_db']:.1f} dB", f"{second['cause']}, {second['sqnr_db']:.1f} dB")
            if not _same_layer(outlier.layer, first) or first["cause"] != "weight range":
                checks.fail(f"{label}: the largest cause is {first['cause']} at {first['name']}, not weight range at {outlier.layer}")
            checks.count += 1


def _schemes(checks, only, folder):
    if not _chosen([SCHEME_MODEL], only):
        return
    table = tables.Table(f"{SCHEME_MODEL}: the largest cause by scheme", "preset", "output", "cause", "operator", "SQNR alone", "try next")
    for preset in PRESETS:
        made = folder / f"scheme.{preset}.tflite"
        data_range = REFERENCES[SCHEME_MODEL][1]
        lathe.optimize(_model(SCHEME_MODEL), made, "--preset", preset, "--no-benchmark",
                       f"--input-range={data_range[0]},{data_range[1]}")
        answer = _compare(_model(SCHEME_MODEL), made, data_range)
        first = answer["ranking"][0]
        table.row(preset, f"{answer['outputs'][0]['sqnr_db']:.1f} dB", first["cause"], f"{first['index']} {first['kind']}",
                  f"{first['sqnr_db']:.1f} dB", first["advice"])
        checks.at_most(f"{preset}, operators without a counterpart", len(answer["unmatched"]), 0, digits=0)
        weights_only = preset in ("float16", "weight-only-int8", "weight-only-int4")
        if weights_only and not first["cause"].startswith("weight"):
            checks.fail(f"{preset}: the largest cause is {first['cause']}, but only weights were changed")
    same = _compare(_model(SCHEME_MODEL), _model(SCHEME_MODEL))
    if not same["identical"] or same["ranking"]:
        checks.fail("a file against itself is not identical")


def run(checks, only):
    _references(checks, only)
    with tempfile.TemporaryDirectory() as folder:
        _outliers(checks, only, pathlib.Path(folder))
        _schemes(checks, only, pathlib.Path(folder))
