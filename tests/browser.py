"""Debian's Chromium, for every test that looks at a page."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]


def path_of_chromium() -> str | None:
    """Return which of Debian's two builds to start: the one without windows does half the work."""
    return shutil.which("chromium-headless-shell") or shutil.which("chromium")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the machine's Chromium; one at a time in a process."""
    path = path_of_chromium()
    if path is None:
        pytest.skip("no Chromium on this machine: `apt-get install chromium-headless-shell`")
    # The driver keeps an event loop in this thread; the tests use the database beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
            yield browser
            browser.close()
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
        asyncio.set_event_loop(None)
