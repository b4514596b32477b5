"""The tariff editor in a real browser: the week is drawn in, and what it means follows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth.models import User
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from parking import tariff_versions
from parking.models import TariffVersion, Zone
from tests import cast
from tests.parking.admin.conftest import Enter
from tests.parking.pages.browser import a_page, sideways

pytestmark = pytest.mark.django_db(transaction=True)
WORKDAYS = ["mon", "tue", "wed", "thu", "fri"]


@pytest.fixture
def draft(zone: Zone) -> TariffVersion:
    """Workdays from nine to six."""
    bands = [{"days": WORKDAYS, "from": "09:00", "to": "18:00", "tiers": [{"per_hour": 300}]}]
    document: dict[str, Any] = {**cast.TWO_EURO_AN_HOUR, "bands": bands}
    start = timezone.now().replace(microsecond=0, second=0) + timedelta(days=2)
    return tariff_versions.draft(
        zone_id=zone.pk, document=document, in_force=DateTimeTZRange(start, None)
    )


@pytest.fixture(params=[1280])
def page(
    request: pytest.FixtureRequest,
    browser: Browser,
    live_server: LiveServer,
    enter: Enter,
    operator: User,
    draft: TariffVersion,
) -> Iterator[Page]:
    """The draft's page before its operator; the browser must not complain."""
    size = {"width": request.param, "height": 1400}
    with a_page(browser, live_server.url, viewport=size) as opened:
        cookie = enter(operator).cookies[settings.SESSION_COOKIE_NAME]
        opened.context.add_cookies(
            [{"name": cookie.key, "value": cookie.value, "url": live_server.url}]
        )
        opened.goto(_change(draft))
        yield opened


def _change(draft: TariffVersion) -> str:
    return reverse("admin:parking_tariffversion_change", args=[draft.pk])


def _point(page: Page, day: int, minute: int) -> tuple[float, float]:
    frame = page.locator(".week__drawing").bounding_box()
    assert frame is not None
    x = 7 + (day + 0.5) * 93 / 7
    y = 4 + minute * 94.5 / 1440
    return frame["x"] + frame["width"] * x / 100, frame["y"] + frame["height"] * y / 100


def _drag(page: Page, begin: tuple[int, int], end: tuple[int, int], nudge: float = 0) -> None:
    page.locator(".week__drawing").scroll_into_view_if_needed()
    x, y = _point(page, *begin)
    page.mouse.move(x, y + nudge)
    page.mouse.down()
    page.mouse.move(*_point(page, *end), steps=6)
    page.mouse.up()


def _words(page: Page) -> Any:
    return page.locator("[data-words]")


def _save(page: Page) -> None:
    with page.expect_navigation():
        page.click(".submit-row input[name=_save]")
    assert page.locator(".messagelist .success").count() == 1


def test_a_band_is_drawn_seen_priced_and_saved(page: Page, draft: TariffVersion) -> None:
    _drag(page, (5, 10 * 60), (6, 16 * 60))

    expect(page.locator("[data-band-row]")).to_have_count(2)
    expect(_words(page)).to_contain_text("Sat, Sun 10:00–16:00")
    expect(page.locator(".week__block[data-day='5']")).to_have_count(1)
    assert page.evaluate("document.activeElement.name").endswith(".per_hour")
    page.keyboard.type("1.50")
    expect(page.locator(".week__block[data-day='5'] .week__price")).to_have_text("1.50 €")
    expect(_words(page)).to_contain_text("New: Sat, Sun 10:00–16:00, 1.50 € an hour")
    draft.refresh_from_db()
    assert len(draft.document["bands"]) == 1  # nothing is written before it is saved
    _save(page)

    draft.refresh_from_db()
    assert draft.document["bands"][1] == {
        "days": ["sat", "sun"],
        "from": "10:00",
        "to": "16:00",
        "tiers": [{"per_hour": 150}],
    }
    page.goto(_change(draft))
    expect(_words(page)).to_contain_text("New: Sat, Sun 10:00–16:00, 1.50 € an hour")


