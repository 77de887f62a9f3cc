"""See tools/check-evidence. A section is a module of sections/ with run(checks, only): it prints tables and says by
`checks` (tables.Checks) what held and what did not."""
import argparse
import importlib
import pathlib
import sys
import time
import traceback

import lathe
import tables


def _sections():
    folder = pathlib.Path(__file__).parent / "sections"
    return sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")


def main():
    known = _sections()
    parser = argparse.ArgumentParser(description="Holds Lathe's evidence to references; fails where a bound is not met.")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"of {', '.join(known)}; all by default")
    parser.add_argument("--only", action="append", metavar="MODEL", help="these models only; may be given again")
    arguments = parser.parse_args()
    unknown = set(arguments.sections) - set(known)
    if unknown:
        parser.error(f"no such section: {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    if lathe.shared_dir() is None:
        sys.exit("check-evidence: set LATHE_SHARED_DIR to the folder that holds models/ and data/")
    checks = tables.Checks()
    for name in arguments.sections or known:
        started = time.monotonic()
        print(f"\n## {name}")
        try:
            importlib.import_module(f"sections.{name}").run(checks, arguments.only)
        except Exception:  # the other tables are wanted all the same
            checks.fail(f"section {name} broke off:\n{traceback.format_exc()}")
        print(f"\n{name}: {time.monotonic() - started:.0f} s", flush=True)
    print(f"\n{checks.count} checks, {len(checks.failures)} failed")
    for failure in checks.failures:
        print(f"FAILED {failure}")
    sys.exit(1 if checks.failures else 0)


if __name__ == "__main__":
    main()
