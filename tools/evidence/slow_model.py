"""Makes a model slower by a given share, the way a bad conversion would: some of its operators run twice."""
import copy

import flatbuffers
from ai_edge_litert import schema_py_generated as schema


def slower(model_bytes, milliseconds, share):
    """The file with copies of some operators of subgraph 0, whose answers nobody uses but that are graph outputs, so that
    no runtime leaves them out. `milliseconds`: of each operator, by index; the copies take about `share` of the sum.
    Returns the bytes and the share that the copies take by `milliseconds`."""
    model = schema.ModelT.InitFromPackedBuf(model_bytes, 0)
    graph = model.subgraphs[0]
    chosen = _choose(milliseconds, share * sum(milliseconds.values()))
    operators = []
    for index, operator in enumerate(graph.operators):
        operators.append(operator)
        if index in chosen:
            operators.append(_copy(graph, operator))
    graph.operators = operators
    # The signature names fewer outputs than the graph then has; without one the runtime takes the graph's.
    model.signatureDefs = None
    builder = flatbuffers.Builder(len(model_bytes) * 2)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output()), sum(milliseconds[index] for index in chosen) / sum(milliseconds.values())


def _choose(milliseconds, wanted):
    """Indices of operators that take about `wanted` together: large ones first, none that would go beyond."""
    chosen, left = set(), wanted
    for index, cost in sorted(milliseconds.items(), key=lambda item: -item[1]):
        if 0 < cost <= left * 1.02:
            chosen.add(index)
            left -= cost
    return chosen


def _copy(graph, operator):
    again = copy.copy(operator)
    outputs = []
    for output in operator.outputs:
        tensor = copy.copy(graph.tensors[output])
        tensor.name = (tensor.name or b"") + b"_again"
        graph.tensors.append(tensor)
        outputs.append(len(graph.tensors) - 1)
    again.outputs = outputs
    graph.outputs = list(graph.outputs) + outputs
    return again
