"""One table of tools/check-peers each: run(bench, only) prints it and holds its figures against their bounds."""
