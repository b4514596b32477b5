"""Work on meters from the desk: nothing without a reason, and only on one's own meters."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from parking import lights
from parking.models import (
    DeedKind,
    Light,
    Meter,
    MeterCommand,
    MeterDeed,
    MeterKey,
    Spot,
    Zone,
)
from tests import cast
from tests.parking.admin.conftest import Enter
from tests.parking.street import a_street_meter

LIST = "admin:parking_meter_changelist"
LIGHTS = "admin:parking_meter_lights"
ACTIONS = {
    "test_lamps": DeedKind.LAMP_TEST,
    "rotate_keys": DeedKind.KEY,
    "begin_maintenance": DeedKind.MAINTENANCE,
}


@pytest.fixture
def meter(zone: Zone) -> Meter:
    """A meter with a plan."""
    made = a_street_meter(zone, edge_url="")
    lights.look(now=timezone.now())
    return made


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_asks_for_a_reason_and_touches_own_meters_only(
    meter: Meter, other_zone: Zone, operator: User, enter: Enter, action: str
) -> None:
    foreign = a_street_meter(other_zone, "MTR-000009")
    lights.look(now=timezone.now())
    browser = enter(operator)
    chosen = {"action": action, "_selected_action": [meter.pk, foreign.pk]}

    asked = browser.post(reverse(LIST), chosen)
    assert asked.status_code == 200
    assert "MTR-000001" in asked.content.decode()
    assert "MTR-000009" not in asked.content.decode()
    browser.post(reverse(LIST), {**chosen, "why": " ", "hours": "4"})
    assert not MeterDeed.objects.exists()

    browser.post(reverse(LIST), {**chosen, "why": "new LEDs", "hours": "4"})

    deed = MeterDeed.objects.get()
    assert (deed.meter, deed.kind, deed.by) == (meter, ACTIONS[action], operator)
    page = browser.get(reverse("admin:parking_meter_change", args=[meter.pk])).content.decode()
    assert "new LEDs" in page
    assert "operator" in page


def test_new_secrets_come_in_a_file_once(meter: Meter, operator: User, enter: Enter) -> None:
    answer = enter(operator).post(
        reverse(LIST),
        {"action": "rotate_keys", "_selected_action": [meter.pk], "why": "yearly"},
    )
    assert "no-store" in answer["Cache-Control"]
    (row,) = csv.DictReader(io.StringIO(answer.content.decode()))
    assert row["serial"] == meter.serial
    assert len(bytes.fromhex(row["secret"])) == 32
    assert MeterKey.objects.filter(meter=meter, key_id=row["key_id"]).exists()
    assert row["secret"] not in MeterDeed.objects.get().why


@pytest.mark.parametrize(("hours", "taken"), [("0", False), ("169", False), ("168", True)])
def test_a_maintenance_lasts_an_hour_to_a_week(
    meter: Meter, operator: User, enter: Enter, hours: str, taken: bool
) -> None:
    browser = enter(operator)
    browser.post(
        reverse(LIST),
        {
            "action": "begin_maintenance",
            "_selected_action": [meter.pk],
            "why": "pole",
            "hours": hours,
        },
    )
    meter.refresh_from_db()
    assert (meter.maintenance_until is not None) is taken
    if taken:
        listed = browser.get(reverse(LIST), {"health": "rests"})
        assert [row.pk for row in listed.context["cl"].queryset] == [meter.pk]
        assert "in maintenance until" in listed.content.decode()
        silent = browser.get(reverse(LIST), {"health": "silent"})
        assert not silent.context["cl"].queryset.exists()
        browser.post(
            reverse(LIST),
            {"action": "end_maintenance", "_selected_action": [meter.pk], "why": "done"},
        )
        meter.refresh_from_db()
        assert meter.maintenance_until is None


def test_who_only_looks_is_offered_no_work(
    meter: Meter, warden: User, auditor: User, enter: Enter
) -> None:
    for person in (warden, auditor):
        browser = enter(person)
        for action in [*ACTIONS, "end_maintenance"]:
            browser.post(
                reverse(LIST),
                {"action": action, "_selected_action": [meter.pk], "why": "x", "hours": "4"},
            )
    assert not MeterDeed.objects.exists()


def go_wrong(meter: Meter) -> None:
    Light.objects.filter(spot__meter=meter).update(
        desired_light="green",
        desired_pattern="steady",
        desired_at=timezone.now() - timedelta(minutes=5),
        reported_light="off",
        reported_pattern="none",
        reported_at=timezone.now(),
    )


def test_lights_that_are_wrong_are_listed_and_drawn_for_ones_own_zones(
    meter: Meter, other_zone: Zone, operator: User, warden: User, enter: Enter
) -> None:
    foreign = a_street_meter(other_zone, "MTR-000009")
    lights.look(now=timezone.now())
    assert enter(operator).get(reverse(LIGHTS)).context["count"] == 0
    go_wrong(meter)
    go_wrong(foreign)
    page = enter(operator).get(reverse(LIGHTS))
    assert page.context["count"] == 2
    text = page.content.decode()
    assert "green, steady" in text
    assert text.count("<circle") == 2
    assert "MTR-000009" not in text
    assert enter(warden).get(reverse(LIGHTS)).context["count"] == 4
    assert enter(cast.a_person("citizen")).get(reverse(LIGHTS)).status_code == 302


def test_a_lamp_tells_what_was_asked_of_it_and_when(
    meter: Meter, other_zone: Zone, operator: User, warden: User, enter: Enter
) -> None:
    MeterCommand.objects.update(state="accepted")
    Meter.objects.update(reported_revision=1, last_seen_at=timezone.now())
    page = reverse("admin:parking_meter_lamp", args=[meter.pk, 1])
    browser = enter(operator)
    answer = browser.get(page)
    assert answer.status_code == 200
    cells = answer.content.decode().partition("<tbody>")[2].partition("</tr>")[0].split("<td>")[1:]
    asked, revision, at_once, then, sent, delivered, applied, reported, state = (
        cell.partition("<")[0] for cell in cells
    )
    assert (revision, at_once, then, sent, applied) == ("1", "off", "–", "–", "–")
    assert asked
    assert delivered != "–"
    assert reported != "–"
    assert state == "accepted"
    assert (
        page in browser.get(reverse("admin:parking_meter_change", args=[meter.pk])).content.decode()
    )
    assert page in browser.get(reverse("admin:parking_spot_changelist")).content.decode()
    assert browser.get(reverse("admin:parking_meter_lamp", args=[meter.pk, 7])).status_code == 404
    foreign = a_street_meter(other_zone, "MTR-000009")
    other = reverse("admin:parking_meter_lamp", args=[foreign.pk, 1])
    assert browser.get(other).status_code == 404
    assert enter(warden).get(page).status_code == 200
    assert enter(cast.a_person("citizen")).get(page).status_code == 302


def test_a_thousand_meters_and_lights_take_no_more_queries_than_a_few(
    zone: Zone,
    operator: User,
    enter: Enter,
    django_assert_max_num_queries: object,
) -> None:
    where = cast.a_meter(zone, "MTR-000000").location
    meters = Meter.objects.bulk_create(
        Meter(serial=f"MTR-{n:06d}", zone=zone, location=where, edge_url="gateway")
        for n in range(1, 1000)
    )
    spots = Spot.objects.bulk_create(
        Spot(zone=zone, number=f"S-{n}", street="A", location=where, meter=meter, position=1)
        for n, meter in enumerate(meters)
    )
    Light.objects.bulk_create(
        Light(spot=spot, desired_light="green", desired_pattern="steady") for spot in spots
    )
    browser = enter(operator)
    with django_assert_max_num_queries(12):
        assert "1000" in browser.get(reverse(LIST)).content.decode().replace(",", "")
    with django_assert_max_num_queries(12):
        assert browser.get(reverse(LIGHTS)).context["count"] == 999


def test_maintenance_is_planned_ahead_and_names_what_is_booked_there(
    meter: Meter, operator: User, enter: Enter
) -> None:
    start = timezone.localtime(cast.soon() + timedelta(days=1))
    spot = Spot.objects.get(meter=meter, position=1)
    slot = cast.a_hold(spot, start + timedelta(hours=1), now=timezone.now())
    browser = enter(operator)
    asked = {"action": "begin_maintenance", "_selected_action": [meter.pk], "why": "new pole"}
    wish = {**asked, "hours": "4", "closes": "on", "start": f"{start:%Y-%m-%dT%H:%M}"}
    over = browser.post(reverse(LIST), {**wish, "start": "2020-01-01T10:00"})
    assert "This time is over already" in over.content.decode()
    assert not MeterDeed.objects.exists()

    told = browser.post(reverse(LIST), wish, follow=True).content.decode()

    assert "Maintenance of 1 meter is planned." in told
    assert "1 stay is booked in that time" in told
    assert slot.booking.reference in told
    planned = browser.get(reverse(LIST), {"health": "planned"})
    assert [row.pk for row in planned.context["cl"].queryset] == [meter.pk]
    page = browser.get(reverse("admin:parking_meter_change", args=[meter.pk])).content.decode()
    assert page.count("new pole") == 2
    records = browser.get(reverse("admin:parking_maintenance_changelist"), {"when": "next"})
    assert [row.spot_count for row in records.context["cl"].queryset] == [2]
