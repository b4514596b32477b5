"""A plan follows slots and closures, and its revision rises only when it changes."""

import json

import pytest
from django.db import DatabaseError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from parking import booking, lights, locking
from parking.models import Closure, CommandState, Light, Meter, MeterCommand, Slot, Spot, Zone
from tests import cast
from tests.cast import NOW, at
from tests.parking.street import a_street_meter, lamp

pytestmark = pytest.mark.django_db


@pytest.fixture
def planned(zone: Zone) -> Meter:
    """A meter of two lamps whose first plan is written."""
    meter = a_street_meter(zone)
    lights.look(now=NOW)
    meter.refresh_from_db()
    return meter


def confirmed(meter: Meter, position: int = 1, start: float = 0, minutes: int = 60) -> Slot:
    slot = cast.a_hold(lamp(meter, position), at(start), minutes)
    booking.confirm(slot=locking.lock_slot(slot.pk), now=NOW, actor="processor")
    return slot


def commands(meter: Meter) -> list[tuple[int, str]]:
    """Return revision and state of the meter's commands, the oldest first."""
    return list(
        MeterCommand.objects.filter(meter=meter)
        .order_by("created_at", "revision", "id")
        .values_list("revision", "state")
    )


def test_the_first_plan_is_sent_even_when_it_is_empty(planned: Meter) -> None:
    assert commands(planned) == [(1, CommandState.PENDING)]
    assert planned.plan_revision == 1


def test_a_confirmed_slot_raises_the_revision_and_supersedes_the_open_command(
    planned: Meter,
) -> None:
    slot = confirmed(planned)
    assert commands(planned) == [(1, CommandState.SUPERSEDED), (2, CommandState.PENDING)]
    seen = lamp(planned, 1).light
    assert (seen.desired_light, seen.desired_pattern) == ("green", "steady")
    assert lamp(planned, 2).light.desired_light == "off"
    body = MeterCommand.objects.get(meter=planned, revision=2).body
    assert body["meter"] == planned.serial
    assert body["spots"][0]["now"] == {"light": "green", "pattern": "steady"}
    assert body["spots"][0]["plan"][-1]["booking"] == slot.booking.reference
    assert body["spots"][1] == {
        "spot": 2,
        "plan": [],
        "now": {"light": "off", "pattern": "none"},
    }


def test_a_hold_lights_nothing(planned: Meter) -> None:
    cast.a_hold(lamp(planned, 1))
    assert lights.replan(meter_ids=[planned.pk], now=NOW) == []
    assert lamp(planned, 1).light.desired_light == "off"


def test_planning_again_writes_nothing(planned: Meter) -> None:
    confirmed(planned)
    for minute in (0, 1, 49, 51, 59, 61):
        assert lights.replan(meter_ids=[planned.pk], now=at(minute)) == []
    planned.refresh_from_db()
    assert planned.plan_revision == 2


def test_a_cancelled_slot_puts_the_lamp_out(planned: Meter) -> None:
    slot = confirmed(planned)
    booking.cancel(slot=locking.lock_slot(slot.pk), now=at(1), actor="citizen")
    assert commands(planned)[-1] == (3, CommandState.PENDING)
    assert lamp(planned, 1).light.desired_light == "off"
    assert MeterCommand.objects.filter(meter=planned, state=CommandState.PENDING).count() == 1


def test_the_clock_moves_what_a_lamp_should_show_and_sends_nothing(planned: Meter) -> None:
    confirmed(planned, start=60)
    shown = []
    for minute in (44.9, 45, 60, 110, 119.9, 120):
        lights.look(now=at(minute))
        seen = lamp(planned, 1).light
        shown.append(f"{seen.desired_light} {seen.desired_pattern}")
    assert shown == [
        "off none",
        "green slow_blink",
        "green steady",
        "green fast_blink",
        "green fast_blink",
        "off none",
    ]
    planned.refresh_from_db()
    assert planned.plan_revision == 2


def test_a_meter_is_not_looked_at_before_its_lamps_change(planned: Meter) -> None:
    confirmed(planned, start=10)
    assert lights.look(now=NOW) == 0  # the plan was just made
    planned.refresh_from_db()
    assert NOW < planned.look_at <= at(6)


