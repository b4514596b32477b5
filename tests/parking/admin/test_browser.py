"""The desk in a real browser: drawing works under the strict content security policy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.urls import reverse
from playwright.sync_api import Browser, ConsoleMessage, Page
from pytest_django.live_server_helper import LiveServer

from parking import roles
from parking.models import Spot, Zone
from tests import cast
from tests.parking.admin.conftest import Enter
from tests.parking.admin.situations import a_street, rows_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def page(
    browser: Browser, live_server: LiveServer, enter: Enter, superuser: User
) -> Iterator[Page]:
    """A page of a signed-in superuser; ends by asserting that the console stayed silent."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    cookie = enter(superuser).cookies[settings.SESSION_COOKIE_NAME]
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    opened = context.new_page()
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        # Leaflet.draw 1.0 calls an old name of Leaflet 1.9 and is told so.
        known = "favicon" in message.location["url"] or "Deprecated use of _flat" in message.text
        if message.type in {"error", "warning"} and not known:
            complaints.append(message.text)

    opened.on("console", hear)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(live_server.url)  # so that later addresses may be relative
    yield opened
    context.close()
    assert complaints == []


def _open(page: Page, live_server: LiveServer, name: str, *args: object) -> None:
    page.goto(live_server.url + reverse(f"admin:{name}", args=args))


def _save(page: Page) -> None:
    with page.expect_navigation():
        page.click("input[name=_save]")
    assert page.locator(".errornote, .errorlist").all_inner_texts() == []
    assert page.locator(".messagelist .success").count() == 1


def test_a_zone_is_drawn_on_the_map(page: Page, live_server: LiveServer, zone: Zone) -> None:
    a_street()
    with page.expect_response("**/drawing.json") as streets:
        _open(page, live_server, "parking_zone_add")
    assert streets.value.status == 200
    page.locator("#id_name").press_sequentially("Töölö")
    page.click(".leaflet-draw-draw-polygon")
    drawn = page.locator("#id_boundary-map")
    drawn.scroll_into_view_if_needed()
    frame = drawn.bounding_box()
    assert frame is not None
    assert frame["width"] > 720  # as wide as the form
    corners = [(500, 150), (700, 150), (700, 300), (500, 300)]
    for x, y in [*corners, corners[0]]:
        page.mouse.move(frame["x"] + x, frame["y"] + y, steps=5)  # as a hand does
        page.mouse.click(frame["x"] + x, frame["y"] + y)
    _save(page)

    made = Zone.objects.get(name="Töölö")
    assert made.code == "toolo"
    assert made.boundary.geom_type == "MultiPolygon"
    assert made.boundary.valid
    assert made.boundary.num_coords == 5
    assert made.stay_rules.longest_stay_min == 240


def test_a_zone_with_an_island_and_a_hole_survives_editing(
    page: Page, live_server: LiveServer, zone: Zone
) -> None:
    outer = ((24.92, 60.16), (24.95, 60.16), (24.95, 60.18), (24.92, 60.18), (24.92, 60.16))
    hole = ((24.93, 60.165), (24.94, 60.165), (24.94, 60.17), (24.93, 60.17), (24.93, 60.165))
    island = ((24.96, 60.16), (24.97, 60.16), (24.97, 60.17), (24.96, 60.17), (24.96, 60.16))
    zone.boundary = MultiPolygon(Polygon(outer, hole), Polygon(island), srid=4326)
    zone.save(update_fields=["boundary"])

    _open(page, live_server, "parking_zone_change", zone.pk)
    page.click(".leaflet-draw-edit-edit")
    corner = page.locator(".leaflet-editing-icon").first.bounding_box()
    assert corner is not None
    page.mouse.move(corner["x"] + 4, corner["y"] + 4)
    page.mouse.down()
    page.mouse.move(corner["x"] - 20, corner["y"] + 20, steps=4)
    page.mouse.up()
    page.click(".leaflet-draw-actions a:has-text('Save')")
    _save(page)

    was = zone.boundary
    zone.refresh_from_db()
    assert len(zone.boundary) == 2
    assert zone.boundary[0].num_interior_rings == 1
    assert not zone.boundary.equals_exact(was, 1e-9)  # the corner did move


def test_a_spot_is_put_on_the_map_seen_from_nearby(
    page: Page, live_server: LiveServer, zone: Zone
) -> None:
    spot = cast.a_spot(zone)
    _open(page, live_server, "parking_spot_change", spot.pk)
    page.wait_for_selector("#id_location-map .leaflet-marker-icon")

    assert int(page.locator(".leaflet-control-scale").inner_text().split()[0]) <= 30  # metres
    page.click("summary:has-text('GeoJSON')")
    page.fill("#id_location", '{"type": "Point", "coordinates": [24.94, 60.17]}')
    _save(page)

    assert Spot.objects.get().location.coords == (24.94, 60.17)


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_of_the_desk_scrolls_sideways_or_breaks_the_policy(
    width: int, page: Page, live_server: LiveServer, zone: Zone
) -> None:
    rows = rows_of(zone, serial="MTR-1")
    page.set_viewport_size({"width": width, "height": 844})

    _open(page, live_server, "index")
    for name, key in rows.items():
        for page_name, args in ((f"{name}_changelist", ()), (f"{name}_change", (key,))):
            _open(page, live_server, page_name, *args)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, page_name


def test_who_only_looks_sees_the_drawing_of_a_place(
    browser: Browser, live_server: LiveServer, zone: Zone, enter: Enter, warden: User
) -> None:
    context = browser.new_context()
    cookie = enter(warden).cookies[settings.SESSION_COOKIE_NAME]
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    page = context.new_page()

    _open(page, live_server, "parking_zone_change", zone.pk)

    assert page.locator("svg.sketch path").count() == 1
    assert page.locator(".leaflet-container").count() == 0
    assert "MULTIPOLYGON" not in page.content()
    assert roles.WARDEN in {group.name for group in warden.groups.all()}
    context.close()
