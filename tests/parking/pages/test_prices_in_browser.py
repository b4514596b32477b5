"""Prices in a real browser: advice that can be followed, pages that print, nothing for axe."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from parking.languages import in_language
from parking.models import Spot
from tests import cast
from tests.cast import TWO_EURO_AN_HOUR
from tests.parking.pages.browser import SMALL_TARGETS, a_page, axe_finds, sideways

pytestmark = pytest.mark.django_db(transaction=True)

STAY = "on=2026-03-03&at=10:00&length=65"
WEEK = ["mon", "tue", "wed", "thu", "fri"]
BY_THE_HOUR = {
    **TWO_EURO_AN_HOUR,
    "bands": [
        {"days": WEEK, "from": "09:00", "to": "21:00", "tiers": [{"per_hour": 400}]},
        {"days": ["sat", "sun"], "from": "09:00", "to": "03:00", "tiers": [{"per_hour": 0}]},
        {
            "days": ["fri"],
            "from": "21:00",
            "to": "03:00",
            "tiers": [{"upto_min": 60, "per_hour": 100}, {"per_hour": 250}],
            "priority": -1,
        },
    ],
    "increment": {"minutes": 60},
    "cap_per_local_day": 1500,
    "free_if_leq_min": 10,
    "holidays": {f"2026-{month:02}-{day:02}": "x" for month in range(4, 13) for day in (1, 15)},
    "holiday_behaves_like": "sun",
    "vehicle_classes": {"electric": {"percent": 50}, "disabled": {"percent": 0}},
    "tax": {"code": "vat", "rate_bp": 2550},
    "rounding": {"unit": 10},
}


@pytest.fixture
def spot(transactional_db: None) -> Spot:
    """A spot where every kind of advice is given, one street from a cheaper one."""
    cast.a_spot(cast.a_zone("cheap"), "1207", metres_east=180)
    rules = {"lead_time_min": 0, "buffer_min": 10, "no_return_min": 60, "most_stays_ahead": 3}
    return cast.a_spot(cast.a_zone(tariff=BY_THE_HOUR, **rules))


@pytest.mark.parametrize("language", ["en", "fa"])
def test_axe_finds_nothing_on_pages_of_prices(
    browser: Browser, live_server: Any, spot: Spot, language: str
) -> None:
    small = {"width": 390, "height": 850}
    with a_page(browser, live_server.url, locale=language, viewport=small) as page:
        for path in (
            f"/spots/{spot.pk}/?{STAY}",
            "/zones/kamppi/tariff/",
            "/zones/kamppi/tariff/?at=2026-04-01",
            "/zones/kamppi/tariff/?at=x",
        ):
            page.goto(in_language(path, language))
            assert page.locator("html").get_attribute("lang") == language
            assert axe_finds(page) == []
            assert page.evaluate(SMALL_TARGETS) == []
            assert sideways(page) == 0


@pytest.mark.parametrize("script", [True, False])
def test_advice_can_be_followed_and_what_is_typed_stays(
    browser: Browser, live_server: Any, spot: Spot, script: bool
) -> None:
    with a_page(browser, live_server.url, java_script_enabled=script) as page:
        page.goto(f"/spots/{spot.pk}/?{STAY}")
        expect(page.get_by_role("heading", name="10:00–11:05")).to_be_visible()
        page.get_by_label("Number plate").fill("ABC 123")
        page.get_by_role("link", name="Stay until 11:00").click()
        expect(page.get_by_role("heading", name="10:00–11:00")).to_be_visible()
        assert "length=60" in page.url
        expect(page.get_by_label("Length of stay")).to_have_value("60")
        if script:
            expect(page.get_by_label("Number plate")).to_have_value("ABC 123")


def test_prices_print_on_one_sheet(browser: Browser, live_server: Any, spot: Spot) -> None:
    with a_page(browser, live_server.url) as page:
        page.goto("/zones/kamppi/tariff/")
        printed = page.pdf(prefer_css_page_size=True)
    assert re.findall(rb"/Type /Pages\s.*?/Count (\d+)", printed, re.DOTALL) == [b"1"]
