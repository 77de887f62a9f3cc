"""What a .tflite is made of, read with the schema alone."""
from ai_edge_litert import schema_py_generated as schema

EDGES = {"QUANTIZE", "DEQUANTIZE"}
KIND_NAMES = {value: name for name, value in vars(schema.BuiltinOperator).items() if not name.startswith("_")}


def _kind(model, operator):
    code = model.operatorCodes[operator.opcodeIndex]
    return KIND_NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)]


def float_operators(content):
    """[(index, kind)] of the first subgraph's operators that compute on float32 activations."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]

    def is_float(index):
        tensor = graph.tensors[index]
        constant = model.buffers[tensor.buffer].data is not None
        return tensor.type == schema.TensorType.FLOAT32 and not constant

    found = []
    for index, operator in enumerate(graph.operators):
        kind = _kind(model, operator)
        touched = [i for i in list(operator.inputs) + list(operator.outputs) if i >= 0]
        if kind not in EDGES and any(is_float(i) for i in touched):
            found.append((index, kind))
    return found


def edge_count(content):
    """How many QUANTIZE and DEQUANTIZE operators the first subgraph runs; those of constants are folded at load."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    constant = lambda index: model.buffers[graph.tensors[index].buffer].data is not None
    return sum(_kind(model, operator) in EDGES and not constant(operator.inputs[0]) for operator in graph.operators)
