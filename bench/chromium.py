"""Headless Chromium with WebGL and without network, as the interactive map is tested and timed in it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

# WebGL by software: such machines have no graphics card.
SOFTWARE_WEBGL = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]


def program() -> str | None:
    """The installed Chromium or Chrome; none without."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """The installed Chromium, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=SOFTWARE_WEBGL)
        try:
            yield browser
        finally:
            browser.close()
