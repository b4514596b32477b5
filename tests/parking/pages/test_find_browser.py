"""Finding in a browser: near me without telling where, streets, a price, a misspelling."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, Page, expect

from parking.models import Spot
from tests import cast
from tests.parking.pages.browser import SMALL_TARGETS, a_page, sideways

pytestmark = pytest.mark.django_db(transaction=True)

STAY = "on=2026-03-03&at=10:00&length=60"
ME = {"latitude": 60.16812, "longitude": 24.93637}


@pytest.fixture
def spots(transactional_db: None) -> list[Spot]:
    """Four spots to the east of each other; nobody but those who ask may have the second."""
    zone, dear = cast.a_zone(), cast.a_zone("dear", tariff=_dear())
    spots = [
        cast.a_spot(zone, "K-1"),
        cast.a_spot(zone, "K-2", metres_east=70, features=["accessible"]),
        cast.a_spot(zone, "K-3", metres_east=300),
        cast.a_spot(dear, "D-1", metres_east=100),
    ]
    cast.a_hold(spots[3], cast.at(60))  # at another time
    return spots


def _dear() -> dict[str, Any]:
    band = {**cast.TWO_EURO_AN_HOUR["bands"][0], "tiers": [{"per_hour": 900}]}
    return {**cast.TWO_EURO_AN_HOUR, "bands": [band]}


def at_the_map(page: Page, path: str) -> None:
    page.goto(path)
    page.wait_for_selector("#map-note", state="hidden")
    page.wait_for_load_state("networkidle")


def test_where_i_am_finds_the_nearest_and_leaves_the_browser_in_no_request(
    browser: Browser, live_server: Any, spots: list[Spot]
) -> None:
    allowed = {"geolocation": ME, "permissions": ["geolocation"]}
    with a_page(browser, live_server.url, **allowed) as page:
        at_the_map(page, f"/?{STAY}")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(unquote(request.url)))
        page.get_by_role("button", name="Near me").click()
        rows = page.locator("#near li")
        expect(rows).to_have_count(3)
        assert [row.inner_text().split()[0] for row in rows.all()] == ["D-1", "K-1", "K-3"]
        expect(rows.nth(1)).to_contain_text("2 min on foot")
        page.get_by_role("button", name="Zoom in").click()
        page.wait_for_timeout(600)  # the map asks anew what is taken
        cast.a_hold(spots[3])
        page.get_by_label("Length of stay").select_option("30")
        expect(rows).to_have_count(2)  # what was taken meanwhile is gone
        assert any("busy.json" in url for url in asked)
        boxes = {url.partition("bbox=")[2].partition("&")[0] for url in asked if "bbox=" in url}
        assert len(boxes) == 1  # the city's own, wherever one looks
        told = " ".join([*asked, page.url])
        assert not any(part in told for part in ("60.1681", "24.936", "24.937"))
        assert page.get_by_role("button", name="List this area").is_hidden()
        page.get_by_role("button", name="Near me").click()
        expect(page.locator("#near")).to_be_hidden()


def test_whoever_does_not_say_where_they_are_is_told_what_else_helps(
    browser: Browser, live_server: Any, spots: list[Spot]
) -> None:
    with a_page(browser, live_server.url, permissions=[]) as page:
        at_the_map(page, f"/?{STAY}")
        page.get_by_role("button", name="Near me").click()
        expect(page.locator("#near [role=status]")).to_contain_text("Search for a street instead.")


def test_closer_than_zones_streets_say_how_many_are_free(
    browser: Browser, live_server: Any, spots: list[Spot]
) -> None:
    with a_page(browser, live_server.url) as page:
        at_the_map(page, f"/?{STAY}#15/60.168/24.936")
        street = page.get_by_role("button", name="Fredrikinkatu, 3 of 3 free, 1 accessible free")
        expect(street).to_be_visible()
        street.focus()
        page.keyboard.press("Enter")
        expect(page.locator(".map-zone")).to_have_count(0)  # the spots themselves are drawn


def test_a_price_keeps_list_and_map_to_zones_that_cost_no_more(
    browser: Browser, live_server: Any, spots: list[Spot]
) -> None:
    with a_page(browser, live_server.url) as page:
        at_the_map(page, f"/?{STAY}#13/60.168/24.936")
        expect(page.locator(".map-zone")).to_have_count(2)
        page.get_by_text("More filters").click()
        page.get_by_label("Price of the stay").select_option(label="At most 2.00\xa0€")
        expect(page.locator("#results .spots").last.locator("li")).to_have_count(3)
        expect(page.locator(".map-zone")).to_have_count(1)
        assert "price=200" in page.url
        for width in (320, 1280):
            page.set_viewport_size({"width": width, "height": 850})
            assert (width, sideways(page), page.evaluate(SMALL_TARGETS)) == (width, 0, [])


def test_a_misspelled_street_is_found_by_list_and_map(
    browser: Browser, live_server: Any, spots: list[Spot]
) -> None:
    with a_page(browser, live_server.url) as page:
        at_the_map(page, f"/?{STAY}#13/60.168/24.936")
        page.get_by_label("Street or place").fill("фредрикинкатю")
        page.keyboard.press("Enter")
        expect(page.locator("#results-status")).to_contain_text("comes close: Fredrikinkatu")
        expect(page.locator(".spots .spot__number")).to_have_count(4)
