"""Causes of error: `lathe compare` on files that other programs made, on outlier weights that are put in on purpose, on every scheme."""
import json
import pathlib
import tempfile

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

import lathe
import tables

# The float files of files that were quantized elsewhere.
REFERENCES = {
    "mlperf_tiny_resnet8_cifar10_int8_reference": "mlperf_tiny_resnet8_cifar10",
    "mlperf_tiny_kws_int8_reference": "mlperf_tiny_kws",
    "mlperf_tiny_vww_int8_reference": "mlperf_tiny_vww",
    "mlperf_tiny_ad_int8_reference": "mlperf_tiny_ad",
    "edsr_f32b5_full_qint8": "edsr_f32b5_fp32",
}
# A weight becomes so many times the largest of its channel, and the model is quantized so. With integer activations a smaller
# outlier stretches the range of the activations behind it as well, which then may come first.
OUTLIERS = {64: ("dynamic-range", "weight-only-int8"), 256: ("dynamic-range", "weight-only-int8", "int8")}
OUTLIER_MODELS = ("mlperf_tiny_resnet8_cifar10", "mlperf_tiny_kws", "mlperf_tiny_vww", "mlperf_tiny_ad", "face_landmark")
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


def _input_range(name):
    """What the input of the file that was quantized elsewhere can hold, as its own scale says; 0 to 1 without such a file."""
    other = [made for made, float_name in REFERENCES.items() if float_name == name]
    if not other:
        return 0, 1
    graph = schema.ModelT.InitFromPackedBuf(bytearray(_model(other[0]).read_bytes()), 0).subgraphs[0]
    tensor = graph.tensors[graph.inputs[0]]
    scale, zero_point = float(tensor.quantization.scale[0]), int(tensor.quantization.zeroPoint[0])
    low, high = (0, 255) if tensor.type == schema.TensorType.UINT8 else (-128, 127)
    return (low - zero_point) * scale, (high - zero_point) * scale


def _references(checks, only):
    table = tables.Table("Files that were not made by Lathe: the three largest causes", "file", "output", "operators", "unmatched",
                         "cause", "operator", "SQNR alone", "share", "try next")
    for other in _chosen(REFERENCES, only):
        answer = _compare(_model(REFERENCES[other]), _model(other), _input_range(REFERENCES[other]))
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
    table = tables.Table("One weight made many times the largest of its channel, then quantized: the largest cause", "model",
                         "times", "preset", "layer", "the weight", "found at", "cause", "SQNR alone", "next cause")
    cases = [(name, factor, preset) for name in _chosen(OUTLIER_MODELS, only) for factor, presets in OUTLIERS.items() for preset in presets]
    outliers = {}
    for name, factor, preset in cases:
        if (name, factor) not in outliers:
            outliers[name, factor] = Outlier(_model(name).read_bytes(), factor)
        outlier, given = outliers[name, factor], folder / f"{name}.{factor}.tflite"
        given.write_bytes(outlier.content)
        made = folder / f"{name}.{factor}.{preset}.tflite"
        label = f"{name} {preset}, {factor} times"
        data_range = _input_range(name)
        # Equalization would spread the outlier over the layers around it.
        recipe = folder / "recipe.json"
        recipe.write_text(json.dumps({"preset": preset, "correct": {"equalization": "OFF"}}))
        lathe.optimize(given, made, "--recipe", str(recipe), "--no-benchmark", f"--input-range={data_range[0]},{data_range[1]}")
        ranking = _compare(given, made, data_range)["ranking"]
        first, second = ranking[0], ranking[1]
        table.row(name, factor, preset, outlier.layer[-40:], f"{outlier.size:.1f}", first["name"][-40:], first["cause"],
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
        data_range = _input_range(SCHEME_MODEL)
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
