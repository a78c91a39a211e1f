"""Headless Chromium for tests: started without a network of its own, read through its logs and its DevTools."""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

WAIT_S = 60.0  # for a page that a busy machine draws slowly
Found = TypeVar("Found")


def programs() -> tuple[str, str] | None:
    """Where Chromium and its driver are; None where one of them is missing."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


def make_options(browser: str, *, width: int, height: int, scale: float) -> Options:
    """Options of a quiet browser, ``width`` x ``height`` CSS pixels at ``scale`` device pixels each."""
    options = Options()
    options.binary_location = browser
    for word in (
        "--headless=new",
        f"--window-size={width},{height}",
        f"--force-device-scale-factor={scale:g}",
        "--hide-scrollbars",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--no-first-run",
        "--no-proxy-server",
        "--lang=en-GB",
    ):
        options.add_argument(word)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # Chromium's sandbox refuses root
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    return options


class Browser:
    """One window of Chromium."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        """Opens a page; what was logged before is forgotten."""
        self.requests()
        self.errors()
        self.driver.get(url)

    def run(self, script: str, *arguments: object) -> Any:
        """What a JavaScript function body returns."""
        return self.driver.execute_script(script, *arguments)

    def wait(self, what: str, ask: Callable[[], Found], timeout_s: float = WAIT_S) -> Found:
        """The first true answer of ``ask``; a TimeoutException names ``what`` was waited for."""
        return WebDriverWait(self.driver, timeout_s, poll_frequency=0.1).until(lambda _: ask(), f"no {what}")

    def wait_for(self, css: str, text: str = "", timeout_s: float = WAIT_S) -> Any:
        """The first visible element of a selector whose text holds ``text``."""
        script = """return [...document.querySelectorAll(arguments[0])].find(
            each => each.checkVisibility() && each.textContent.includes(arguments[1]))"""
        return self.wait(f"{css} with {text!r}", lambda: self.run(script, css, text), timeout_s)

    def requests(self) -> list[str]:
        """URLs that were asked for since the last call, those of the document itself included."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        sent = [each["params"] for each in messages if each["method"] == "Network.requestWillBeSent"]
        return [each["request"]["url"] for each in sent]

    def errors(self) -> list[str]:
        """Errors on the console since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def command(self, name: str, **parameters: object) -> dict[str, Any]:
        """The answer of a DevTools command."""
        answer: dict[str, Any] = self.driver.execute_cdp_cmd(name, parameters)
        return answer

    def resize(self, width: int, height: int = 900, scale: float = 1) -> None:
        """Gives the page a viewport of that many CSS pixels, narrower ones than a window can have too."""
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False
        )

    def cut_network(self) -> None:
        """Makes every request over a network fail; files still open."""
        self.command("Network.enable")
        self.command(
            "Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0
        )

    def pdf(self) -> bytes:
        """The page as it prints, on the paper that it asks for."""
        printed = self.command("Page.printToPDF", preferCSSPageSize=True, printBackground=True)
        return base64.b64decode(printed["data"])

    def picture(self, path: Path, css: str = "") -> None:
        """Writes what the viewport shows as PNG, or the whole of the first element of a selector."""
        clip = self.run(_BOX, css) if css else None
        beyond = {"clip": {**clip, "scale": 1}, "captureBeyondViewport": True} if clip else {}
        shot = self.command("Page.captureScreenshot", format="png", **beyond)
        path.write_bytes(base64.b64decode(shot["data"]))


_BOX = """
const box = document.querySelector(arguments[0]).getBoundingClientRect();
return {x: box.x + scrollX, y: box.y + scrollY, width: box.width, height: box.height};
"""


@contextmanager
def chromium(*, width: int = 1280, height: int = 900, scale: float = 1) -> Iterator[Browser]:
    """A browser that ends with the block; RuntimeError where no Chromium is installed."""
    found = programs()
    if found is None:
        raise RuntimeError(
            "chromium and chromedriver are not installed; on Debian: apt install chromium chromium-driver"
        )
    options = make_options(found[0], width=width, height=height, scale=scale)
    driver = webdriver.Chrome(options=options, service=Service(found[1]))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
