"""The pictures of the README, taken of the running site into `artifacts/pictures`."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from scripts.places import CHECKOUT
from tests.journeys import walk
from tests.journeys.conftest import PHONE, new_page
from tests.journeys.stack import Stack

pytestmark = pytest.mark.journey

PICTURES = CHECKOUT / "artifacts" / "pictures"


def take(page: Page, name: str) -> None:
    """Take a picture that is not empty and not cut at the side."""
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    PICTURES.mkdir(parents=True, exist_ok=True)
    file: Path = PICTURES / f"{name}.png"
    page.screenshot(path=file)
    assert file.stat().st_size > 10_000


def test_pictures_of_the_journey(page: Page, browser: Browser, stack: Stack) -> None:
    page.goto("/?zone=kamppi")
    expect(page.locator(".leaflet-container")).to_be_visible()
    page.wait_for_timeout(800)  # the map moves to the zone
    take(page, "find")

    context, phone = new_page(browser, stack, viewport=PHONE)
    place = walk.next_spot(stack)
    phone.goto(f"/spots/{place.id}/?length=60")
    take(phone, "spot-phone")
    walk.hold(phone, place, email="guest@example.org")
    take(phone, "held-phone")
    walk.go_to_pay(phone, stack)
    walk.type_card(phone, walk.GOOD)
    walk.expect_confirmed(phone, place)
    stack.wait("a green lamp", lambda: walk.lamp(stack, place)["light"] == "green")
    phone.reload()
    take(phone, "confirmed-phone")
    context.close()

    page.goto(stack.street)
    page.wait_for_timeout(800)
    take(page, "street")
    walk.sign_in(page, "auditor")
    page.goto("/audit/")
    take(page, "report")
