"""Function-preserving rescaled copies of float models: what a model looks like that was trained without regard to quantization.

    tools/python tools/peers/rescale.py fm_mnv1relu|fm_mnv2|det_yolo IN.tflite OUT.tflite SEED

Channels of an activation are multiplied by random factors, in the weights and bias that write them, and divided by them in the
weights that read them, so the float outputs agree (asserted, to 1e-4 of the largest output). Per model:

    fm_mnv1relu   every channel behind a fused RELU, by 2^U(-5,5)
    fm_mnv2       every channel of the linear bottlenecks, by 2^U(-6,6); tensors joined by ADD share their factors
    det_yolo      every channel before a LEAKY_RELU, by 2^U(-4,4); tensors joined by ADD share their factors
"""
import dataclasses
import pathlib
import sys

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

import stock

OP = schema.BuiltinOperator
WRITERS = (OP.CONV_2D, OP.DEPTHWISE_CONV_2D, OP.FULLY_CONNECTED)
# Operators through which a factor of a channel passes.
THROUGH = (OP.LEAKY_RELU, OP.MEAN, OP.ADD)
TOLERANCE = 1e-4


@dataclasses.dataclass(frozen=True)
class Kind:
    """Which activations are rescaled and by how much."""
    exponent: float
    fused: int  # fused activation of the writer
    before: int = -1  # the kind of operator that must read the writer's output; -1: any


KINDS = {
    "fm_mnv1relu": Kind(5, schema.ActivationFunctionType.RELU),
    "fm_mnv2": Kind(6, schema.ActivationFunctionType.NONE),
    "det_yolo": Kind(4, schema.ActivationFunctionType.NONE, OP.LEAKY_RELU),
}


class Graph:
    """Subgraph 0 of a model, with weights as arrays that can be changed in place."""

    def __init__(self, content):
        self.model = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
        self.graph = self.model.subgraphs[0]
        self.operators = self.graph.operators
        self._changed = {}

    def kind(self, operator):
        code = self.model.operatorCodes[operator.opcodeIndex]
        return max(code.builtinCode, code.deprecatedBuiltinCode)

    def values(self, tensor):
        """The float32 constant, writable; changes are packed by `pack`."""
        if tensor not in self._changed:
            shape = self.graph.tensors[tensor].shape
            data = self.model.buffers[self.graph.tensors[tensor].buffer].data
            self._changed[tensor] = np.frombuffer(bytes(data), np.float32).reshape(shape).copy()
        return self._changed[tensor]

    def pack(self):
        for tensor, values in self._changed.items():
            self.model.buffers[self.graph.tensors[tensor].buffer].data = np.frombuffer(values.tobytes(), np.uint8)
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def _groups(graph, kind):
    """Sets of activations that share their factors: written by a matching operator, joined through THROUGH."""
    parent = {}

    def find(tensor):
        while parent.setdefault(tensor, tensor) != tensor:
            tensor = parent[tensor]
        return tensor

    constants = {t for t in range(len(graph.graph.tensors)) if graph.model.buffers[graph.graph.tensors[t].buffer].data is not None}
    for operator in graph.operators:
        if graph.kind(operator) in THROUGH:
            for tensor in operator.inputs:
                if tensor not in constants:
                    parent[find(tensor)] = find(operator.outputs[0])
    groups = {}
    for operator in graph.operators:
        for tensor in list(operator.inputs) + list(operator.outputs):
            if tensor not in constants:
                groups.setdefault(find(tensor), set()).add(tensor)
    # A final layer is written linearly, too: what the user or another kind of operator reads keeps its scale.
    fixed = set(graph.graph.outputs) | set(graph.graph.inputs)
    for operator in graph.operators:
        if graph.kind(operator) not in WRITERS + THROUGH:
            fixed |= set(operator.inputs) | set(operator.outputs)
    readers = {}
    for operator in graph.operators:
        for tensor in operator.inputs:
            readers.setdefault(tensor, []).append(graph.kind(operator))

    def matches(members):
        writers = [o for o in graph.operators if graph.kind(o) in WRITERS and o.outputs[0] in members]
        return writers and all(
            o.builtinOptions.fusedActivationFunction == kind.fused and (kind.before < 0 or kind.before in readers[o.outputs[0]])
            for o in writers)

    return [members for members in groups.values() if not members & fixed and matches(members)]


def _scale_writer(graph, operator, factors):
    weights = graph.values(operator.inputs[1])
    if graph.kind(operator) == OP.DEPTHWISE_CONV_2D:
        weights *= factors
    else:
        weights *= factors.reshape((-1,) + (1,) * (weights.ndim - 1))
    graph.values(operator.inputs[2])[...] *= factors


def _scale_reader(graph, operator, factors):
    weights = graph.values(operator.inputs[1])
    weights /= factors  # the input channel is the last axis of all three kinds; depthwise: multiplier 1


def rescale(content, name, seed):
    """The bytes of the rescaled copy of the model `name`."""
    kind = KINDS[name]
    graph = Graph(content)
    random = np.random.default_rng(seed)
    groups = sorted(_groups(graph, kind), key=min)
    for members in groups:
        channels = graph.graph.tensors[min(members)].shape[-1]
        factors = np.exp2(random.uniform(-kind.exponent, kind.exponent, channels)).astype(np.float32)
        for operator in graph.operators:
            if graph.kind(operator) not in WRITERS:
                continue
            if operator.outputs[0] in members:
                _scale_writer(graph, operator, factors)
            if operator.inputs[0] in members:
                _scale_reader(graph, operator, factors)
    result = graph.pack()
    _assert_equal(content, result, seed)
    return result, len(groups)


def _assert_equal(original, rescaled, seed):
    shape = stock.Model(original).inputs[0]["shape"]
    samples = np.random.default_rng(seed).uniform(0, 1, (4,) + tuple(shape[1:])).astype(np.float32)
    for before, after in zip(stock.outputs_of(original, samples), stock.outputs_of(rescaled, samples)):
        error = float(np.max(np.abs(before - after)) / np.max(np.abs(before)))
        if not error < TOLERANCE:
            raise AssertionError(f"the copy computes something else: {error:.2g} of the largest output")


def main():
    if len(sys.argv) != 5 or sys.argv[1] not in KINDS:
        sys.exit(__doc__)
    name, source, target, seed = sys.argv[1:]
    result, count = rescale(pathlib.Path(source).read_bytes(), name, int(seed))
    pathlib.Path(target).write_bytes(result)
    print(f"{target}: {count} groups of activations rescaled, seed {seed}")


if __name__ == "__main__":
    main()
