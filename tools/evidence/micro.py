"""Whether TensorFlow Lite Micro runs a model, asked of its interpreter. Each model has a process of its own: the kernels check
much of what they are given by assertions only, which the package leaves out."""
import os

import numpy as np
from ai_edge_litert import interpreter as litert
from tflite_micro import runtime

_ARENA_BYTES = 1 << 28  # for any model of the shared folder; pages that are not touched cost nothing
# Kernels differ in the last bits, which int8 layers carry on: 6 dB where probabilities of a random network are one step of int8.
# Kernels that take bytes for another type are at 2 dB or below.
_SQNR_DB_MIN = 5


def _inputs(details):
    """An array for each: random where every value is one, ones where numbers may be rows of a table."""
    random = np.random.default_rng(0)
    for detail in details:
        shape, kind = detail["shape"], np.dtype(detail["dtype"])
        if kind in (np.int8, np.uint8, np.int16):
            yield random.integers(np.iinfo(kind).min, np.iinfo(kind).max, shape, kind, endpoint=True)
        elif kind.kind == "f":
            yield random.random(shape).astype(kind)
        else:
            yield np.ones(shape, kind)


def _run_reference(content):
    interpreter = litert.Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    inputs = list(_inputs(interpreter.get_input_details()))
    for detail, values in zip(interpreter.get_input_details(), inputs):
        interpreter.set_tensor(detail["index"], values)
    interpreter.invoke()
    return inputs, [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


def _run(content, inputs):
    interpreter = runtime.Interpreter.from_bytes(content, arena_size=_ARENA_BYTES)
    for index, values in enumerate(inputs):
        interpreter.set_input(values, index)
    interpreter.invoke()
    return interpreter


def _ones(content):
    interpreter, inputs = runtime.Interpreter.from_bytes(content, arena_size=_ARENA_BYTES), []
    while True:
        try:
            detail = interpreter.get_input_details(len(inputs))
        except IndexError:
            return inputs
        inputs.append(np.ones(detail["shape"], detail["dtype"]))


def _is_near(values, wanted):
    values, wanted = values.astype(np.float64), wanted.astype(np.float64)
    if not np.all(np.isfinite(values)):
        return False
    error, signal = np.sum((values - wanted) ** 2), np.sum(wanted**2)
    return error == 0 or 10 * np.log10(max(signal, 1e-30) / error) >= _SQNR_DB_MIN


def _in_a_child(question):
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        code = 1
        try:
            code = 0 if question() else 1
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def runs(content):
    """Does the interpreter load and run it on ones?"""
    return _in_a_child(lambda: _run(content, _ones(content)))


def agrees(content):
    """Does it run it with the outputs of the LiteRT interpreter?"""

    def near():
        inputs, wanted = _run_reference(content)
        interpreter = _run(content, inputs)
        return all(_is_near(interpreter.get_output(i), values) for i, values in enumerate(wanted))

    return _in_a_child(near)
