"""The report page of two int8 jobs in headless Chromium: drawn without an error or a request, and its pictures under docs/images."""
import json
import pathlib
import sys
import tempfile

import numpy as np
from PIL import Image

import labelled
import lathe
import tables

sys.path.insert(0, str(lathe.ROOT))
from tests.support import browser  # noqa: E402

IMAGES = lathe.ROOT / "docs/images"
BYTES_MAX = 1_000_000  # of a page
IMAGE_BYTES_MAX = 300_000
SCREEN, SCREEN_HEIGHT = 1100, 2600  # CSS pixels of the pictures in the documents
PHONE, PHONE_HEIGHT = 390, 2600


def _face_landmark(folder):
    samples = lathe.input_maker().noise((1, 192, 192, 3), 64, 1, 0, 1)
    np.savez(folder / "noise.npz", x=samples)
    return lathe.shared_dir() / "models/face_landmark.tflite", ["--calibration", str(folder / "noise.npz")]


def _speech(_):
    model = labelled.by_name("sp_w2l")
    return model.path(), model.task.lathe_arguments()


MODELS = {"face_landmark": _face_landmark, "sp_w2l": _speech}


def _look(checks, table, name, page, picture, picture_height, **window):
    """Opens the page, checks that everything is drawn, and keeps its upper part as a picture."""
    with browser.Browser(**window) as chromium:
        chromium.open(page)
        errors, requests = chromium.errors(), chromium.requests()
        charts, drawn, wide, verdict = chromium.script("""const charts = [...document.querySelectorAll('.chart')];
          return [charts.length, charts.filter((c) => c.querySelector('svg path') && c.getBoundingClientRect().height > 40).length,
                  document.documentElement.scrollWidth - innerWidth, document.querySelector('h1').textContent];""")
        chromium.screenshot(picture, picture_height)
    with Image.open(picture) as drawn_page:  # few colours: a third of the bytes
        drawn_page.convert("P", palette=Image.Palette.ADAPTIVE, colors=64).save(picture, optimize=True)
    for what in errors + requests:
        checks.fail(f"{name}: {what}")
    checks.at_least(f"{name}: charts drawn", drawn, max(charts, 3), digits=0)
    checks.at_most(f"{name}: pixels beyond the window", wide, 0, digits=0)
    checks.at_most(f"{name}: bytes of the page", page.stat().st_size, BYTES_MAX, digits=0)
    checks.at_most(f"{name}: bytes of its picture", picture.stat().st_size, IMAGE_BYTES_MAX, digits=0)
    table.row(name, verdict, f"{page.stat().st_size:,}", f"{drawn} of {charts}", len(errors), len(requests), f"{picture.stat().st_size:,}")


def run(checks, only):
    if lacking := browser.missing():
        checks.fail(lacking)
        return
    IMAGES.mkdir(exist_ok=True)
    table = tables.Table("Report pages in Chromium", "job", "verdict", "bytes", "charts drawn", "errors", "requests", "bytes of picture")
    for name, inputs in MODELS.items():
        if only and name not in only:
            continue
        with tempfile.TemporaryDirectory() as made:
            folder = pathlib.Path(made)
            model, data = inputs(folder)
            report = lathe.optimize(model, folder / "out.tflite", "--preset", "int8", *data, "--report", str(folder))
            if json.loads((folder / "report.json").read_text()) != report:
                checks.fail(f"{name}: report.json differs from --json")
            page = folder / "report.html"
            _look(checks, table, name, page, IMAGES / f"report-{name}.png", SCREEN_HEIGHT, width=SCREEN, height=SCREEN_HEIGHT)
            if name == "sp_w2l":
                _look(checks, table, f"{name}, phone, dark", page, IMAGES / "report-phone-dark.png", PHONE_HEIGHT, width=PHONE,
                      height=844, dark=True, phone=True)
