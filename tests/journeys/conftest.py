"""A browser, and the whole site to use it on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from tests.journeys.stack import Stack

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole site, running."""
    site = Stack(tmp_path_factory.mktemp("logs"))
    try:
        site.up()
        yield site
    finally:
        site.down()


def new_page(browser: Browser, stack: Stack, **options: object) -> tuple[BrowserContext, Page]:
    """Open a window of somebody who has never been here."""
    context = browser.new_context(
        **{"base_url": stack.address, "viewport": DESK, "locale": "en-GB", **options}
    )
    context.set_default_timeout(15_000)
    return context, context.new_page()


@pytest.fixture
def page(browser: Browser, stack: Stack) -> Iterator[Page]:
    """A new visitor's window; the script errors and CSP violations it met fail the test."""
    context, window = new_page(browser, stack)
    complaints: list[str] = []
    window.on("pageerror", lambda error: complaints.append(str(error)))

    def listen(message: ConsoleMessage) -> None:
        # The processor's page answers 402 to a declined card, and Chromium says so; where the site
        # is away for a moment, the page's worker could not fetch, and the page asks again.
        if "net::ERR_FAILED" in message.text:
            return
        if message.type == "error" and message.location["url"].startswith(stack.address):
            complaints.append(message.text)

    window.on("console", listen)
    yield window
    context.close()
    assert not complaints, complaints
