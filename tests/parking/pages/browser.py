"""Chromium for the tests of pages, and what is asked of every page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import Browser, ConsoleMessage, Page


@contextmanager
def a_page(browser: Browser, base_url: str, **options: Any) -> Iterator[Page]:
    """Open a page that fails the test for whatever the browser complains about.

    It also fails where a page asks anybody but the site for something, or keeps another cookie
    than that of the session and that of forms.
    """
    context = browser.new_context(
        base_url=base_url, **{"viewport": {"width": 1280, "height": 850}, "locale": "en", **options}
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: _note(message, complaints))
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url))
    yield page
    cookies = {str(cookie.get("name")) for cookie in context.cookies()}
    context.close()
    assert not complaints, complaints
    own = (base_url, settings.LIVE_URL or base_url, "data:", "blob:", "about:")
    others = {url for url in asked if not url.startswith(own)}
    assert not others, f"somebody else was asked: {others}"
    assert cookies <= {"sessionid", "csrftoken"}, cookies


# A page that answers 400, what is no date in a date field, no network: these are what is tested.
_EXPECTED = (
    *("responded with a status of 4", "does not conform to the required format"),
    *("ERR_INTERNET_DISCONNECTED", "Service Worker registration blocked"),
)


def _note(message: ConsoleMessage, complaints: list[str]) -> None:
    if message.type in {"error", "warning"} and not any(
        words in message.text for words in _EXPECTED
    ):
        complaints.append(message.text)


def axe_finds(page: Page) -> list[tuple[str, str, str, Any]]:
    """Return what breaks the rules of accessibility in either theme: where, theme, rule, parts."""
    found = []
    # Only colours differ in the other theme.
    colours = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
    for theme, rules in (("light", None), ("dark", colours)):
        page.emulate_media(color_scheme=theme)
        for one in Axe().run(page, options=rules).response["violations"]:
            targets = [node["target"] for node in one["nodes"]]
            found.append((page.url, theme, one["id"], targets))
    return found


def sideways(page: Page) -> int:
    """Return by how many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


SMALL_TARGETS = """() => [...document.querySelectorAll("a, button, input, select, summary")]
  .filter((one) => one.checkVisibility() && !one.closest(".visually-hidden, .skip-link"))
  .filter((one) => one.type !== "hidden" && !one.closest("p, dd, .leaflet-control-attribution"))
  .map((one) => one.closest("label") || one)
  .map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
  .filter(([, box]) => box.width < 24 || box.height < 24)
  .map(([html, box]) => `${html} ${Math.round(box.width)}x${Math.round(box.height)}`)"""
