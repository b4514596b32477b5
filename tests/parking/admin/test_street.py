"""Spots, closures and streets at the desk."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.gis.geos import Point
from django.urls import reverse
from django.utils import timezone

from parking.models import Closure, Light, Spot, Zone
from tests import cast
from tests.parking.admin.conftest import Enter
from tests.parking.admin.situations import a_street


def test_taking_spots_out_of_use_asks_for_a_reason_and_keeps_it(
    zone: Zone, operator: User, enter: Enter
) -> None:
    now = timezone.now()
    spot, other = cast.a_spot(zone, "K-1"), cast.a_spot(zone, "K-2")
    start = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    cast.a_hold(spot, start, now=now)
    browser, page = enter(operator), reverse("admin:parking_spot_changelist")
    chosen = {"action": "take_out_of_use", "_selected_action": [spot.pk]}
    before = spot.updated_at

    asked = browser.post(page, chosen)
    assert asked.status_code == 200
    assert "1 stay is booked there" in asked.content.decode()
    assert browser.post(page, {**chosen, "reason": ""}).status_code == 200
    spot.refresh_from_db()
    assert spot.is_active

    browser.post(page, {**chosen, "reason": "water pipe"})

    spot.refresh_from_db()
    other.refresh_from_db()
    assert (spot.is_active, other.is_active) == (False, True)
    assert spot.updated_at > before  # the map's layer is versioned by it
    assert LogEntry.objects.get().change_message == "water pipe"
    assert spot.slots.get().state == "held"  # what is booked stays


def test_spots_come_back_into_use(zone: Zone, operator: User, enter: Enter) -> None:
    spot = cast.a_spot(zone, is_active=False)

    enter(operator).post(
        reverse("admin:parking_spot_changelist"),
        {"action": "put_into_use", "_selected_action": [spot.pk]},
    )

    spot.refresh_from_db()
    assert spot.is_active


def test_a_new_spot_gets_its_light_and_its_features(
    zone: Zone, operator: User, enter: Enter
) -> None:
    meter = cast.a_meter(zone)

    answer = enter(operator).post(
        reverse("admin:parking_spot_add"),
        {
            "zone": zone.pk,
            "number": "K-9",
            "street": "Bulevardi",
            "bearing": 60,
            "location": Point(24.93, 60.16).geojson,
            "features": ["accessible", "ev"],
            "is_active": "on",
            "meter": meter.pk,
            "position": 3,
        },
    )

    assert answer.status_code == 302, answer.context["errors"]
    spot = Spot.objects.get()
    assert spot.features == ["accessible", "ev"]
    assert Light.objects.filter(spot=spot).exists()


def test_a_lamp_serves_one_spot_and_belongs_to_a_meter(
    zone: Zone, operator: User, enter: Enter
) -> None:
    meter = cast.a_meter(zone)
    cast.a_spot(zone, "K-1", meter=meter, position=1)
    form = {
        "zone": zone.pk,
        "number": "K-2",
        "bearing": 0,
        "location": Point(24.93, 60.16).geojson,
    }
    browser, page = enter(operator), reverse("admin:parking_spot_add")

    for wrong in (
        {"meter": meter.pk, "position": 1},
        {"meter": meter.pk, "position": 9},
        {"meter": meter.pk},
        {"position": 2},
        {"bearing": 360},
        {"number": "K-1"},
        {"location": ""},
        {"location": "{"},
    ):
        answer = browser.post(page, {**form, **wrong})
        assert answer.status_code == 200, wrong
        assert answer.context["errors"], wrong
    assert Spot.objects.count() == 1


def _closure(zone: Zone, start: str, end: str, **more: object) -> dict[str, object]:
    return {
        "zone": zone.pk,
        "period_0_0": "2026-12-24",
        "period_0_1": start,
        "period_1_0": "2026-12-24",
        "period_1_1": end,
        "kind": "event",
        "reason": "market",
        **more,
    }


def test_a_closure_is_entered_in_local_time(zone: Zone, operator: User, enter: Enter) -> None:
    page = reverse("admin:parking_closure_add")

    assert enter(operator).post(page, _closure(zone, "08:00", "16:00")).status_code == 302

    period = Closure.objects.get().period
    assert period.lower.isoformat() == "2026-12-24T06:00:00+00:00"  # Helsinki, winter
    assert period.upper.isoformat() == "2026-12-24T14:00:00+00:00"


def test_a_closure_turns_the_lamps_of_its_places_red_and_lifting_it_turns_them_off(
    zone: Zone, operator: User, enter: Enter
) -> None:
    closed, open_ = cast.a_spot(zone, "K-1"), cast.a_spot(zone, "K-2")
    for position, spot in enumerate((closed, open_), start=1):
        spot.meter, spot.position = cast.a_meter(zone, f"MTR-{position}"), position
        spot.save(update_fields=["meter", "position"])
    local = timezone.localtime()
    browser = enter(operator)
    made = browser.post(
        reverse("admin:parking_closure_add"),
        {
            "zone": zone.pk,
            "spot": closed.pk,
            "period_0_0": f"{local - timedelta(days=1):%Y-%m-%d}",
            "period_0_1": "08:00",
            "period_1_0": f"{local + timedelta(days=1):%Y-%m-%d}",
            "period_1_1": "08:00",
            "kind": "works",
            "reason": "works",
        },
    )
    assert made.status_code == 302

    wanted = dict(Light.objects.values_list("spot__number", "desired_light"))
    assert wanted == {"K-1": "red", "K-2": "off"}

    delete = reverse("admin:parking_closure_delete", args=[Closure.objects.get().pk])
    browser.post(delete, {"post": "yes"})
    assert Light.objects.get(spot=closed).desired_light == "off"


def test_an_impossible_closure_is_refused_beside_its_field(
    zone: Zone, operator: User, enter: Enter
) -> None:
    other = cast.a_zone("other")
    other.operators.add(operator)
    theirs = cast.a_spot(other, "O-1")
    spot = cast.a_spot(zone, "K-1")
    browser, page = enter(operator), reverse("admin:parking_closure_add")
    assert browser.post(page, _closure(zone, "08:00", "16:00", spot=spot.pk)).status_code == 302

    for wrong, field in (
        (_closure(zone, "16:00", "08:00"), "period"),
        (_closure(zone, "08:00", "08:00"), "period"),
        (_closure(zone, "", "", period_0_0="", period_1_0=""), "__all__"),
        (_closure(zone, "25:00", "26:00"), "period"),
        (_closure(zone, "08:00", "16:00", period_1_0="", period_1_1=""), "__all__"),
        (_closure(zone, "08:00", "16:00", spot=theirs.pk), "spot"),
        (_closure(zone, "09:00", "10:00", spot=spot.pk), "__all__"),  # closed then already
    ):
        answer = browser.post(page, wrong)
        assert answer.status_code == 200, wrong
        assert field in answer.context["adminform"].form.errors, wrong
    assert Closure.objects.count() == 1


def test_the_drawing_of_the_streets_is_for_the_desk_only(
    zone: Zone, operator: User, enter: Enter, client
) -> None:
    a_street()
    page = reverse("admin:parking_street_drawing")

    drawing = enter(operator).get(page).json()

    kinds = [feature["properties"]["kind"] for feature in drawing["features"]]
    assert kinds == ["street", "zone"]
    assert client.get(page).status_code == 302
