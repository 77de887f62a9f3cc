"""Bytes of every file in every scheme beside litert-quantizer's, with what each left in float."""
import catalogue
import lathe
import quantizer
import structure
import tables

STATIC = ("int8", "int16x8")
SPAM_DYNAMIC_RANGE_BYTES_MAX = 400_000
UNCHANGED_MIN = 0.95  # share of the input's bytes from which on the peer's file counts as unchanged
# How Lathe is asked for a scheme that is not a preset.
_RECIPES = {"dynamic-range-int4": {"quantize": {"scheme": "DYNAMIC_RANGE", "weights": {"bits": 4}}}}


def _arguments(bench, entry, scheme):
    chosen = bench.recipe(scheme, **_RECIPES[scheme]) if scheme in _RECIPES else ["--preset", scheme]
    return [*chosen, *(entry.lathe_arguments() if scheme in STATIC else [])]


def _peer(bench, entry, scheme):
    try:
        samples = entry.calibration() if scheme in STATIC else None
        return bench.peers.get(entry.path.read_bytes(), quantizer.Settings(scheme), samples), ""
    except quantizer.PeerError as error:
        return None, str(error)


def run(bench, only):
    table = tables.Table("Bytes, float32 inputs and outputs; in brackets how many operators compute in float",
                         "model", "scheme", "float", "ours", "litert-quantizer", "ours / its", "")
    for entry in catalogue.entries(only):
        before = entry.path.stat().st_size
        for scheme in quantizer.SCHEMES:
            theirs, thrown = _peer(bench, entry, scheme)
            described = lambda content: f"{len(content):,} ({len(structure.float_operators(content))})"
            its = described(theirs) if theirs else thrown[:60]
            what = f"{entry.name} {scheme}"
            try:
                mine, _ = bench.optimize(f"{entry.name}.{scheme}", entry.path, *_arguments(bench, entry, scheme))
            except lathe.LatheError as error:
                good = error.reason in catalogue.REFUSALS and (theirs is None or len(theirs) >= UNCHANGED_MIN * before)
                good = good or bench.checks.fail(f"{what}: {error}")
                table.row(entry.name, scheme, f"{before:,}", f"{error}"[:120], its, "", "ok" if good else "FAILED")
                continue
            good = bench.checks.at_most(f"{what}, bytes beside its input's", len(mine), before, digits=0)
            if theirs:
                good &= bench.checks.at_most(f"{what}, bytes beside litert-quantizer's", len(mine), len(theirs), digits=0)
            if (entry.name, scheme) == ("spam_tx", "dynamic-range"):
                good &= bench.checks.at_most(f"{what}, bytes", len(mine), SPAM_DYNAMIC_RANGE_BYTES_MAX, digits=0)
            table.row(entry.name, scheme, f"{before:,}", described(mine), its, tables.number(len(mine) / len(theirs), 3) if theirs else "",
                      "ok" if good else "FAILED")
