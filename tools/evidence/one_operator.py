"""Models of one operator, to ask runtimes what they take."""
import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

FLOAT32, FLOAT16, INT32, INT8 = schema.TensorType.FLOAT32, schema.TensorType.FLOAT16, schema.TensorType.INT32, schema.TensorType.INT8
INT16, UINT8, INT64, BOOL = schema.TensorType.INT16, schema.TensorType.UINT8, schema.TensorType.INT64, schema.TensorType.BOOL
INT4 = schema.TensorType.INT4
TYPES = {"float32": FLOAT32, "float16": FLOAT16, "int8": INT8, "uint8": UINT8, "int16": INT16, "int32": INT32, "int64": INT64, "bool": BOOL}
_NUMPY = {FLOAT32: np.float32, FLOAT16: np.float16, INT32: np.int32, INT8: np.int8, INT16: np.int16, UINT8: np.uint8, INT64: np.int64,
          BOOL: np.bool_, INT4: np.int8}
_GRIDS = {INT8: (0.05, 0), INT4: (0.05, 0), UINT8: (0.05, 128), INT16: (1 / 4096, 0)}  # scale and zero point, where none is given
_SHAPE = (1, 4, 4, 8)


def _tensor(graph, model, shape, kind, values, grid):
    tensor = schema.TensorT()
    tensor.shape, tensor.type, tensor.hasRank = list(shape), kind, True
    tensor.name, tensor.buffer = f"t{len(graph.tensors)}", 0
    grid = grid or _GRIDS.get(kind)
    if grid:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale = [float(scale) for scale in np.atleast_1d(grid[0])]
        tensor.quantization.zeroPoint = [grid[1]] * len(tensor.quantization.scale)
    if values is VARIABLE:
        tensor.isVariable = True
    elif values is not None:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.resize(np.asarray(values, _NUMPY[kind]), shape).tobytes(), np.uint8)
        if kind == INT4:
            buffer.data = buffer.data[::2]  # two to a byte
        model.buffers.append(buffer)
        tensor.buffer = len(model.buffers) - 1
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


VARIABLE = object()  # values of an operand that is the operator's own state


def make(kind, inputs, outputs, options="", version=1, **fields):
    """A file. `inputs` are (shape, type[, values[, grid]]): with values constants, which are repeated to the shape; None is an operand left out. `outputs` are
    (shape, type[, grid]); a grid is (scale or scales of dimension 0, zero point). `options` names the operator's table, `fields` what to set in it."""
    model, graph, operator = schema.ModelT(), schema.SubGraphT(), schema.OperatorT()
    model.version, model.buffers = 3, [schema.BufferT()]
    graph.tensors, graph.inputs, graph.outputs = [], [], []
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, [], []
    for operand in inputs:
        if operand is None:
            operator.inputs.append(-1)
            continue
        shape, kind_of, values, grid = (*operand, None, None)[:4]
        operator.inputs.append(_tensor(graph, model, shape, kind_of, values, grid))
        if values is None:
            graph.inputs.append(operator.inputs[-1])
    for result in outputs:
        shape, kind_of, grid = (*result, None)[:3]
        operator.outputs.append(_tensor(graph, model, shape, kind_of, None, grid))
        graph.outputs.append(operator.outputs[-1])
    if options:
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, options)
        operator.builtinOptions = getattr(schema, f"{options}T")()
        for name, value in fields.items():
            setattr(operator.builtinOptions, name, value)
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, kind)
    code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), version
    graph.operators, model.operatorCodes, model.subgraphs = [operator], [code], [graph]
    return _packed(model)


def _packed(model):
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def merged(contents):
    """One file with a subgraph for each of the files, in their order: one question about all of them."""
    whole = schema.ModelT()
    whole.version, whole.buffers, whole.operatorCodes, whole.subgraphs = 3, [], [], []
    for content in contents:
        model = schema.ModelT.InitFromPackedBuf(content)
        graph = model.subgraphs[0]
        for tensor in graph.tensors:
            tensor.buffer += len(whole.buffers)
        graph.operators[0].opcodeIndex = len(whole.operatorCodes)
        whole.buffers += model.buffers
        whole.operatorCodes += model.operatorCodes
        whole.subgraphs.append(graph)
    return _packed(whole)


_UNARY = ("ABS", "CEIL", "COS", "ELU", "EXP", "FLOOR", "HARD_SWISH", "LOG", "LOGISTIC", "LOG_SOFTMAX", "NEG", "RELU", "RELU6",
          "RELU_0_TO_1", "RELU_N1_TO_1", "ROUND", "RSQRT", "SIGN", "SIN", "SQRT", "SQUARE", "TANH", "ZEROS_LIKE")
_BINARY = (("ADD", "AddOptions"), ("SUB", "SubOptions"), ("MUL", "MulOptions"), ("DIV", "DivOptions"),
           ("MAXIMUM", "MaximumMinimumOptions"), ("MINIMUM", "MaximumMinimumOptions"), ("POW", "PowOptions"),
           ("FLOOR_DIV", "FloorDivOptions"), ("FLOOR_MOD", "FloorModOptions"),
           ("SQUARED_DIFFERENCE", "SquaredDifferenceOptions"))


