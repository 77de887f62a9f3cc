"""Models of one float operator at the edges of what the GPU delegate takes."""
import numpy as np

from one_operator import FLOAT32, INT32, make

_SHAPE = (1, 4, 4, 8)
_SAME = (_SHAPE, FLOAT32)


def _sums():
    for a, b in (((1, 4, 4, 8), (4, 4, 8)), ((2, 4, 4, 8), (4, 4, 8)), ((1, 4, 4, 8), (1, 1)), ((2, 4, 2, 8), (2, 8)), ((2, 4, 4, 8), (4, 8)),
                 ((1, 4, 8), (4, 8)), ((1, 4, 8), (8,)), ((1, 4, 8), ()), ((1, 4, 4, 1), (1, 1, 1, 8))):
        result = [(np.broadcast_shapes(a, b), FLOAT32)]
        for name in ("ADD", "MUL"):
            for constant in (None, 1.0):
                operands = [(a, FLOAT32), (b, FLOAT32, constant)]
                yield f"{name} of {a} and {b}{' constant' if constant else ''}", make(name, operands, result, f"{name.title()}Options")
    for count in (2, 3):
        yield f"ADD_N of {count}", make("ADD_N", [_SAME] * count, [_SAME], "AddNOptions")
    for name in ("SUB", "MAXIMUM", "POW"):
        yield f"{name} of a constant", make(name, [_SAME, ((8,), FLOAT32, 1)], [_SAME])
    yield "EXP of a constant", make("EXP", [(*_SAME, 1.0)], [_SAME], "ExpOptions")


def _convolutions():
    for data, multiplier in ((8, 1), (8, 2), (1, 8), (8, 3)):
        made = data * (2 if multiplier == 3 else multiplier)
        operands = [((1, 4, 4, data), FLOAT32), ((1, 2, 2, made), FLOAT32, 1)]
        yield f"DEPTHWISE_CONV_2D of {data} to {made} by {multiplier}", make(
            "DEPTHWISE_CONV_2D", operands, [((1, 4, 4, made), FLOAT32)], "DepthwiseConv2DOptions", strideH=1, strideW=1,
            depthMultiplier=multiplier)
    for constant in (None, 1.0):
        operands = [_SAME, ((4, 1, 1, 8), FLOAT32, constant), ((4,), FLOAT32, constant)]
        yield f"CONV_2D of {'constants' if constant else 'computed operands'}", make("CONV_2D", operands, [((1, 4, 4, 4), FLOAT32)],
                                                                                   "Conv2DOptions", strideH=1, strideW=1)
    for keeps, result in ((True, (1, 4, 4, 4)), (True, (16, 4)), (False, (16, 4))):
        yield f"FULLY_CONNECTED to {result}, keeps={keeps}", make("FULLY_CONNECTED", [_SAME, ((4, 8), FLOAT32, 1)], [(result, FLOAT32)],
                                                                 "FullyConnectedOptions", keepNumDims=keeps)
    yield "FULLY_CONNECTED, shuffled", make("FULLY_CONNECTED", [((1, 8), FLOAT32), ((4, 8), FLOAT32, 1)], [((1, 4), FLOAT32)],
                                            "FullyConnectedOptions", weightsFormat=1)


def _options():
    padded = [((1, 6, 6, 8), FLOAT32)]
    paddings = ((4, 2), INT32, (0, 0, 1, 1, 1, 1, 0, 0))
    for mode, name in enumerate(("REFLECT", "SYMMETRIC")):
        yield f"MIRROR_PAD {name}", make("MIRROR_PAD", [_SAME, paddings], padded, "MirrorPadOptions", mode=mode)
    for rank in (2, 3):
        flat = ((3,) * rank, FLOAT32)
        yield f"PAD of {rank} dimensions", make("PAD", [flat, ((rank, 2), INT32, 1)], [((5,) * rank, FLOAT32)], "PadOptions")
        yield f"SLICE of {rank} dimensions", make("SLICE", [flat, ((rank,), INT32, 0), ((rank,), INT32, 3)], [flat], "SliceOptions")
    bounds = [((4,), INT32, values) for values in ((0, 0, 0, 0), _SHAPE, (1, 1, 1, 1))]
    for mask in ("ellipsisMask", "newAxisMask", "shrinkAxisMask"):
        yield f"STRIDED_SLICE with {mask}", make("STRIDED_SLICE", [_SAME, *bounds], [((4, 4, 8), FLOAT32)], "StridedSliceOptions", **{mask: 1})
    for size in (1, 2):
        made = [((1, 4 // size, 4 // size, 8 * size * size), FLOAT32)]
        yield f"SPACE_TO_DEPTH by {size}", make("SPACE_TO_DEPTH", [_SAME], made, "SpaceToDepthOptions", blockSize=size)
    yield "SOFTMAX beta=0.5", make("SOFTMAX", [_SAME], [_SAME], "SoftmaxOptions", beta=0.5)
    yield "AVERAGE_POOL_2D with SIGN_BIT", make("AVERAGE_POOL_2D", [_SAME], [_SAME], "Pool2DOptions", filterHeight=1, filterWidth=1, strideH=1,
                                                strideW=1, fusedActivationFunction=5)
    for name in ("MEAN", "REDUCE_MAX"):
        yield f"{name} by computed axes", make(name, [_SAME, ((1,), INT32)], [((1, 1, 4, 8), FLOAT32)], "ReducerOptions", keepDims=True)
    for axis in ("constant", "computed"):
        yield f"CUMSUM by a {axis} axis", make("CUMSUM", [_SAME, ((), INT32, 1 if axis == "constant" else None)], [_SAME], "CumsumOptions")
    for shape in ((), (8,), (1, 4, 4, 8), (4, 8)):
        yield f"SELECT_V2 from {shape}", make("SELECT_V2", [_SAME, (shape, FLOAT32, 1.0), _SAME], [_SAME], "SelectV2Options")
    for shape in ((2,), (1, 1, 2)):
        values = [((), INT32, 8), ((), FLOAT32, 1), ((), FLOAT32, 0)]
        yield f"ONE_HOT of {shape}", make("ONE_HOT", [(shape, INT32), *values], [((*shape, 8), FLOAT32)], "OneHotOptions", axis=-1)


def models():
    """(name, file)."""
    for forms in (_sums, _convolutions, _options):
        yield from forms()
