"""The independent peers that the checks measure Lathe against; imported by tools/check-presets, check-roundtrip and bench.

They run in the virtual environment of tests/requirements.lock (see tools/python) and use nothing of Lathe's own code, so
that an error of ours cannot hide itself.
"""
