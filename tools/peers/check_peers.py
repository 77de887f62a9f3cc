"""See tools/check-peers."""
import argparse
import importlib
import sys
import time
import traceback

import lathe
import quantizer
import workbench

SECTIONS = ("accuracy", "rescaled", "residual", "error", "size", "latency", "jobs", "determinism", "converter")


def main():
    parser = argparse.ArgumentParser(description="Measures Lathe beside litert-quantizer; fails where a bound is not met.")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"of {', '.join(SECTIONS)}; all by default")
    parser.add_argument("--only", action="append", metavar="MODEL", help="these models only; may be given again")
    arguments = parser.parse_args()
    unknown = set(arguments.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"no such section: {', '.join(sorted(unknown))}; known: {', '.join(SECTIONS)}")
    if lathe.shared_dir() is None:
        sys.exit("check-peers: set LATHE_SHARED_DIR to the folder that holds models/ and data/")
    bench = workbench.Workbench()
    print(f"litert-quantizer {quantizer.version()} on repaired copies; both by the stock interpreter.")
    for name in arguments.sections or SECTIONS:
        started = time.monotonic()
        print(f"\n## {name}")
        try:
            importlib.import_module(f"sections.{name}").run(bench, arguments.only)
        except Exception:  # the other tables are wanted all the same
            bench.checks.fail(f"section {name} broke off:\n{traceback.format_exc()}")
        print(f"\n{name}: {time.monotonic() - started:.0f} s", flush=True)
    failures = bench.checks.failures
    print(f"\n{bench.checks.count} checks, {len(failures)} failed")
    for failure in failures:
        print(f"FAILED {failure}")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
