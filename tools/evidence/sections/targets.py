"""Which operators `lathe inspect --target` says that a target takes, against what takes them: XNNPACK, the runtime's delegate;
microcontrollers, the interpreter of TensorFlow Lite Micro; the GPU, TensorFlow's model analyzer where tools/gpu-analyzer was run."""
import tempfile

import delegation
import gpu
import gpu_operators
import lathe
import micro
import micro_operators
import one_operator
import predictions
import tables

AGREEMENT_MIN = 0.99  # over the operators of all files; those of single operators one by one

# What the delegate looks at and the analyzer does not: versions, types, ranks, and what breaks the delegate as a whole.
_DELEGATES_OWN = ("versions up to", "dimensions, and there may be", " is int", " is bool", "truth values", "is not a constant",
                  "is a constant", "is not a matrix", "dynamic shape", "same tensor")
# Kinds that the delegate takes without asking what the analyzer asks.
_NOT_ASKED = ("RELU_0_TO_1", "UNPACK")
# What the analyzer's version refused and later ones take; and computed operands, which float16 constants behind DEQUANTIZE are
# to the analyzer alone.
_LATER = ("MUL requires one tensor", "depth_multiplier != 1 && input.c", "tensors must be float and")
_FLOAT16 = "runtime input"


def _target(path, target):
    return lathe.run("inspect", str(path), "--target", target)["targets"][0]


def _rows(path, target="cpu"):
    return _target(path, target)["operator_table"]


def _rows_of_each(contents, target):
    """The row of the one operator of each file."""
    with tempfile.NamedTemporaryFile(suffix=".tflite") as file:
        file.write(one_operator.merged(contents))
        file.flush()
        return _rows(file.name, target)


def _compare(path):
    """(operators, places where rules and runtime differ) of the main subgraph."""
    taken = delegation.delegated(path.read_bytes())
    rows = [row for row in _rows(path) if row["subgraph"] == 0]
    if len(rows) != len(taken):
        raise ValueError(f"{path.stem}: {len(rows)} operators, but the interpreter lists {len(taken)}")
    return len(rows), [(row, found) for row, found in zip(rows, taken) if row["accepted"] != found]


def _files(only):
    for path in predictions.models(only):
        yield path.stem, path
        for preset in predictions.PRESETS:
            try:
                yield f"{path.stem} {preset}", predictions.optimized(path, preset)[0]
            except lathe.LatheError:
                pass  # the job refuses: no file


def _models(checks, only):
    table = tables.Table("XNNPACK by rules and by the runtime", "file", "operators", "agree", "exceptions")
    operators = agreeing = 0
    for name, path in _files(only):
        count, differing = _compare(path)
        operators += count
        agreeing += count - len(differing)
        words = sorted({f"{row['kind']} {'taken' if found else 'left: rules say taken'}" for row, found in differing})
        table.row(name, count, f"{100 * (count - len(differing)) / max(count, 1):.1f} %", "; ".join(words))
    checks.at_least("agreement with the runtime's delegate over all operators", agreeing / max(operators, 1), AGREEMENT_MIN, digits=4)
    print(f"\n{agreeing} of {operators} operators agree ({100 * agreeing / max(operators, 1):.2f} %)")


def _single_operators(checks):
    table = tables.Table("Models of one operator", "operator", "runtime", "rules")
    found = []
    for name, content in one_operator.models():
        try:
            found.append((name, content, delegation.delegated(content)[0]))
        except (RuntimeError, ValueError):
            continue  # the runtime has no such kernel
    for (name, _, taken), row in zip(found, _rows_of_each([content for _, content, _ in found], "cpu")):
        table.row(name, "taken" if taken else "left", "taken" if row["accepted"] else row["reason"])
        checks.count += 1
        if row["accepted"] != taken:
            checks.fail(f"{name}: the runtime's delegate {'took' if taken else 'left'} it, the rules say otherwise")