def test_a_slot_of_tomorrow_is_sent_a_day_ahead(planned: Meter) -> None:
    day = 24 * 60
    confirmed(planned, start=day + 60)
    assert commands(planned) == [(1, CommandState.PENDING)]  # too early to say
    lights.replan(meter_ids=[planned.pk], now=at(61))
    assert commands(planned)[-1] == (2, CommandState.PENDING)


def test_a_closure_is_red_at_once_and_lifted_again(planned: Meter, zone: Zone) -> None:
    closure = Closure.objects.create(
        zone=zone, period=DateTimeTZRange(at(-10), at(600)), reason="Market"
    )
    assert lights.replan_spots(zone_id=zone.pk, spot_id=None, now=NOW) == [planned.pk]
    assert lamp(planned, 2).light.desired_light == "red"
    closure.delete()
    lights.replan_spots(zone_id=zone.pk, spot_id=None, now=NOW)
    assert lamp(planned, 2).light.desired_light == "off"
    assert commands(planned)[-1] == (3, CommandState.PENDING)


def test_a_closure_of_one_spot_leaves_its_neighbour(planned: Meter, zone: Zone) -> None:
    spot = lamp(planned, 1)
    Closure.objects.create(
        zone=zone, spot=spot, period=DateTimeTZRange(at(-10), at(600)), reason="Works"
    )
    lights.replan_spots(zone_id=zone.pk, spot_id=spot.pk, now=NOW)
    assert lamp(planned, 1).light.desired_light == "red"
    assert lamp(planned, 2).light.desired_light == "off"


def test_what_nobody_told_us_is_found_within_minutes(planned: Meter, zone: Zone) -> None:
    Closure.objects.create(zone=zone, period=DateTimeTZRange(at(1), at(600)), reason="By hand")
    lights.look(now=at(6.1))
    assert lamp(planned, 1).light.desired_light == "red"


def test_a_spot_that_had_no_light_gets_one(planned: Meter) -> None:
    Light.objects.filter(spot__meter=planned).delete()
    lights.replan(meter_ids=[planned.pk], now=NOW)
    assert Light.objects.filter(spot__meter=planned).count() == 2


def test_a_meter_out_of_use_gets_no_command_until_it_is_back(planned: Meter) -> None:
    Meter.objects.filter(pk=planned.pk).update(is_active=False)
    confirmed(planned)
    assert commands(planned) == [(1, CommandState.SUPERSEDED)]
    assert lights.reconcile(now=at(2)) == []
    Meter.objects.filter(pk=planned.pk).update(is_active=True)
    assert lights.reconcile(now=at(2)) == [planned.pk]
    assert commands(planned)[-1] == (2, CommandState.PENDING)


def test_a_spot_without_a_meter_is_booked_all_the_same(spot: Spot) -> None:
    slot = cast.a_hold(spot)
    booking.confirm(slot=locking.lock_slot(slot.pk), now=NOW, actor="processor")
    assert not MeterCommand.objects.exists()


def test_no_message_says_who_parks(planned: Meter) -> None:
    person = cast.a_person("citizen")
    slot = cast.a_hold(lamp(planned, 1), plate="SECRET1", email="who@example.org", user=person)
    booking.confirm(slot=locking.lock_slot(slot.pk), now=NOW, actor="processor")
    messages = json.dumps(list(MeterCommand.objects.values_list("body", flat=True)))
    assert slot.booking.reference in messages
    for personal in ("SECRET1", "who@example.org", "citizen", slot.booking.access_key):
        assert personal not in messages


def test_the_database_refuses_a_plan_that_goes_back(planned: Meter) -> None:
    with pytest.raises(DatabaseError, match="cannot go back"), transaction.atomic():
        Meter.objects.filter(pk=planned.pk).update(plan_revision=0)
    planned.refresh_from_db()
    assert planned.plan_revision == 1


def test_many_meters_are_looked_at_with_few_queries(
    zone: Zone, django_assert_max_num_queries: object
) -> None:
    for number in range(1, 21):
        a_street_meter(zone, f"MTR-{number:06d}")
    lights.look(now=NOW)
    confirmed(Meter.objects.get(serial="MTR-000007"))
    with django_assert_max_num_queries(12):
        assert lights.look(now=at(7)) == 20
