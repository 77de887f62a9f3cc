#!/usr/bin/env python3
"""Makes the page that wire/report_page.h fills: the template with its style and scripts inlined, and the policy that
allows these scripts alone. The one place that is left, @REPORT@, takes the JSON of a report. Used by the build.

    assemble.py OUTPUT TEMPLATE STYLE SCRIPT...
"""
import base64
import hashlib
import pathlib
import re
import sys


def script_text(paths):
    """The scripts as one, which no tag inside a string can end."""
    text = "\n".join(pathlib.Path(path).read_text(encoding="utf-8") for path in paths)
    text = re.sub(r"^//# sourceMappingURL=.*$", "", text, flags=re.M)
    return re.sub(r"</(?=script)", r"<\\/", text, flags=re.I).replace("<!--", "<\\!--")


def as_script(path):
    """A library as a plain script. An ES module takes its imports from, and leaves its exports in, the object `vega`."""
    text = script_text([path])
    text = re.sub(r"^import (\{[^}]*\}) from '[^']*';$", r"const \1 = vega;", text, flags=re.M)
    exports = re.findall(r"^export \{ (\w+) as (\w+) \};$", text, flags=re.M)
    if not exports:
        return text
    kept = re.sub(r"^export .*$", "", text, flags=re.M)
    names = "".join(f"vega.{public} = {inner};" for inner, public in exports)
    return "(() => {\n" + kept + "\n" + names + "\n})();"


def main():
    output, template, style, *scripts = sys.argv[1:]
    libraries = [path for path in scripts if "/page/" not in path]
    own = [path for path in scripts if "/page/" in path]
    bodies = ["\n" + as_script(path) + "\n" for path in libraries]
    bodies.append("\n'use strict';\n(() => {\n" + script_text(own) + "\n})();\n")
    hashes = ["'sha256-" + base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() + "'" for body in bodies]
    page = pathlib.Path(template).read_text(encoding="utf-8")
    page = page.replace("@STYLE@", pathlib.Path(style).read_text(encoding="utf-8"))
    page = page.replace("@SCRIPT_HASHES@", " ".join(hashes))
    page = page.replace("@SCRIPTS@", "\n".join(f"<script>{body}</script>" for body in bodies))
    if page.count("@REPORT@") != 1:
        sys.exit("assemble.py: @REPORT@ must stand exactly once")
    pathlib.Path(output).write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
