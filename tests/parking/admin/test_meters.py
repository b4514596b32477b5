"""The desk's meters: their health, their lamps, their keys, their commands."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from parking import lights, meter_keys
from parking.lights import commands, outcomes
from parking.meter_client import Answer
from parking.models import (
    CommandState,
    DeedKind,
    Light,
    Meter,
    MeterCommand,
    MeterDeed,
    MeterEvent,
    Zone,
)
from tests.parking.admin.conftest import Enter
from tests.parking.street import a_street_meter

LIST = "admin:parking_meter_changelist"


@pytest.fixture
def meter(zone: Zone) -> Meter:
    """A healthy meter: heard just now, both lamps right."""
    made = a_street_meter(zone, edge_url="")
    lights.look(now=timezone.now())
    Meter.objects.update(
        last_seen_at=timezone.now(), battery_pct=80, clock_offset_ms=100, reported_revision=1
    )
    Light.objects.update(reported_light="off", reported_pattern="none", reported_at=timezone.now())
    made.refresh_from_db()
    return made


@pytest.mark.parametrize(
    ("health", "trouble"),
    [
        ("silent", {"last_seen_at": None}),
        ("battery", {"battery_pct": 19}),
        ("clock", {"clock_offset_ms": -31_000}),
        ("faults", {"faults": ["light_stuck"]}),
    ],
)
def test_a_sick_meter_is_found_and_a_healthy_one_is_not(
    meter: Meter, operator: User, enter: Enter, health: str, trouble: dict[str, object]
) -> None:
    browser = enter(operator)

    def found() -> list[str]:
        answer = browser.get(reverse(LIST), {"health": health})
        assert answer.status_code == 200
        return [row.serial for row in answer.context["cl"].queryset]

    assert found() == []
    Meter.objects.filter(pk=meter.pk).update(**trouble)
    assert found() == ["MTR-000001"]
    Meter.objects.filter(pk=meter.pk).update(is_active=False)
    assert found() == []


def test_a_wrong_lamp_is_counted_and_shown_with_what_was_asked(
    meter: Meter, operator: User, enter: Enter
) -> None:
    browser = enter(operator)
    assert "2 of 2 right" in browser.get(reverse(LIST)).content.decode()
    Light.objects.filter(spot__meter=meter, spot__position=1).update(
        reported_light="red", reported_pattern="steady"
    )
    listed = browser.get(reverse(LIST), {"health": "wrong"})
    assert "1 of 2 right" in listed.content.decode()
    page = browser.get(reverse("admin:parking_meter_change", args=[meter.pk])).content.decode()
    assert "<td>off</td><td>red, steady</td>" in page
    assert "differs" in page


def test_the_list_takes_the_same_queries_for_one_meter_and_for_many(
    meter: Meter,
    zone: Zone,
    operator: User,
    enter: Enter,
    django_assert_max_num_queries: object,
) -> None:
    for number in range(2, 30):
        a_street_meter(zone, f"MTR-{number:06d}")
    browser = enter(operator)
    with django_assert_max_num_queries(12):
        assert browser.get(reverse(LIST)).status_code == 200


def test_a_plan_is_sent_again_to_own_meters_only(
    meter: Meter, other_zone: Zone, operator: User, enter: Enter
) -> None:
    foreign = a_street_meter(other_zone, "MTR-000009")
    lights.look(now=timezone.now())
    MeterCommand.objects.update(state=CommandState.APPLIED, ended_at=timezone.now())
    enter(operator).post(
        reverse(LIST), {"action": "send_again", "_selected_action": [meter.pk, foreign.pk]}
    )
    waiting = MeterCommand.objects.filter(ended_at=None)
    assert [(command.meter_id, command.revision) for command in waiting] == [(meter.pk, 1)]


def test_a_meter_that_is_called_now_gets_its_plan_and_keeps_its_own_words(
    meter: Meter, operator: User, enter: Enter
) -> None:
    browser = enter(operator)
    address = reverse("admin:parking_meter_change", args=[meter.pk])
    form = {
        "serial": meter.serial,
        "zone": meter.zone_id,
        "edge_url": "gateway",
        "is_active": "on",
        "location": '{"type": "Point", "coordinates": [24.935, 60.168]}',
    }
    answer = browser.post(address, form)
    assert answer.status_code == 302, answer.context["errors"]
    meter.refresh_from_db()
    assert (meter.edge_url, meter.battery_pct) == ("gateway", 80)
    (delivery,) = commands.claim(now=timezone.now())
    assert delivery.edge_url == "gateway"


def test_a_new_meter_is_put_up_with_a_first_plan(zone: Zone, operator: User, enter: Enter) -> None:
    form = {
        "serial": "MTR-7",
        "zone": zone.pk,
        "edge_url": "",
        "is_active": "on",
        "location": '{"type": "Point", "coordinates": [24.935, 60.168]}',
    }
    browser = enter(operator)
    wrong = browser.post(reverse("admin:parking_meter_add"), {**form, "serial": "a/b"})
    assert "Latin letters" in wrong.content.decode()
    assert browser.post(reverse("admin:parking_meter_add"), form).status_code == 302
    assert Meter.objects.get(serial="MTR-7").plan_revision == 1


def test_a_key_is_made_by_post_alone_shown_once_and_kept_from_others(
    meter: Meter, other_zone: Zone, operator: User, warden: User, enter: Enter
) -> None:
    address = reverse("admin:parking_meter_key", args=[meter.pk])
    browser = enter(operator)
    assert browser.get(address).status_code == 200
    assert len(meter_keys.keys_of(meter.pk)) == 1
    made = browser.post(address)
    newest = meter_keys.keys_of(meter.pk)[0]
    assert newest.secret.hex() in made.content.decode()
    assert "no-store" in made.headers["Cache-Control"]
    page = browser.get(reverse("admin:parking_meter_change", args=[meter.pk])).content.decode()
    assert newest.key_id in page
    assert newest.secret.hex() not in page
    assert enter(warden).post(address).status_code == 403
    foreign = a_street_meter(other_zone, "MTR-000009")
    theirs = reverse("admin:parking_meter_key", args=[foreign.pk])
    assert browser.post(theirs).status_code == 404
    assert len(meter_keys.keys_of(foreign.pk)) == 1


def test_commands_events_and_work_are_read_in_the_own_zone_and_never_written(
    meter: Meter, other_zone: Zone, operator: User, superuser: User, warden: User, enter: Enter
) -> None:
    foreign = a_street_meter(other_zone, "MTR-000009")
    lights.look(now=timezone.now())
    for one in (meter, foreign):
        MeterEvent.objects.create(
            meter=one, event_id="e1", kind="shock", at=timezone.now(), received_at=timezone.now()
        )
        MeterDeed.objects.create(
            meter=one, kind=DeedKind.KEY, at=timezone.now(), why="yearly", by=superuser
        )
    for noun, rows in (
        ("command", MeterCommand.objects),
        ("event", MeterEvent.objects),
        ("deed", MeterDeed.objects),
    ):
        own, other = (rows.get(meter=one).pk for one in (meter, foreign))
        name = f"admin:parking_meter{noun}"
        browser = enter(operator)
        listed = browser.get(reverse(f"{name}_changelist"))
        assert [row.pk for row in listed.context["cl"].queryset] == [own]
        assert browser.get(reverse(f"{name}_change", args=[own])).status_code == 200
        assert browser.get(reverse(f"{name}_change", args=[other])).status_code == 404
        assert browser.get(reverse(f"{name}_add")).status_code == 403
        assert enter(warden).get(reverse(f"{name}_changelist")).status_code == 403
        for page in ("change", "delete"):
            address = reverse(f"{name}_{page}", args=[own])
            assert enter(superuser).post(address, {"post": "yes"}).status_code == 403
        assert rows.filter(pk=own).exists()


def test_a_command_tells_what_it_said_and_how_long_it_took(
    meter: Meter, operator: User, enter: Enter
) -> None:
    now = timezone.now()
    Meter.objects.filter(pk=meter.pk).update(edge_url="gateway")
    command = lights.send_again(meter_id=meter.pk, now=now)
    assert command is not None
    (delivery,) = commands.claim(now=now)
    outcomes.settle(delivery=delivery, outcome=Answer.APPLIED, now=now + timedelta(seconds=1.5))
    page = enter(operator).get(reverse("admin:parking_metercommand_change", args=[command.pk]))
    text = page.content.decode()
    assert "1.5 s" in text
    assert "&quot;revision&quot;: 1" in text
