"""Which operators `lathe inspect --target cpu` says that XNNPACK takes, against what the runtime's delegate took."""
import tempfile

import delegation
import lathe
import one_operator
import predictions
import tables

AGREEMENT_MIN = 0.99  # over the operators of all files; those of single operators one by one


def _rows(path):
    return lathe.run("inspect", str(path), "--target", "cpu")["targets"][0]["operator_table"]


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
    with tempfile.NamedTemporaryFile(suffix=".tflite") as file:
        for name, content in one_operator.models():
            try:
                found = delegation.delegated(content)[0]
            except (RuntimeError, ValueError):
                continue  # the runtime has no such kernel
            file.seek(0)
            file.truncate()
            file.write(content)
            file.flush()
            row = _rows(file.name)[0]
            table.row(name, "taken" if found else "left", "taken" if row["accepted"] else row["reason"])
            checks.count += 1
            if row["accepted"] != found:
                checks.fail(f"{name}: the runtime's delegate {'took' if found else 'left'} it, the rules say otherwise")


def run(checks, only):
    if not only:
        _single_operators(checks)
    _models(checks, only)
