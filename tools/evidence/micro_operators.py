"""Models of one operator for TensorFlow Lite Micro: every kind that it may have a kernel for, in every type."""
import one_operator
from one_operator import BOOL, FLOAT32, INT4, INT8, INT16, INT32, INT64, UINT8, VARIABLE, make

_SHAPE = (1, 4, 4, 8)
# Grids that kernels want of a result, by kind and type.
_RESULT_GRIDS = {
    ("LOGISTIC", INT8): (1 / 256, -128), ("LOGISTIC", INT16): (1 / 32768, 0),
    ("TANH", INT8): (1 / 128, 0), ("TANH", INT16): (1 / 32768, 0),
    ("SOFTMAX", INT8): (1 / 256, -128), ("SOFTMAX", INT16): (1 / 32768, 0),
    ("LOG_SOFTMAX", INT8): (16 / 256, 127), ("L2_NORMALIZATION", INT8): (1 / 128, 0),
}
_UNARY = {"ABS": "", "CEIL": "", "COS": "", "ELU": "", "EXP": "", "FLOOR": "", "GELU": "GeluOptions", "HARD_SWISH": "HardSwishOptions",
          "L2_NORMALIZATION": "L2NormOptions", "LEAKY_RELU": "LeakyReluOptions", "LOG": "", "LOGICAL_NOT": "LogicalNotOptions",
          "LOGISTIC": "", "LOG_SOFTMAX": "LogSoftmaxOptions", "NEG": "NegOptions", "RELU": "", "RELU6": "", "RELU_0_TO_1": "",
          "RELU_N1_TO_1": "", "ROUND": "", "RSQRT": "", "SIGN": "", "SIN": "", "SQRT": "", "SQUARE": "SquareOptions", "TANH": "",
          "ZEROS_LIKE": "ZerosLikeOptions"}
_BINARY = {"ADD": "AddOptions", "ADD_N": "AddNOptions", "DIV": "DivOptions", "FLOOR_DIV": "FloorDivOptions", "FLOOR_MOD": "FloorModOptions",
           "MAXIMUM": "MaximumMinimumOptions",
           "MINIMUM": "MaximumMinimumOptions", "MUL": "MulOptions", "POW": "PowOptions", "SQUARED_DIFFERENCE": "SquaredDifferenceOptions",
           "SUB": "SubOptions"}
_COMPARISONS = {"EQUAL": "EqualOptions", "GREATER": "GreaterOptions", "GREATER_EQUAL": "GreaterEqualOptions", "LESS": "LessOptions",
                "LESS_EQUAL": "LessEqualOptions", "NOT_EQUAL": "NotEqualOptions"}