def _slice(kind, strides=(1, 1, 1, 1), result=(1, 2, 4, 8), **masks):
    bounds = [((4,), INT32, values) for values in ((0, 1, 0, 0), (1, 3, 4, 8), strides)]
    return make("STRIDED_SLICE", [(_SHAPE, kind), *bounds], [(result, kind)], "StridedSliceOptions", **masks)


def _of_type(kind):
    """(name, file) of every form in one type."""
    same, version = [(_SHAPE, kind)], 2 if kind == INT8 else 1
    for name in _UNARY:
        yield name, make(name, same, same, version=version)
    for name, options in _BINARY:
        yield name, make(name, same * 2, same, options, version)
    for count in (1, 2, 5, 6, 10):
        yield f"CONCATENATION of {count}", make("CONCATENATION", same * count, [((1, 4, 4, 8 * count), kind)],
                                                "ConcatenationOptions", version, axis=3)
    for count in (2, 4, 8):
        yield f"SPLIT into {count}", make("SPLIT", [((), INT32, 3), ((1, 4, 4, 24), kind)], [((1, 4, 4, 24 // count), kind)] * count,
                                          "SplitOptions", version, numSplits=count)
    yield "STRIDED_SLICE", _slice(kind)
    yield "STRIDED_SLICE by 2", _slice(kind, (1, 2, 1, 1), (1, 1, 4, 8))
    yield "STRIDED_SLICE that drops", _slice(kind, result=(2, 4, 8), shrinkAxisMask=1)
    yield "SLICE", make("SLICE", same + [((4,), INT32, (0, 1, 0, 0)), ((4,), INT32, (1, 2, 4, 8))], [((1, 2, 4, 8), kind)], "SliceOptions")
    yield "EXPAND_DIMS", make("EXPAND_DIMS", same + [((1,), INT32, 1)], [((1, 1, 4, 4, 8), kind)], "ExpandDimsOptions")
    yield "SQUEEZE", make("SQUEEZE", same, [((4, 4, 8), kind)], "SqueezeOptions", squeezeDims=[0])
    for name in ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD"):
        for keep in (True, False):
            shape = (1, 1, 1, 8) if keep else (1, 8)
            yield f"{name} keep_dims={keep}", make(name, same + [((2,), INT32, (1, 2))], [(shape, kind)], "ReducerOptions", 2, keepDims=keep)
    for name, options in (("RESIZE_BILINEAR", "ResizeBilinearOptions"), ("RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighborOptions")):
        yield name, make(name, same + [((2,), INT32, (8, 8))], [((1, 8, 8, 8), kind)], options)
    yield "TRANSPOSE", make("TRANSPOSE", same + [((4,), INT32, (0, 2, 1, 3))], same, "TransposeOptions")
    yield "GATHER", make("GATHER", same + [((1,), INT32, 0)], [((1, 4, 4, 8), kind)], "GatherOptions")
    yield "TILE", make("TILE", same + [((4,), INT32, (1, 2, 1, 1))], [((1, 8, 4, 8), kind)], "TileOptions")
    yield "SPACE_TO_DEPTH", make("SPACE_TO_DEPTH", same, [((1, 2, 2, 32), kind)], "SpaceToDepthOptions", blockSize=2)
    yield "DEPTH_TO_SPACE", make("DEPTH_TO_SPACE", same, [((1, 8, 8, 2), kind)], "DepthToSpaceOptions", blockSize=2)
    for name in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
        yield name, make(name, same, [((1, 2, 2, 8), kind)], "Pool2DOptions", version, filterHeight=2, filterWidth=2, strideH=2,
                         strideW=2, padding=1)
    paddings = ((4, 2), INT32, (0, 0, 1, 1, 1, 1, 0, 0))
    yield "PAD", make("PAD", same + [paddings], [((1, 6, 6, 8), kind)], "PadOptions", version)
    yield "MIRROR_PAD", make("MIRROR_PAD", same + [paddings], [((1, 6, 6, 8), kind)], "MirrorPadOptions", version)
    five = [((1, 1, 1, 2, 2, 2, 2), kind)]
    yield "ADD of 7 dimensions", make("ADD", five * 2, five, "AddOptions", version)


def models():
    """(name, file) of one-operator models in float32 and int8."""
    for kind, label in ((FLOAT32, "float32"), (INT8, "int8")):
        for name, content in _of_type(kind):
            yield f"{name}, {label}", content
    for beta in (1.0, 0.5):
        yield f"SOFTMAX beta={beta}, float32", make("SOFTMAX", [(_SHAPE, FLOAT32)], [(_SHAPE, FLOAT32)], "SoftmaxOptions", beta=beta)
    yield "PRELU, float32", make("PRELU", [(_SHAPE, FLOAT32), ((1, 1, 8), FLOAT32, np.ones(8))], [(_SHAPE, FLOAT32)])
    yield "BATCH_MATMUL, float32", make("BATCH_MATMUL", [((1, 4, 8), FLOAT32), ((1, 8, 4), FLOAT32)], [((1, 4, 4), FLOAT32)],
                                        "BatchMatMulOptions")
    yield "FULLY_CONNECTED, computed weights", make("FULLY_CONNECTED", [((1, 8), FLOAT32), ((4, 8), FLOAT32), ((4,), FLOAT32, np.ones(4))],
                                                    [((1, 4), FLOAT32)], "FullyConnectedOptions")
    yield "ADD, int32", make("ADD", [(_SHAPE, INT32)] * 2, [(_SHAPE, INT32)], "AddOptions")
