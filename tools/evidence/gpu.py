"""What TensorFlow's model analyzer says that the GPU delegate does not take. It looks at kinds, operands and options; versions,
types and ranks are the delegate's own matter."""
import importlib.util
import re

import lathe

_NAME = "_pywrap_analyzer_wrapper"
_PATH = lathe.ROOT / "build" / "gpu-analyzer" / f"{_NAME}.so"
_OPERATOR = re.compile(r"^  Op#(\d+) ", re.MULTILINE)
_WARNING = "\nGPU COMPATIBILITY WARNING: "


def is_there():
    """Was tools/gpu-analyzer run?"""
    return _PATH.exists()


def _analysis(path):
    spec = importlib.util.spec_from_file_location(_NAME, _PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.ModelAnalyzer(str(path), True, True)


def reasons(path):
    """{(subgraph, operator): why not, or ""} of a file."""
    found = {}
    for text in re.split(r"^(?=Subgraph#\d+)", _analysis(path), flags=re.MULTILINE)[1:]:
        subgraph = int(re.match(r"Subgraph#(\d+)", text).group(1))
        parts = _OPERATOR.split(text.partition("\nTensors of ")[0])[1:]
        for index, line in zip(parts[::2], parts[1::2]):
            why = line.partition(_WARNING)[2].partition("\n")[0]
            found[subgraph, int(index)] = "" if why.startswith("Subgraph#") else why
    return found
