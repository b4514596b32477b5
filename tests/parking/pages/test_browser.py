"""The pages in a real browser: map and list as one, keyboard, small windows, both directions."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.gis.geos import LineString, MultiLineString
from playwright.sync_api import Browser, Page, expect

from parking.languages import in_language
from parking.models import Booking, Spot, Street
from tests import cast
from tests.parking.pages.browser import SMALL_TARGETS, a_page, axe_finds, sideways

pytestmark = pytest.mark.django_db(transaction=True)

STAY = "on=2026-03-03&at=10:00&length=60"


@pytest.fixture
def street(transactional_db: None) -> list[Spot]:
    """Two zones on a street with spots of every kind; the first spot is taken."""
    line = MultiLineString(LineString((24.93, 60.168), (24.94, 60.168)))
    Street.objects.create(name="Fredrikinkatu", geometry=line, width_m=14)
    classes = {**cast.TWO_EURO_AN_HOUR, "vehicle_classes": {"electric": {"percent": 50}}}
    zone = cast.a_zone(tariff=classes)
    short = cast.a_zone("short", longest_stay_min=30)
    spots = [
        cast.a_spot(zone, "K-1"),
        cast.a_spot(zone, "K-2", metres_east=60, features=["accessible"]),
        cast.a_spot(zone, "K-3", metres_east=120, features=["ev", "loading", "motorcycle"]),
        cast.a_spot(short, "S-1", metres_east=180),
    ]
    cast.a_hold(spots[0])
    return spots


def pages(spots: list[Spot]) -> list[str]:
    return [
        f"/?{STAY}&show=all",
        f"/?{STAY}#14/60.168/24.936",
        "/?on=x&place=nowhere",
        f"/?{STAY}&place=nowhere",
        f"/spots/{spots[0].pk}/?{STAY}",
        f"/spots/{spots[1].pk}/?{STAY}",
        f"/spots/{spots[1].pk}/?{STAY}0",
        "/bookings/",
        "/zones/kamppi/tariff/",
        "/accounts/login/",
        "/accounts/signup/",
        "/privacy/",
        "/nothing/",
    ]


def at_rest(page: Page, path: str) -> None:
    page.goto(path)
    page.wait_for_load_state("networkidle")


def click_spot(page: Page, spot: Spot) -> None:
    """Click the spot on the map; the map's own geometry says where it is."""
    page.goto("about:blank")
    page.goto(f"/?{STAY}&show=all#19/{spot.location.y}/{spot.location.x}")
    page.wait_for_load_state("networkidle")
    box = page.locator("#city-map").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


@pytest.mark.parametrize("language", ["en", "fa"])
def test_axe_finds_nothing_no_page_scrolls_sideways_and_targets_are_large(
    browser: Browser, live_server: Any, street: list[Spot], language: str
) -> None:
    found = []
    with a_page(browser, live_server.url, locale=language) as page:
        for path in pages(street):
            page.set_viewport_size({"width": 390, "height": 850})
            at_rest(page, in_language(path, language))
            assert page.locator("html").get_attribute("lang") == language
            found += axe_finds(page)
            for width in (320, 390, 1280):
                page.set_viewport_size({"width": width, "height": 850})
                assert (path, width, sideways(page)) == (path, width, 0)
                assert (path, width, page.evaluate(SMALL_TARGETS)) == (path, width, [])
    assert found == []


MOVING = """() => [...document.querySelectorAll("*")].filter((one) => {
  const { transitionDuration, animationDuration } = getComputedStyle(one);
  return `${transitionDuration},${animationDuration}`.split(",").some((s) => parseFloat(s) > 0.01);
}).map((one) => one.outerHTML.slice(0, 80))"""
# In forced colours a fill is not seen; an edge is.
WITHOUT_EDGE = """() => [...document.querySelectorAll(".button, input, select, textarea")]
  .filter((one) => one.checkVisibility() && !["hidden", "checkbox", "radio"].includes(one.type))
  .filter((one) => parseFloat(getComputedStyle(one).borderTopWidth) === 0)
  .map((one) => one.outerHTML.slice(0, 80))"""


def test_pages_serve_who_wants_them_larger_still_or_in_colours_of_their_own(
    browser: Browser, live_server: Any, street: list[Spot]
) -> None:
    media = {"reduced_motion": "reduce", "forced_colors": "active"}
    with a_page(browser, live_server.url, **media) as page:
        for path in pages(street):
            at_rest(page, path)
            assert (path, page.evaluate(MOVING)) == (path, [])
            assert (path, page.evaluate(WITHOUT_EDGE)) == (path, [])
            page.evaluate("document.documentElement.style.fontSize = '200%'")
            assert (path, sideways(page)) == (path, 0)


