"""What the runtime's default delegate (XNNPACK) takes of a model, asked of the runtime itself.

The interpreter lists the operators of the file and, behind them, one DELEGATE for each part that was replaced. A part is what
lies between a delegate's inputs and its outputs.
"""
import collections

from ai_edge_litert import interpreter as litert


def delegated(content):
    """By operator of the main subgraph: did the delegate take it? Raises what the interpreter raises."""
    interpreter = litert.Interpreter(model_content=bytes(content), num_threads=1)
    interpreter.allocate_tensors()
    nodes = interpreter._get_ops_details()  # no public call lists operators
    operators = [node for node in nodes if node["op_name"] != "DELEGATE"]
    producers = {int(tensor): node for node in operators for tensor in node["outputs"]}
    taken = set()
    for delegate in (node for node in nodes if node["op_name"] == "DELEGATE"):
        taken |= _between(delegate, producers)
    return [node["index"] in taken for node in operators]


def _between(delegate, producers):
    inputs = {int(tensor) for tensor in delegate["inputs"]}
    found, waiting, seen = set(), collections.deque(int(tensor) for tensor in delegate["outputs"]), set()
    while waiting:
        tensor = waiting.popleft()
        if tensor in seen or tensor in inputs or tensor not in producers:
            continue
        seen.add(tensor)
        node = producers[tensor]
        found.add(node["index"])
        waiting.extend(int(source) for source in node["inputs"] if source >= 0)
    return found
