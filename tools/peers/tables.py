"""Tables in Markdown and the list of checks that failed."""


def number(value, digits=2):
    return "-" if value is None else f"{value:.{digits}f}"


def signed(value, error=None, digits=2):
    if value is None:
        return "-"
    return f"{value:+.{digits}f}" + ("" if error is None else f" ± {error:.{digits}f}")


class Checks:
    """Figures held against their bounds; what failed is kept for the end of the run."""

    def __init__(self):
        self.failures = []
        self.count = 0

    def fail(self, what):
        self.count += 1
        self.failures.append(what)
        return False

    def at_most(self, what, value, bound, unit="", digits=2):
        self.count += 1
        if value is None or not value <= bound:
            self.failures.append(f"{what}: {number(value, digits)}{unit} > {number(bound, digits)}{unit}")
            return False
        return True

    def at_least(self, what, value, bound, unit="", digits=2):
        self.count += 1
        if value is None or not value >= bound:
            self.failures.append(f"{what}: {number(value, digits)}{unit} < {number(bound, digits)}{unit}")
            return False
        return True


class Table:
    """Prints rows as they come, so that a long run shows where it is."""

    def __init__(self, title, *columns):
        print(f"\n{title}\n\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}", flush=True)
        self._width = len(columns)

    def row(self, *cells):
        if len(cells) != self._width:
            raise ValueError(f"{len(cells)} cells in a table of {self._width} columns")
        print(f"| {' | '.join('' if cell is None else str(cell) for cell in cells)} |", flush=True)
