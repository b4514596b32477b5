"""From the first page to a paid booking, as somebody who has never been here, in every way."""

from __future__ import annotations

import itertools
import re
import sys
import time
from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from django.utils import translation
from playwright.sync_api import Browser, Locator, Page, expect

from scripts.places import CHECKOUT
from tests.journeys import walk
from tests.journeys.conftest import DESK, PHONE, new_page
from tests.journeys.stack import Stack

pytestmark = pytest.mark.journey

PICTURES = CHECKOUT / "artifacts" / "pictures" / "ways"
# Lighthouse's "slow 4G": what a phone has in the rain.
SLOW = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 90_000}


@dataclass(frozen=True)
class Way:
    """How somebody comes: window, language, theme, what the hand is on, what the network gives."""

    width: int = PHONE["width"]
    language: str = "en"
    theme: str = "light"
    keys: bool = False
    scripts: bool = True
    slow: bool = False

    def __str__(self) -> str:
        marks = [mark for mark in ("keys", "slow") if getattr(self, mark)]
        scripts = [] if self.scripts else ["no-scripts"]
        return "-".join([str(self.width), self.language, self.theme, *marks, *scripts])


HARDEST = Way(keys=True, slow=True)
WAYS = [
    Way(width, language, theme, **hand)
    for width, language, theme, hand in itertools.product(
        (PHONE["width"], DESK["width"]),
        ("en", "fa"),
        ("light", "dark"),
        ({}, {"keys": True}, {"scripts": False}, {"slow": True}),
    )
]


@pytest.mark.parametrize(
    "way",
    [HARDEST, *(pytest.param(way, marks=pytest.mark.torture) for way in WAYS)],
    ids=str,
)
def test_a_new_user_has_paid_within_a_minute(browser: Browser, stack: Stack, way: Way) -> None:
    height = (PHONE if way.width == PHONE["width"] else DESK)["height"]
    context, page = new_page(
        browser,
        stack,
        viewport={"width": way.width, "height": height},
        locale=way.language,
        color_scheme=way.theme,
        java_script_enabled=way.scripts,
    )
    if way.slow:
        network = context.new_cdp_session(page)
        network.send("Network.enable")
        network.send("Network.emulateNetworkConditions", SLOW)
    with translation.override(way.language):
        first = reverse("parking:find")
    walker = Walker(page, way)
    began = time.monotonic()

    page.goto(first)
    walker.look("1-find")
    walker.press(page.locator("a.spot").first)
    page.wait_for_url("**/spots/**")
    walker.look("2-spot")
    walker.write(page.locator("#hold input[name=plate]"), "abc-123")
    walker.write(page.locator("#hold input[name=email]"), "guest@example.org")
    walker.press(page.locator("#hold button[type=submit]:not([name])"))
    page.wait_for_url(re.compile(r"/bookings/\w{8}/$"))
    reference = page.url.rstrip("/").rsplit("/", 1)[-1]
    walker.look("3-held")
    walker.press(page.locator("form[action$='/pay/'] button"))
    page.wait_for_url(f"**:{stack.ports.sandbox}/c/pay/**")
    walker.write(page.get_by_label("Card number"), walk.GOOD)
    walker.write(page.get_by_label(re.compile("Expiry")), "12 / 34")
    walker.write(page.get_by_label(re.compile("Security code")), "123")
    walker.press(page.locator("button.pay"))
    page.wait_for_url(re.compile(rf"/bookings/{reference}/"))
    expect(page.locator("[data-status-state=confirmed]")).to_be_visible(timeout=20_000)

    took = time.monotonic() - began - walker.looked
    walker.look("4-booked")
    context.close()
    sys.stdout.write(f"{way}: {took:.1f} s, {walker.keys} keys\n")
    assert walk.slot(stack, reference)[0] == "confirmed"
    assert took < 60


class Walker:
    """Uses the page as the way has it: by mouse and touch, or by keys alone."""

    def __init__(self, page: Page, way: Way) -> None:
        self.page, self.way = page, way
        self.looked = 0.0
        self.keys = 0

    def press(self, target: Locator) -> None:
        """Follow a link or press a button."""
        if self.way.keys:
            self._tab_to(target)
            self._key("Enter")
        else:
            target.click()

    def write(self, field: Locator, text: str) -> None:
        """Write into a field."""
        if self.way.keys:
            self._tab_to(field)
            self.page.keyboard.type(text)
            self.keys += len(text)
        else:
            field.fill(text)

    def look(self, name: str) -> None:
        """Keep a picture, and let axe look; the time that this takes is not the visitor's."""
        began = time.monotonic()
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{self.way}-{name}.png")
        assert self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        if self.way.scripts and self.way is not HARDEST:
            assert Axe().run(self.page).response["violations"] == []
        self.looked += time.monotonic() - began

    def _tab_to(self, target: Locator) -> None:
        expect(target).to_be_visible()
        for _ in range(150):
            if target.evaluate("element => element === document.activeElement"):
                return
            self._key("Tab")
        raise AssertionError(f"no key leads to {target}")

    def _key(self, name: str) -> None:
        self.page.keyboard.press(name)
        self.keys += 1
