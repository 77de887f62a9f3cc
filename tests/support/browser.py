"""Headless Chromium on one page of this machine: what it logs, asks the network for, and draws. Needs Debian's chromium and
chromium-driver, and selenium of tests/requirements.lock (tools/python)."""
import json
import pathlib
import shutil

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

SECONDS_MAX = 60


def missing():
    """What this machine lacks, or None."""
    for program in ("chromium", "chromedriver"):
        if shutil.which(program) is None:
            return f"{program} is not installed (tools/install brings it)"
    return None


class Browser:
    """One window of `width` x `height` CSS pixels. A phone's width needs `phone`: windows are never that narrow."""

    def __init__(self, width=1200, height=900, dark=False, phone=False):
        options = Options()
        options.binary_location = shutil.which("chromium")
        for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars",
                     "--no-first-run", "--disable-background-networking", "--disable-component-update", "--force-color-profile=srgb"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        self.width = width
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        self.command("Emulation.setEmulatedMedia",
                     features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.driver.quit()

    def command(self, name, **arguments):
        return self.driver.execute_cdp_cmd(name, arguments)

    def script(self, text, *arguments):
        return self.driver.execute_script(text, *arguments)

    def open(self, path):
        """Loads the page and waits until its pictures are drawn."""
        self.driver.get(pathlib.Path(path).resolve().as_uri())
        WebDriverWait(self.driver, SECONDS_MAX).until(lambda d: d.execute_script("return document.documentElement.dataset.drawn === 'true'"))

    def errors(self):
        """Everything in the console that is a warning or worse: script errors, refused loads, policy violations."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("WARNING", "SEVERE")]

    def requests(self):
        """The addresses that the page asked for, its own aside."""
        own = self.driver.current_url.split("#")[0]
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        asked = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
        return [url for url in asked if url.split("#")[0] != own and not url.startswith(("chrome:", "about:", "data:"))]

    def screenshot(self, path, height=None):
        """The page from its top: `height` CSS pixels, or all of it."""
        height = height or self.script("return document.documentElement.scrollHeight")
        self.command("Emulation.setDeviceMetricsOverride", width=self.width, height=height, deviceScaleFactor=1, mobile=False)
        pathlib.Path(path).write_bytes(self.driver.get_screenshot_as_png())
