"""The desk's pages about meters in a real browser: by eye, by keyboard, and by axe."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.gis.geos import Point
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from parking import lights
from parking.models import Light, Meter, MeterDeed, Spot, Zone
from tests.parking.admin.conftest import Enter
from tests.parking.admin.situations import a_street
from tests.parking.street import a_street_meter

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def meter(zone: Zone) -> Meter:
    """One of three meters on a street whose lights are wrong."""
    a_street()
    for number in range(1, 4):
        a_street_meter(zone, f"MTR-{number:06d}", lamps=4)
    lights.look(now=timezone.now())
    for number, spot in enumerate(Spot.objects.order_by("id")):
        Spot.objects.filter(pk=spot.pk).update(
            location=Point(24.931 + number * 0.0006, 60.161 + number * 0.0006)
        )
    Light.objects.update(
        desired_light="green",
        desired_pattern="steady",
        desired_at=timezone.now() - timedelta(minutes=5),
    )
    return Meter.objects.get(serial="MTR-000001")


@pytest.fixture
def page(
    browser: Browser,
    live_server: LiveServer,
    enter: Enter,
    operator: User,
) -> Iterator[Page]:
    """A page of a signed-in operator; ends by asserting that the console stayed silent."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    cookie = enter(operator).cookies[settings.SESSION_COOKIE_NAME]
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(live_server.url)
    yield opened
    context.close()
    assert complaints == []


def judged(page: Page, name: str) -> list[str]:
    """Return what axe finds, on a small screen; on a large one, too, all must fit."""
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        if folder := os.environ.get("SCREENSHOTS"):
            page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{wide} px too wide for {width}"
    found = Axe().run(page, options={"preload": False}).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]


def test_the_pages_of_meters_can_be_used_by_everybody(
    page: Page, live_server: LiveServer, meter: Meter
) -> None:
    page.goto(live_server.url + reverse("admin:parking_meter_lights"))
    assert page.locator(".desk-lights__mark").count() == 12
    assert judged(page, "lights") == []
    page.goto(live_server.url + reverse("admin:parking_meter_lamp", args=[meter.pk, 1]))
    assert judged(page, "lamp") == []


def test_a_maintenance_is_begun_by_keyboard_alone(
    page: Page, live_server: LiveServer, meter: Meter
) -> None:
    page.goto(live_server.url + reverse("admin:parking_meter_changelist"))
    page.locator("tbody input.action-select").first.focus()
    page.keyboard.press("Space")
    page.locator("select[name=action]").focus()
    page.keyboard.type("Begin maintenance")
    page.keyboard.press("Enter")
    page.locator("button[name=index]").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert judged(page, "why") == []
    page.locator("#id_why").focus()
    page.keyboard.type("a car hit the pole")
    page.locator("#id_hours").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("2")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "1 meter rests." in page.locator(".messagelist").inner_text()
    assert judged(page, "list") == []
    deed = MeterDeed.objects.get()
    assert (deed.meter, deed.why) == (meter, "a car hit the pole")
