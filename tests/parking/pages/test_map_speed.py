"""The map stays smooth with 5,000 spots in view, on a processor six times slower than this one."""

from __future__ import annotations

import statistics
import sys
from typing import Any

import pytest
from django.contrib.gis.geos import LineString, MultiLineString, Point
from playwright.sync_api import Browser, Page

from parking.models import Spot, Street
from tests import cast
from tests.parking.pages.browser import a_page

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.torture]

SPOTS, SLOWER = 5_000, 6
STAY = "on=2026-03-03&at=10:00&length=60"
FRAMES = """() => {
  const frames = (window.frames_ms = []);
  let last = performance.now();
  const note = (now) => { frames.push(now - last); last = now; requestAnimationFrame(note); };
  requestAnimationFrame(note);
}"""


@pytest.fixture
def city(transactional_db: None) -> None:
    """50 streets of 100 spots, all in view at zoom 16.5; every twentieth is a bay."""
    zone = cast.a_zone()
    Street.objects.bulk_create(
        Street(
            name=f"Street {row}",
            geometry=MultiLineString(
                LineString((24.93, 60.166 + row / 9000), (24.94, 60.166 + row / 9000))
            ),
        )
        for row in range(50)
    )
    Spot.objects.bulk_create(
        Spot(
            zone=zone,
            number=f"S-{n}",
            street=f"Street {n // 100}",
            location=Point(24.93 + n % 100 / 10_000, 60.166 + n // 100 / 9000, srid=4326),
            features=["accessible"] if n % 20 == 0 else [],
        )
        for n in range(SPOTS)
    )


def frames(page: Page, do: Any) -> list[float]:
    """Return how long each frame took while something was done, in ms."""
    page.evaluate("window.frames_ms.length = 0")
    do()
    page.wait_for_timeout(600)  # the drawing that follows
    return sorted(page.evaluate("window.frames_ms"))


def test_dragging_and_zooming_stay_smooth(browser: Browser, live_server: Any, city: None) -> None:
    with a_page(browser, live_server.url, viewport={"width": 412, "height": 850}) as page:
        page.goto(f"/?{STAY}#16.5/60.1687/24.935")
        page.wait_for_selector("#map-note", state="hidden")
        page.wait_for_load_state("networkidle")
        box = page.locator("#city-map").bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        page.evaluate(FRAMES)

        def drag() -> None:
            page.mouse.move(x, y)
            page.mouse.down()
            for step in range(40):
                page.mouse.move(x - 3 * step, y - 2 * step)
            page.mouse.up()

        def zoom() -> None:
            page.get_by_role("button", name="Zoom out").click()

        for name, do in (("drag", drag), ("zoom", zoom)):
            tries = [frames(page, do) for _ in range(3)]  # the machine may be doing something else
            took = min(tries, key=lambda one: one[-1])
            middle, p95, worst = statistics.median(took), took[int(len(took) * 0.95)], took[-1]
            sys.stdout.write(f"{name}: {middle:.0f} ms, p95 {p95:.0f} ms, worst {worst:.0f} ms\n")
            assert middle < 34, took  # thirty frames in a second
            assert worst < 500, took  # the drawing when the hand is lifted
