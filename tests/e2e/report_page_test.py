#!/usr/bin/env python3
"""The report page in headless Chromium: it draws everything without an error or a request, reads well on a phone and in dark
mode, can be used by keyboard, and hostile names do nothing. Run by tools/python.

    report_page_test.py RENDER_PAGE AXE
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
from tests.e2e import page_reports  # noqa: E402
from tests.support import browser  # noqa: E402

RENDER_PAGE = AXE = None
BYTES_MAX = 1_000_000  # of a page with an ordinary report

CHARTS = """return [...document.querySelectorAll('.chart')].map((chart) => {
  const svg = chart.querySelector('svg'), box = svg ? svg.getBoundingClientRect() : {width: 0, height: 0};
  const marks = svg ? [...svg.querySelectorAll('.mark-rect path, .mark-symbol path, .mark-line path, .mark-area path')] : [];
  const drawn = marks.filter((mark) => { const b = mark.getBBox(); return b.width > 0 || b.height > 0; }).length;
  return {label: chart.getAttribute('aria-label'), width: box.width, height: box.height, drawn,
          words: !!chart.closest('figure').querySelector('.note').textContent};
});"""

# Text on its own ground, both as the browser resolved them.
AXE_RUN = """const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ['violations']}).then(
  (found) => done(found.violations.filter((v) => ['serious', 'critical'].includes(v.impact))
    .map((v) => v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200)).join(' | '))), (error) => done([String(error)]));"""


class ReportPageTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def page(self, report):
        path = pathlib.Path(self.folder.name) / "report.html"
        with open(path, "wb") as out:
            subprocess.run([RENDER_PAGE], input=json.dumps(report).encode(), stdout=out, check=True)
        return path

    def open(self, report, **window):
        """The open page, after what holds for every page."""
        chromium = browser.Browser(**window)
        self.addCleanup(chromium.driver.quit)
        chromium.open(self.page(report))
        self.assertEqual(chromium.errors(), [])
        self.assertEqual(chromium.requests(), [])
        self.assertGreater(len(chromium.script("return document.querySelector('h1').textContent")), 15)
        for chart in chromium.script(CHARTS):
            self.assertGreater(chart["width"], 100, chart)
            self.assertGreater(chart["height"], 40, chart)
            self.assertGreater(chart["drawn"], 0, chart)
            self.assertTrue(chart["label"] and chart["words"], chart)
        self.assertFalse(chromium.script("return window.broken === 1"))
        return chromium

    def test_draws_every_group(self):
        chromium = self.open(page_reports.full())
        sections = chromium.script("return [...document.querySelectorAll('main section')].map((s) => s.id)")
        self.assertEqual(sections, ["gates", "comparison", "error", "warnings", "causes", "tried", "operators", "sensitivity",
                                    "profile", "ranges", "weights", "size", "compatibility", "plan", "provenance"])
        self.assertEqual(len(chromium.script(CHARTS)), 24)
        self.assertIn("3.8× smaller and 1.8× faster", chromium.script("return document.querySelector('h1').textContent"))

    def test_weighs_less_than_a_megabyte(self):
        self.assertLess(self.page(page_reports.full()).stat().st_size, BYTES_MAX)

    def test_shows_reports_with_missing_groups(self):
        for make, words in ((page_reports.data_free, "smaller"), (page_reports.benchmark, "2.5"), (page_reports.dry_run, "nothing was made")):
            with self.subTest(make.__name__):
                self.assertIn(words, self.open(make()).script("return document.querySelector('h1').textContent"))

    def test_hostile_names_do_nothing(self):
        chromium = self.open(page_reports.hostile())
        self.assertEqual(chromium.script("return document.querySelectorAll('main img, main script, main a[href^=javascript]').length"), 0)
        self.assertEqual(chromium.script("return document.scripts.length"), 5)  # the report and four of ours
        text = chromium.script("return document.body.innerText")
        self.assertNotRegex(text, "[\u202a-\u202e\u2066-\u2069]")
        self.assertNotRegex(text, "\u0301{4}")

    def test_fits_a_phone_in_dark_mode(self):
        for report in (page_reports.full(), page_reports.hostile()):
            chromium = self.open(report, width=375, height=800, dark=True, phone=True)
            self.assertLessEqual(chromium.script("return document.documentElement.scrollWidth"), 375)
            ground = chromium.script("return getComputedStyle(document.body).backgroundColor")
            self.assertLess(max(int(part) for part in ground[4:-1].split(",")), 60, ground)

    def test_keyboard_reaches_everything(self):
        chromium = self.open(page_reports.full())
        reached = set()
        for _ in range(120):
            for kind in ("keyDown", "keyUp"):
                chromium.command("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
            reached.add(chromium.script("""const all = [...document.querySelectorAll('*')];
                return all.indexOf(document.activeElement);"""))
        wanted = chromium.script("""const all = [...document.querySelectorAll('*')];
            return [...document.querySelectorAll('a, summary, .scroll')].filter((e) => e.checkVisibility())
              .map((e) => all.indexOf(e));""")
        self.assertGreater(len(wanted), 20)
        self.assertEqual(set(wanted) - reached, set())

    def test_has_no_serious_violations(self):
        for dark in (False, True):
            with self.subTest(dark=dark):
                chromium = self.open(page_reports.full(), dark=dark)
                chromium.script("for (const d of document.querySelectorAll('details')) d.open = true;")
                chromium.script(pathlib.Path(AXE).read_text(encoding="utf-8"))
                self.assertEqual(chromium.driver.execute_async_script(AXE_RUN), [])


if __name__ == "__main__":
    RENDER_PAGE, AXE = sys.argv[1:3]
    lacking = browser.missing()
    if lacking and os.environ.get("LATHE_REQUIRE_SHARED") == "1":
        sys.exit(f"report_page_test: {lacking}")
    if lacking:
        print(f"skipped: {lacking}")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
