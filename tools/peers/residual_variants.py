"""Function-preserving copies of a transformer whose residual stream carries a constant that layer normalisation removes.

    tools/python tools/peers/residual_variants.py VARIANT IN.tflite OUT.tflite [CONSTANT] [SEED]

CONSTANT (default 60) is added to all channels of what enters the stream, so that the float outputs stay the same but for rounding
(asserted on 16 random inputs, to 1e-3 of the largest output). VARIANT says where:

    embedding  in every row of the table that GATHER reads
    bias       in every constant that an ADD of the stream adds to each token
    both       in both
    token      in the table, another random part of CONSTANT in each row
"""
import pathlib
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter

import rescale

OP = rescale.OP
KINDS = ("embedding", "bias", "both", "token")
TOLERANCE = 1e-3


def _is_constant(graph, tensor):
    return graph.model.buffers[graph.graph.tensors[tensor].buffer].data is not None


def _tables(graph):
    """Constants of two dimensions that GATHER reads rows of."""
    return sorted({o.inputs[0] for o in graph.operators if graph.kind(o) == OP.GATHER and _is_constant(graph, o.inputs[0])
                   and len(graph.graph.tensors[o.inputs[0]].shape) == 2})


def _biases(graph):
    """Constants of one value for each channel that an ADD adds to a tensor of which MEAN is taken next."""
    averaged = {o.inputs[0] for o in graph.operators if graph.kind(o) == OP.MEAN}
    found = set()
    for operator in graph.operators:
        if graph.kind(operator) != OP.ADD or operator.outputs[0] not in averaged:
            continue
        width = graph.graph.tensors[operator.outputs[0]].shape[-1]
        found |= {t for t in operator.inputs if _is_constant(graph, t) and list(graph.graph.tensors[t].shape) == [width]}
    return sorted(found)


def variant(content, kind, constant=60.0, seed=1):
    """The variant's bytes. ValueError: the model has nowhere to put the constant."""
    graph = rescale.Graph(content)
    tables = _tables(graph) if kind != "bias" else []
    biases = _biases(graph) if kind in ("bias", "both") else []
    if not tables + biases:
        raise ValueError(f"no constant of the model enters a residual stream as '{kind}' asks for")
    random = np.random.default_rng(seed)
    for tensor in tables:
        values = graph.values(tensor)
        values += constant * (random.uniform(-1, 1, (len(values), 1)).astype(np.float32) if kind == "token" else 1)
    for tensor in biases:
        graph.values(tensor)[...] += constant
    return graph.pack()


def outputs(content, seed=2, count=16):
    """Outputs on random ids of the table's rows."""
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    details = interpreter.get_input_details()[0]
    rows = max(rescale.Graph(content).graph.tensors[t].shape[0] for t in _tables(rescale.Graph(content)))
    random = np.random.default_rng(seed)
    result = []
    for _ in range(count):
        interpreter.set_tensor(details["index"], random.integers(0, rows, details["shape"]).astype(details["dtype"]))
        interpreter.invoke()
        result.append([interpreter.get_tensor(o["index"]).copy() for o in interpreter.get_output_details()])
    return [np.stack(one) for one in zip(*result)]


def main():
    if len(sys.argv) not in (4, 5, 6) or sys.argv[1] not in KINDS:
        sys.exit(__doc__)
    kind, source, target = sys.argv[1:4]
    content = pathlib.Path(source).read_bytes()
    changed = variant(content, kind, *[parse(text) for parse, text in zip((float, int), sys.argv[4:])])
    for before, after in zip(outputs(content), outputs(changed)):
        error = np.abs(before - after).max() / np.abs(before).max()
        assert error < TOLERANCE, f"the variant is {error:.2g} away from the model"
    pathlib.Path(target).write_bytes(changed)


if __name__ == "__main__":
    main()
