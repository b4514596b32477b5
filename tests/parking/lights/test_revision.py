"""A revision rises by one when the plan that lies ahead changes, and never otherwise."""

from __future__ import annotations

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parking import booking, lights, locking, refusals
from parking.meter_messages import LampState
from parking.meter_protocol import Entry, from_now_on
from parking.models import Closure, Meter, MeterCommand, Slot, Zone
from parking.models.meter import OPEN_COMMAND_STATES
from tests import cast
from tests.cast import NOW, at
from tests.parking.lights.test_alarms import OFF, said
from tests.parking.street import a_street_meter, lamp

pytestmark = pytest.mark.django_db

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["book", "book", "cancel", "close", "open", "car", "nothing", "nothing"]),
        st.integers(1, 2),  # the lamp
        st.integers(0, 40),  # minutes that pass before it, in fives
    ),
    min_size=1,
    max_size=8,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_a_revision_rises_exactly_when_what_lies_ahead_changes(
    zone: Zone, steps: list[tuple[str, int, int]]
) -> None:
    MeterCommand.objects.all().delete()
    Closure.objects.all().delete()
    meter = a_street_meter(zone, f"M{Meter.objects.count()}")
    lights.look(now=NOW)
    minute, cars = 0, [False, False]
    for what, position, fives in steps:
        minute += 5 * fives
        before = _known(meter)
        _do(what, meter, position, minute, cars)
        lights.look(now=at(minute))
        after = _known(meter)
        changed = from_now_on(before[1], at(minute)) != from_now_on(after[1], at(minute))
        assert after[0] - before[0] == int(changed)
        (sent,) = MeterCommand.objects.filter(meter=meter, state__in=OPEN_COMMAND_STATES)
        assert sent.revision == after[0]


def _known(meter: Meter) -> tuple[int, dict[int, list[Entry]]]:
    fresh = Meter.objects.get(pk=meter.pk)
    return fresh.plan_revision, lights.plan_of(fresh)


def _do(what: str, meter: Meter, position: int, minute: int, cars: list[bool]) -> None:
    spot, now = lamp(meter, position), at(minute)
    match what:
        case "book":
            try:
                held = cast.a_hold(spot, at(minute + 5 * position), 30, now=now)
            except refusals.SpotTaken:
                return
            booking.confirm(slot=locking.lock_slot(held.pk), now=now, actor="processor")
        case "cancel":
            for slot in Slot.objects.confirmed().filter(spot=spot, period__endswith__gt=now)[:1]:
                booking.cancel(slot=locking.lock_slot(slot.pk), now=now, actor="citizen")
        case "close":
            period = DateTimeTZRange(now, at(minute + 60))
            if Closure.objects.filter(spot=spot, period__overlap=period).exists():
                return
            Closure.objects.create(zone=spot.zone, spot=spot, period=period, reason="x")
            lights.replan_spots(zone_id=spot.zone_id, spot_id=spot.pk, now=now)
        case "open":
            Closure.objects.filter(spot=spot).delete()
            lights.replan_spots(zone_id=spot.zone_id, spot_id=spot.pk, now=now)
        case "car":
            cars[position - 1] = not cars[position - 1]
            seen = [
                LampState(lamp=number, show=OFF, occupied=there)
                for number, there in enumerate(cars, start=1)
            ]
            seq = MeterCommand.objects.count() + minute * 100
            said(meter, minute, lamps=seen, seq=seq, boot_id=f"{minute}{cars}", revision=10**6)