def _micro_operators(checks):
    """Kinds by types; a row of the table is a form in all types."""
    names, contents = zip(*micro_operators.models())
    runs = [micro.runs(content) for content in contents]
    forms, differing = {}, 0
    for name, found, row in zip(names, runs, _rows_of_each(contents, "microcontroller")):
        form, _, kind = name.rpartition(", ")
        if found:
            forms.setdefault(form, []).append(kind)
        checks.count += 1
        if row["accepted"] != found:
            differing += 1
            checks.fail(f"{name}: TensorFlow Lite Micro {'runs' if found else 'refuses'} it, the rules say otherwise")
    table = tables.Table("What TensorFlow Lite Micro runs of one operator", "operator", "types")
    for form, kinds in forms.items():
        table.row(form, " ".join(kinds))
    print(f"\n{len(names) - differing} of {len(names)} operators and types agree")


def _micro_garbled(checks):
    names, contents = zip(*micro_operators.garbled())
    for name, content, row in zip(names, contents, _rows_of_each(contents, "microcontroller")):
        checks.count += 1
        if row["accepted"] != micro.agrees(content):
            checks.fail(f"{name}: the rules say what TensorFlow Lite Micro does not")


def _is_a_matter_of_degree(target):
    """One scale where there are several: how wrong the outputs are depends on the scales."""
    return target["reasons"] and all(reason.endswith("its scales are by channel") for reason in target["reasons"])


def _micro_models(checks, only):
    table = tables.Table("Whole models on TensorFlow Lite Micro", "file", "as LiteRT", "rules")
    count = differing = 0
    for name, path in _files(only):
        found, target = micro.agrees(path.read_bytes()), _target(path, "microcontroller")
        if _is_a_matter_of_degree(target):
            continue
        count += 1
        table.row(name, "yes" if found else "no", "; ".join(target["reasons"]) or "yes")
        checks.count += 1
        if target["compatible"] != found:
            differing += 1
            checks.fail(f"{name}: TensorFlow Lite Micro {'runs it' if found else 'refuses or garbles it'}, the rules say otherwise")
    print(f"\n{count - differing} of {count} models agree")


def _gpu_file(checks, name_of, path):
    """(operators, those that agree) of a file."""
    wanted, rows, agreeing = gpu.reasons(path), _rows(path, "gpu"), 0
    excuses = (*_LATER, _FLOAT16) if any(row["kind"] == "DEQUANTIZE" for row in rows) else _LATER
    for row in rows:
        why, own = wanted[row["subgraph"], row["index"]], row["reason"] if not row["accepted"] else ""
        agree = bool(why) == bool(own)
        agreeing += agree
        own_matter = any(words in (own or why) for words in (_DELEGATES_OWN if own else excuses))
        excused = own_matter or row["kind"] in _NOT_ASKED
        checks.count += 1
        if not agree and not excused:
            checks.fail(f"GPU, {name_of(row)}: the analyzer says '{why or 'taken'}', the rules '{own or 'taken'}'")
    return len(rows), agreeing


def _gpu(checks, only):
    if not gpu.is_there():
        print("\nThe rules for the GPU delegate are not looked at: run tools/gpu-analyzer first.")
        return
    table = tables.Table("GPU delegate by rules and by the analyzer", "file", "operators", "agree", "the delegate's own conditions")
    if not only:
        names, contents = zip(*gpu_operators.models(), *micro_operators.models(), *one_operator.models())
        with tempfile.NamedTemporaryFile(suffix=".tflite") as file:
            file.write(one_operator.merged(contents))
            file.flush()
            count, agreeing = _gpu_file(checks, lambda row: names[row["subgraph"]], file.name)
        table.row("single operators", count, agreeing, count - agreeing)
    for name, path in _files(only):
        count, agreeing = _gpu_file(checks, lambda row, name=name: f"{name} operator {row['index']} {row['kind']}", path)
        table.row(name, count, agreeing, count - agreeing)


def run(checks, only):
    if not only:
        _single_operators(checks)
        _micro_operators(checks)
        _micro_garbled(checks)
    _models(checks, only)
    _micro_models(checks, only)
    _gpu(checks, only)