def test_the_edge_of_a_band_is_dragged_and_a_click_leads_to_its_row(page: Page) -> None:
    _drag(page, (2, 18 * 60), (2, 20 * 60), nudge=-3)

    expect(page.locator("[name='document:bands[0].to']")).to_have_value("20:00")
    expect(page.locator("[data-band-row]")).to_have_count(1)
    expect(_words(page)).to_contain_text("Mon–Fri 09:00–20:00")
    page.mouse.click(*_point(page, 0, 12 * 60))
    assert page.evaluate("document.activeElement.name") == "document:bands[0].from"


def test_a_band_over_another_one_goes_before_it(page: Page) -> None:
    _drag(page, (0, 12 * 60), (0, 14 * 60))

    expect(page.locator(".week__block[data-day='0']")).to_have_count(3)
    assert page.locator("[name$='.priority']").nth(1).input_value() == "-1"
    expect(page.locator("[data-wrong]:visible")).to_have_count(0)


def test_a_problem_stands_at_its_field_and_goes_when_it_is_mended(page: Page) -> None:
    field = page.locator("[name='document:bands[0].to']")
    wrong = page.locator("[data-path='bands[0].to'] [data-wrong]")
    field.fill("25:00")
    expect(wrong).to_have_text("must be a time such as 09:00")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(_words(page)).to_contain_text("until the document is complete")

    field.fill("19:00")
    expect(wrong).to_have_text("")
    expect(field).not_to_have_attribute("aria-invalid", "true")


def test_a_stay_is_asked_about(page: Page) -> None:
    page.select_option("#ask-day", "1")
    page.fill("#ask-clock", "17:00")
    page.fill("#ask-minutes", "120")

    expect(_words(page).locator(".tariff-answer")).to_contain_text("→ 3.00 €")
    expect(_words(page).locator(".tariff-because")).to_contain_text("17:00–18:00")


def test_the_json_follows_the_fields_and_leads_them(page: Page, draft: TariffVersion) -> None:
    def slowly(route: Route) -> None:
        time.sleep(0.6)  # longer than the editor waits before it draws a preview of what is typed
        route.continue_()

    page.route("**/preview/", slowly)
    page.fill("[name='document:bands[0].tiers[0].per_hour']", "3.50")
    page.check("[name='document:author'][value=json]")
    text = page.locator("textarea[name=document]")
    expect(text).to_be_visible()
    written = text.input_value()
    assert '"per_hour": 350' in written

    text.fill(written.replace("350", "275"))
    page.check("[name='document:author'][value=fields]")
    price = page.locator("[name='document:bands[0].tiers[0].per_hour']")
    expect(price).to_have_value("2.75")
    expect(text).to_be_hidden()
    _save(page)
    draft.refresh_from_db()
    assert draft.document["bands"][0]["tiers"] == [{"per_hour": 275}]


def test_rows_come_and_go_by_keyboard(page: Page) -> None:
    page.locator("summary", has_text="by length of stay").press("Enter")
    page.locator("[data-rows=ladder] [data-add]").press("Enter")
    assert page.evaluate("document.activeElement.name").endswith(".upto_min")
    page.keyboard.type("30")
    page.keyboard.press("Tab")
    page.keyboard.type("1.00")
    expect(_words(page)).to_contain_text("Up to 30 min: 1.00 € in all")

    page.locator("[data-rows=ladder] [data-remove]").press("Space")
    expect(_words(page)).not_to_contain_text("Up to 30 min")


@pytest.mark.parametrize("page", [1280, 390], indirect=True)
def test_the_pages_are_accessible_and_fit(page: Page, draft: TariffVersion, zone: Zone) -> None:
    law = zone.tariffs.get(version=1)
    compare = reverse("admin:parking_tariffversion_compare", args=[draft.pk])
    addresses = [
        _change(draft),
        _change(law),
        f"{compare}?with={law.pk}",
        reverse("admin:parking_tariffversion_upload"),
        reverse("admin:parking_tariffversion_add"),
        f"{reverse('admin:parking_tariffversion_add')}?from={law.pk}",
    ]
    page.context.new_cdp_session(page).send("Page.setBypassCSP", {"enabled": True})
    for address in addresses:
        page.goto(address)
        assert sideways(page) <= 0, address
        found = Axe().run(page).response["violations"]
        said = [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]
        assert said == [], address