def test_a_spot_on_the_map_says_its_state_and_leads_to_its_page(
    browser: Browser, live_server: Any, street: list[Spot]
) -> None:
    with a_page(browser, live_server.url) as page:
        click_spot(page, street[1])
        popup = page.locator(".leaflet-popup").last
        expect(popup).to_contain_text("Spot K-2")
        expect(popup).to_contain_text("Free · 2.00")
        expect(popup).to_contain_text("accessible")
        popup.get_by_role("link", name="Choose this spot").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Spot K-2")
        assert STAY.replace(":", "%3A") in page.url
        click_spot(page, street[0])
        expect(popup).to_contain_text("Taken")
        click_spot(page, street[3])
        expect(popup).to_contain_text("The longest stay here is 30 minutes.")


def test_anothers_hold_reaches_the_map(
    browser: Browser, live_server: Any, street: list[Spot]
) -> None:
    with a_page(browser, live_server.url) as page:
        page.clock.install()
        click_spot(page, street[2])
        expect(page.locator(".leaflet-popup")).to_contain_text("Free")
        cast.a_hold(street[2])
        box = page.locator("#city-map").bounding_box()
        assert box is not None
        # An answer that was under way when the spot was held still says that it is free.
        for _ in range(4):
            with page.expect_response("**/map/busy.json*") as renewed:
                page.clock.fast_forward(11_000)
            renewed.value.finished()
            page.wait_for_timeout(500)  # the page reads the answer and draws
            page.locator(".leaflet-popup-close-button").click()
            page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            if "Taken" in page.locator(".leaflet-popup").last.inner_text():
                break
        expect(page.locator(".leaflet-popup").last).to_contain_text("Taken")


def test_a_map_that_cannot_be_renewed_says_so_and_recovers(
    browser: Browser, live_server: Any, street: list[Spot]
) -> None:
    with a_page(browser, live_server.url) as page:
        page.clock.install()
        page.route("**/map/busy.json*", lambda route: route.fulfill(status=418))
        at_rest(page, f"/?{STAY}")
        expect(page.locator("#map-note")).to_contain_text("could not be brought up to date")
        page.unroute("**/map/busy.json*")
        page.clock.fast_forward(60_000)
        expect(page.locator("#map-note")).to_be_hidden()


def test_from_afar_zones_say_how_many_are_free(
    browser: Browser, live_server: Any, street: list[Spot]
) -> None:
    with a_page(browser, live_server.url) as page:
        at_rest(page, f"/?{STAY}#13/60.168/24.936")
        zone = page.get_by_role("button", name="Kamppi, 2 of 3 free, 2.00")
        expect(zone).to_be_visible()
        zone.focus()
        page.keyboard.press("Enter")
        expect(zone).to_be_hidden()


def test_a_search_changes_list_map_and_address_without_a_new_page(
    browser: Browser, live_server: Any, street: list[Spot]
) -> None:
    with a_page(browser, live_server.url) as page:
        at_rest(page, f"/?{STAY}")
        page.evaluate("window.sameDocument = true")
        expect(page.locator(".spot")).to_have_count(2)
        page.get_by_text("More filters").click()
        page.get_by_role("checkbox", name="electric charging").check()
        expect(page.locator(".spot")).to_have_count(1)
        assert "feature=ev" in page.url
        expect(page.locator("#announcer")).to_have_text("1 of 1 spots free")
        assert page.evaluate("document.activeElement.value") == "ev"
        page.go_back()
        expect(page.locator(".spot")).to_have_count(2)
        assert page.evaluate("window.sameDocument")


def test_list_and_map_point_at_each_other(
    browser: Browser, live_server: Any, street: list[Spot]
) -> None:
    with a_page(browser, live_server.url) as page:
        click_spot(page, street[1])
        expect(page.locator(f'[data-spot-id="{street[1].pk}"]')).to_have_attribute("data-lit", "")
        expect(page.locator(f'[data-spot-id="{street[2].pk}"]')).not_to_have_attribute(
            "data-lit", ""
        )


def test_the_area_of_the_map_can_be_listed(
    browser: Browser, live_server: Any, street: list[Spot]
) -> None:
    with a_page(browser, live_server.url) as page:
        where = street[2].location
        at_rest(page, f"/?{STAY}#20/{where.y}/{where.x}")
        page.get_by_role("button", name="List this area").click()
        expect(page.locator(".spot")).to_have_count(1)
        expect(page.locator(".spot")).to_contain_text("K-3")
        assert "bbox=" in page.url
        page.get_by_label("Only in the chosen area of the map").click()
        expect(page.locator(".spot")).to_have_count(2)