_REDUCTIONS = ("MEAN", "SUM", "REDUCE_ALL", "REDUCE_ANY", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD")


def _elementwise(kind):
    same = (_SHAPE, kind)
    for name, options in _UNARY.items():
        yield name, make(name, [same], [(*same, _RESULT_GRIDS.get((name, kind)))], options)
    yield "SOFTMAX", make("SOFTMAX", [same], [(*same, _RESULT_GRIDS.get(("SOFTMAX", kind)))], "SoftmaxOptions", beta=1.0)
    for name, options in _BINARY.items():
        yield name, make(name, [same] * 2, [same], options)
    for name, options in _COMPARISONS.items():
        yield name, make(name, [same] * 2, [(_SHAPE, BOOL)], options)
    if kind == BOOL:  # these kernels read whatever they are given as truth values
        for name, options in (("LOGICAL_AND", "LogicalAndOptions"), ("LOGICAL_OR", "LogicalOrOptions")):
            yield name, make(name, [same] * 2, [same], options)
    slopes = ((1, 1, 8), INT8 if kind == INT16 else kind, 1)
    yield "PRELU", make("PRELU", [same, slopes], [same])
    yield "SELECT_V2", make("SELECT_V2", [(_SHAPE, BOOL), same, same], [same], "SelectV2Options")
    for target in (FLOAT32, INT8, INT16, INT32, INT64, BOOL):
        yield f"CAST to {_label(target)}", make("CAST", [same], [(_SHAPE, target)], "CastOptions")
    for target in (FLOAT32, INT8, UINT8, INT16, INT32):
        yield f"QUANTIZE to {_label(target)}", make("QUANTIZE", [same], [(_SHAPE, target, (0.05, 0))], "QuantizeOptions")
    yield "DEQUANTIZE", make("DEQUANTIZE", [same], [(_SHAPE, FLOAT32)], "DequantizeOptions")


def _label(kind):
    return "int4" if kind == INT4 else next(name for name, value in one_operator.TYPES.items() if value == kind)


def _reductions(kind):
    same = (_SHAPE, kind)
    axes = ((2,), INT32, (1, 2))
    for name in _REDUCTIONS:
        yield name, make(name, [same, axes], [((1, 1, 1, 8), kind)], "ReducerOptions", keepDims=True)
    for name, options in (("ARG_MAX", "ArgMaxOptions"), ("ARG_MIN", "ArgMinOptions")):
        yield name, make(name, [same, ((), INT32, 3)], [((1, 4, 4), INT32)], options, outputType=INT32)
    yield "ARG_MAX to int64", make("ARG_MAX", [same, ((), INT32, 3)], [((1, 4, 4), INT64)], "ArgMaxOptions", outputType=INT64)
    yield "CUMSUM", make("CUMSUM", [same, ((), INT32, 3)], [same], "CumsumOptions")
    pool = dict(filterHeight=2, filterWidth=2, strideH=2, strideW=2, padding=1)
    for name in ("AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D"):
        yield name, make(name, [same], [((1, 2, 2, 8), kind)], "Pool2DOptions", **pool)


def _weighted(kind):
    """Convolutions and FULLY_CONNECTED with each type of weights."""
    same = (_SHAPE, kind)
    # Kernels read int16 weights beside int16 activations as int8 without a word; so does the rule of the format.
    for weights in sorted({INT8 if kind == INT16 else kind, INT4, INT8, FLOAT32}):
        what = f" of {_label(weights)} weights"
        yield "FULLY_CONNECTED" + what, make("FULLY_CONNECTED", [((1, 8), kind), ((4, 8), weights, 1), None], [((1, 4), kind)],
                                             "FullyConnectedOptions")
        yield "CONV_2D" + what, make("CONV_2D", [same, ((4, 1, 1, 8), weights, 1), None], [((1, 4, 4, 4), kind)], "Conv2DOptions", strideH=1,
                                     strideW=1)
        for bias, operands in (("", []), (" and an empty bias", [None])):
            yield f"DEPTHWISE_CONV_2D{what}{bias}", make("DEPTHWISE_CONV_2D", [same, ((1, 2, 2, 8), weights, 1), *operands], [same],
                                                         "DepthwiseConv2DOptions", strideH=1, strideW=1, depthMultiplier=1)
        yield "TRANSPOSE_CONV" + what, make("TRANSPOSE_CONV", [((4,), INT32, (1, 8, 8, 4)), ((4, 2, 2, 8), weights, 1), same],
                                            [((1, 8, 8, 4), kind)], "TransposeConvOptions", strideH=2, strideW=2)
    yield "BATCH_MATMUL", make("BATCH_MATMUL", [((1, 4, 8), kind), ((1, 8, 4), kind)], [((1, 4, 4), kind)], "BatchMatMulOptions")
    yield "EMBEDDING_LOOKUP", make("EMBEDDING_LOOKUP", [((3,), INT32), ((5, 8), kind, 1)], [((3, 8), kind)])


def _joins(kind):
    same = (_SHAPE, kind)
    for count in (2, 10, 11):
        yield f"CONCATENATION of {count}", make("CONCATENATION", [same] * count, [((1, 4, 4, 8 * count), kind)], "ConcatenationOptions", axis=3)
    yield "CONCATENATION with RELU", make("CONCATENATION", [same] * 2, [((1, 4, 4, 16), kind)], "ConcatenationOptions", axis=3,
                                          fusedActivationFunction=1)
    yield "PACK", make("PACK", [same] * 2, [((2, *_SHAPE), kind)], "PackOptions", valuesCount=2)
    yield "UNPACK", make("UNPACK", [((2, 4, 8), kind)], [((4, 8), kind)] * 2, "UnpackOptions", num=2)
    halves = [((1, 4, 4, 4), kind)] * 2
    yield "SPLIT", make("SPLIT", [((), INT32, 3), same], halves, "SplitOptions", numSplits=2)
    yield "SPLIT by a computed axis", make("SPLIT", [((1,), INT32), same], halves, "SplitOptions", numSplits=2)
    yield "SPLIT_V", make("SPLIT_V", [same, ((2,), INT32, (4, 4)), ((), INT32, 3)], halves, "SplitVOptions", numSplits=2)
    yield "GATHER", make("GATHER", [same, ((1,), INT32, 0)], [((1, 4, 4, 8), kind)], "GatherOptions")
    yield "GATHER by int64", make("GATHER", [same, ((1,), INT64, 0)], [((1, 4, 4, 8), kind)], "GatherOptions")
    yield "GATHER from a constant", make("GATHER", [((4, 8), kind, 1), ((2,), INT32)], [((2, 8), kind)], "GatherOptions")
    yield "GATHER_ND", make("GATHER_ND", [same, ((1, 2), INT32, 0)], [((1, 4, 8), kind)], "GatherNdOptions")


def _shapes(kind):
    same = (_SHAPE, kind)
    yield "SHAPE", make("SHAPE", [same], [((4,), INT32)], "ShapeOptions", outType=INT32)
    yield "SHAPE to int64", make("SHAPE", [same], [((4,), INT64)], "ShapeOptions", outType=INT64)
    yield "RESHAPE", make("RESHAPE", [same, ((2,), INT32, (1, 128))], [((1, 128), kind)], "ReshapeOptions", newShape=[1, 128])
    yield "SQUEEZE", make("SQUEEZE", [same], [((4, 4, 8), kind)], "SqueezeOptions", squeezeDims=[0])
    yield "EXPAND_DIMS", make("EXPAND_DIMS", [same, ((1,), INT32, 1)], [((1, 1, 4, 4, 8), kind)], "ExpandDimsOptions")
    yield "EXPAND_DIMS by a computed axis", make("EXPAND_DIMS", [same, ((1,), INT32)], [((1, 1, 4, 4, 8), kind)], "ExpandDimsOptions")
    yield "BROADCAST_TO", make("BROADCAST_TO", [((1, 4, 1, 8), kind), ((4,), INT32, _SHAPE)], [same])
    yield "BROADCAST_TO a computed shape", make("BROADCAST_TO", [((1, 4, 1, 8), kind), ((4,), INT32)], [same])
    yield "BROADCAST_ARGS", make("BROADCAST_ARGS", [((2,), kind)] * 2, [((2,), kind)])
    differing = [same, (_SHAPE, kind, None, (0.1, 0) if kind == INT8 else None)]
    yield "CONCATENATION of two grids", make("CONCATENATION", differing, [((1, 4, 4, 16), kind)], "ConcatenationOptions", axis=3)
    yield "MAX_POOL_2D of two grids", make("MAX_POOL_2D", [differing[0]], [((1, 2, 2, 8), kind, differing[1][3])], "Pool2DOptions",
                                           filterHeight=2, filterWidth=2, strideH=2, strideW=2)
    yield "FILL", make("FILL", [((4,), INT32, _SHAPE), ((), kind)], [same], "FillOptions")
    yield "FILL of a computed shape", make("FILL", [((4,), INT32), ((), kind)], [same], "FillOptions")
    yield "TILE", make("TILE", [same, ((4,), INT32, (1, 2, 1, 1))], [((1, 8, 4, 8), kind)], "TileOptions")
    yield "TRANSPOSE", make("TRANSPOSE", [same, ((4,), INT32, (0, 2, 1, 3))], [same], "TransposeOptions")
    yield "TRANSPOSE by a computed order", make("TRANSPOSE", [same, ((4,), INT32)], [same], "TransposeOptions")
    six = ((1, 1, 1, 2, 2, 2), kind)
    yield "TRANSPOSE of 6 dimensions", make("TRANSPOSE", [six, ((6,), INT32, (0, 1, 2, 3, 5, 4))], [six], "TransposeOptions")
    yield "REVERSE_V2", make("REVERSE_V2", [same, ((1,), INT32, 1)], [same], "ReverseV2Options")
    yield "DEPTH_TO_SPACE", make("DEPTH_TO_SPACE", [same], [((1, 8, 8, 2), kind)], "DepthToSpaceOptions", blockSize=2)
    yield "SPACE_TO_DEPTH", make("SPACE_TO_DEPTH", [same], [((1, 2, 2, 32), kind)], "SpaceToDepthOptions", blockSize=2)
    twos, none = ((2,), INT32, (2, 2)), ((2, 2), INT32, 0)
    yield "SPACE_TO_BATCH_ND", make("SPACE_TO_BATCH_ND", [same, twos, none], [((4, 2, 2, 8), kind)], "SpaceToBatchNDOptions")
    yield "BATCH_TO_SPACE_ND", make("BATCH_TO_SPACE_ND", [((4, 2, 2, 8), kind), twos, none], [same], "BatchToSpaceNDOptions")


def _windows(kind):
    same = (_SHAPE, kind)
    paddings, padded = ((4, 2), INT32, ((0, 0), (1, 1), (1, 1), (0, 0))), [((1, 6, 6, 8), kind)]
    yield "PAD", make("PAD", [same, paddings], padded, "PadOptions")
    yield "PAD by computed paddings", make("PAD", [same, ((4, 2), INT32)], padded, "PadOptions")
    yield "PADV2", make("PADV2", [same, paddings, ((1,), kind, 0)], padded, "PadV2Options")
    yield "MIRROR_PAD", make("MIRROR_PAD", [same, paddings], padded, "MirrorPadOptions")
    size = ((2,), INT32, (8, 8))
    for name, options in (("RESIZE_BILINEAR", "ResizeBilinearOptions"), ("RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighborOptions")):
        yield name, make(name, [same, size], [((1, 8, 8, 8), kind)], options)
        yield f"{name} to a computed size", make(name, [same, ((2,), INT32)], [((1, 8, 8, 8), kind)], options)
    begin, lengths, ends = ((4,), INT32, (0, 1, 0, 0)), ((4,), INT32, (1, 2, 4, 8)), ((4,), INT32, (1, 3, 4, 8))
    part = [((1, 2, 4, 8), kind)]
    yield "SLICE", make("SLICE", [same, begin, lengths], part, "SliceOptions")
    yield "STRIDED_SLICE", make("STRIDED_SLICE", [same, begin, ends, ((4,), INT32, 1)], part, "StridedSliceOptions")
    yield "STRIDED_SLICE from a computed place", make("STRIDED_SLICE", [same, ((4,), INT32), ends, ((4,), INT32, 1)], part, "StridedSliceOptions")
    five, fives = ((1, 1, 2, 2, 2), kind), [((5,), INT32, 0), ((5,), INT32, (1, 1, 2, 2, 2)), ((5,), INT32, 1)]
    yield "STRIDED_SLICE of 5 dimensions", make("STRIDED_SLICE", [five, *fives], [five], "StridedSliceOptions")
    yield "DYNAMIC_UPDATE_SLICE", make("DYNAMIC_UPDATE_SLICE", [same, part[0], ((4,), INT32, 0)], [same])


def _recurrent(kind):
    state, bias = (kind, kind) if kind == FLOAT32 else (INT16, INT32)
    for name, operand in (("SVDF", ((4,), bias, 0, (1 / 4096 ** 2, 0))), ("SVDF without bias", None)):
        yield name, make("SVDF", [((1, 8), kind), ((4, 8), kind, 1), ((4, 3), state, 1), operand, ((1, 12), state, VARIABLE)],
                         [((1, 4), kind)], "SVDFOptions", rank=1, fusedActivationFunction=0 if kind == FLOAT32 else 1)
    weights, bias, cell = (FLOAT32,) * 3 if kind == FLOAT32 else (INT8, INT64 if kind == INT16 else INT32, INT16)
    lstm = [((1, 3, 4), kind)] + [((4, 4), weights, 1)] * 8 + [None] * 3 + [((4,), bias, 0)] * 4 + [None] * 2
    lstm += [((1, 4), kind, VARIABLE), ((1, 4), cell, VARIABLE, None if kind == FLOAT32 else (1 / 32768, 0))] + [None] * 4
    yield "UNIDIRECTIONAL_SEQUENCE_LSTM", make("UNIDIRECTIONAL_SEQUENCE_LSTM", lstm, [((1, 3, 4), kind)],
                                               "UnidirectionalSequenceLSTMOptions", fusedActivationFunction=4, cellClip=0.0, projClip=0.0)


def garbled():
    """(name, file) of what runs with wrong results."""
    scales = ((4, 8), INT8, 10, ((0.01, 0.1, 1, 10), 0))
    yield "DEQUANTIZE by channel", make("DEQUANTIZE", [scales], [((4, 8), FLOAT32)], "DequantizeOptions", version=2)


def models():
    """(name, file) of every form in every type."""
    for label, kind in one_operator.TYPES.items():
        for forms in (_elementwise, _reductions, _weighted, _joins, _shapes, _windows, _recurrent):
            for name, content in forms(kind):
                yield f"{name}, {label}", content