def test_the_keyboard_reaches_everything_and_is_trapped_nowhere(
    browser: Browser, live_server: Any, street: list[Spot]
) -> None:
    with a_page(browser, live_server.url) as page:
        at_rest(page, f"/?{STAY}")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        seen = []
        said = "(document.activeElement.id || document.activeElement.text || '').normalize('NFC')"
        for _ in range(120):
            page.keyboard.press("Tab")
            seen.append(page.evaluate(said))
            if seen[-1] == "Tiếng Việt":
                break
        for stop in ("id_place", "id_zone", "id_on", "id_at", "id_length", "Skip the map"):
            assert stop in seen
        assert "city-map" in seen
        assert seen.index("city-map") > seen.index("Skip the map")
        assert seen[-1] == "Tiếng Việt"  # the last of all


def test_the_map_can_be_skipped(browser: Browser, live_server: Any, street: list[Spot]) -> None:
    with a_page(browser, live_server.url) as page:
        at_rest(page, f"/?{STAY}")
        page.get_by_role("link", name="Skip the map").focus()
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "results"


def test_a_new_time_asks_the_price_again_and_keeps_what_was_typed(
    browser: Browser, live_server: Any, street: list[Spot]
) -> None:
    with a_page(browser, live_server.url) as page:
        at_rest(page, f"/spots/{street[1].pk}/?{STAY}")
        page.get_by_label("Number plate").fill("ABC-123")
        page.get_by_label("E-mail").fill("guest@example.org")
        page.get_by_label("Length of stay").select_option("90")
        expect(page.locator(".quote tfoot")).to_contain_text("3.00")
        page.get_by_label("Vehicle").select_option("electric")
        expect(page.locator(".quote tfoot")).to_contain_text("1.50")
        expect(page.get_by_label("Number plate")).to_have_value("ABC-123")
        page.get_by_role("button", name="Hold this spot and pay 1.50").click()
        page.wait_for_url("**/bookings/*/")
        assert Booking.objects.filter(plate="ABC123", vehicle_class="electric").exists()


def test_without_scripts_a_spot_is_found_and_held(
    browser: Browser, live_server: Any, street: list[Spot]
) -> None:
    with a_page(browser, live_server.url, java_script_enabled=False) as page:
        page.goto("/")
        expect(page.get_by_text("It needs JavaScript; the list does not.")).to_be_visible()
        page.get_by_label("Length of stay").select_option("60")
        page.get_by_role("button", name="Search").click()
        page.get_by_role("link", name="K-2").click()
        page.get_by_label("Length of stay").select_option("30")
        page.get_by_role("button", name="Show the price").click()
        page.get_by_label("Number plate").fill("abc 123")
        page.get_by_label("E-mail").fill("guest@example.org")
        page.get_by_role("button", name="Hold this spot").click()
        page.wait_for_url("**/bookings/*/")
    booking = Booking.objects.get(plate="ABC123", spot=street[1])
    assert booking.slots.get().end == cast.at(30)


def test_enter_after_a_taken_spot_tries_this_spot_again_and_no_other(
    browser: Browser, live_server: Any, street: list[Spot]
) -> None:
    _, accessible, wanted, _ = street
    near = cast.a_spot(wanted.zone, "K-4", metres_east=140)
    mine = Booking.objects.filter(plate="MINE99")
    with a_page(browser, live_server.url) as page:
        at_rest(page, f"/spots/{wanted.pk}/?{STAY}")
        page.get_by_label("Number plate").fill("MINE-99")
        page.get_by_label("E-mail").fill("guest@example.org")
        cast.a_hold(wanted)
        page.get_by_role("button", name="Hold this spot").click()
        expect(page.get_by_role("alert")).to_contain_text("Somebody else was faster")
        expect(page.get_by_label("Number plate")).to_have_value("MINE-99")
        with page.expect_navigation():
            page.get_by_label("Number plate").press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("Somebody else was faster")
        assert not mine.exists()
        # An accessible bay is nobody's stand-in who did not ask for one.
        expect(page.get_by_text(f"Spot {accessible.number}", exact=True)).to_have_count(0)
        page.get_by_role("button", name=re.compile("Hold this one ?: Spot K-4")).click()
        page.wait_for_url("**/bookings/*/")
    assert mine.get().spot == near
