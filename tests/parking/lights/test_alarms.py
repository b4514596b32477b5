"""What an operator is told of, when, and when no longer."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from parking import booking, lights, locking
from parking.lights import commands, outcomes, reported
from parking.lights.alarms import AlarmKind, alarms
from parking.meter_client import Answer, MeterError
from parking.meter_messages import LampState, State
from parking.meter_protocol import Show
from parking.models import Meter
from tests import cast
from tests.cast import NOW, at
from tests.parking.street import a_street_meter, lamp

pytestmark = pytest.mark.django_db

OFF, GREEN, RED = Show("off", "none"), Show("green", "steady"), Show("red", "steady")


@pytest.fixture
def meter(db: None) -> Meter:
    """A healthy meter of two lamps, heard at NOW."""
    meter = a_street_meter(cast.a_zone())
    lights.look(now=NOW)
    (delivery,) = commands.claim(now=NOW)
    outcomes.settle(delivery=delivery, outcome=Answer.APPLIED, now=NOW)
    said(meter, 0)
    return meter


def said(meter: Meter, minutes: float, *shows: Show, revision: int = 1, **changes: Any) -> None:
    """Let the meter report at that minute; lamps that are not named are off."""
    now = at(minutes)
    lamps = [*shows, OFF, OFF][:2]
    state: dict[str, Any] = {
        "seq": int(minutes * 60) + 1,
        "at": now,
        "boot_id": "b1",
        "revision": revision,
        "firmware": "1.0",
        "battery_pct": 90,
        "clock_offset_ms": 0,
        "faults": [],
        "lamps": [
            LampState(lamp=number, show=show, occupied=None)
            for number, show in enumerate(lamps, start=1)
        ],
        **changes,
    }
    reported.take_state(meter_id=meter.pk, state=State(**state), skew_ms=0, now=now)


def kinds(minutes: float) -> list[str]:
    return [str(alarm.kind) for alarm in alarms(meters=Meter.objects.all(), now=at(minutes))]


def booked(meter: Meter, *, minute: float) -> None:
    """Confirm a stay of two hours that began at NOW."""
    held = cast.a_hold(lamp(meter, 1), NOW, 120)
    booking.confirm(slot=locking.lock_slot(held.pk), now=at(minute), actor="processor")


def test_a_healthy_meter_raises_none(meter: Meter) -> None:
    assert kinds(2) == []


def test_three_missed_heartbeats_are_told_and_two_are_not(meter: Meter) -> None:
    assert kinds(2.99) == []
    (alarm,) = alarms(meters=Meter.objects.all(), now=at(3))
    assert (alarm.kind, alarm.serial, alarm.since) == (AlarmKind.SILENT, meter.serial, NOW)
    said(meter, 4)
    assert kinds(4) == []


def test_a_meter_that_was_never_heard_is_silent(db: None) -> None:
    a_street_meter(cast.a_zone())
    (alarm,) = alarms(meters=Meter.objects.all(), now=NOW)
    assert (alarm.kind, alarm.since) == (AlarmKind.SILENT, None)


def test_a_meter_out_of_use_raises_none(meter: Meter) -> None:
    Meter.objects.update(is_active=False)
    assert kinds(60) == []


@pytest.mark.parametrize(("offset_ms", "told"), [(30_000, []), (-30_001, ["clock"])])
def test_a_clock_is_told_from_30_seconds_on(meter: Meter, offset_ms: int, told: list[str]) -> None:
    said(meter, 1, clock_offset_ms=offset_ms)
    assert kinds(1) == told


@pytest.mark.parametrize(("percent", "told"), [(20, []), (19, ["battery"]), (None, [])])
def test_a_battery_is_told_below_20_percent(
    meter: Meter, percent: int | None, told: list[str]
) -> None:
    said(meter, 1, battery_pct=percent)
    assert kinds(1) == told


def test_the_meters_own_word_for_a_fault_is_passed_on(meter: Meter) -> None:
    said(meter, 1, faults=["door_open"])
    (alarm,) = alarms(meters=Meter.objects.all(), now=at(1))
    assert (alarm.kind, alarm.word) == (AlarmKind.FAULT, "door_open")


def test_a_light_is_told_after_a_minute_however_often_it_is_reported_wrong(meter: Meter) -> None:
    said(meter, 1, RED)
    said(meter, 1.9, RED)
    assert kinds(1.99) == []
    (alarm,) = alarms(meters=Meter.objects.all(), now=at(2))
    assert (alarm.kind, alarm.since) == (AlarmKind.STUCK, at(1))
    assert alarm.spot_number == lamp(meter, 1).number
    said(meter, 2.1)
    assert kinds(2.2) == []


def test_a_light_that_was_right_for_long_is_not_told_in_its_first_wrong_minute(
    meter: Meter,
) -> None:
    for minute in range(1, 60):
        said(meter, minute)
    said(meter, 60, RED)
    assert kinds(60.5) == []


def test_a_light_whose_meter_lacks_the_plan_is_not_called_stuck(meter: Meter) -> None:
    booked(meter, minute=0)
    said(meter, 1.2)
    assert kinds(1.5) == ["unconverged"]


def test_a_light_that_has_not_followed_for_long_stays_told_when_the_plan_moves_on(
    meter: Meter,
) -> None:
    booked(meter, minute=0)
    lights.look(now=at(110))  # the last ten minutes: another pattern is asked
    said(meter, 110)
    assert lamp(meter, 1).light.desired_at == at(110)
    assert "unconverged" in kinds(110.1)


def test_two_minutes_into_a_paid_stay_a_missing_green_is_the_first_thing_told(
    meter: Meter,
) -> None:
    booked(meter, minute=0)
    said(meter, 1.5)
    assert kinds(1.9) == ["unconverged"]
    assert kinds(2) == ["unlit", "unconverged"]
    said(meter, 2.1, GREEN, revision=2)
    assert kinds(2.2) == []


def test_who_pays_late_waits_two_minutes_from_then_on(meter: Meter) -> None:
    booked(meter, minute=9)
    said(meter, 10)
    assert kinds(10.9) == ["unconverged"]
    assert kinds(11) == ["unlit", "unconverged"]


def test_green_that_blinks_too_late_is_wrong_but_says_that_somebody_has_paid(
    meter: Meter,
) -> None:
    booked(meter, minute=0)
    said(meter, 0.5, GREEN, revision=2)
    lights.look(now=at(110))
    said(meter, 112, GREEN, revision=2)
    assert kinds(112) == ["stuck"]


def test_a_refused_plan_is_told_until_a_later_one_is_taken(meter: Meter) -> None:
    booked(meter, minute=0)
    (delivery,) = commands.claim(now=at(0.1))
    refused = MeterError("not_yours", "403", retryable=False)
    outcomes.settle(delivery=delivery, outcome=refused, now=at(0.1))
    (alarm,) = alarms(meters=Meter.objects.all(), now=at(0.2))
    assert (alarm.kind, alarm.word) == (AlarmKind.REFUSES, "not_yours: 403")
    lights.send_again(meter_id=meter.pk, now=at(0.3))
    assert kinds(0.3) == []


def test_when_a_light_came_right_is_kept_through_heartbeats(meter: Meter) -> None:
    booked(meter, minute=0)
    said(meter, 0.05, GREEN, revision=2)
    for minute in range(1, 4):
        said(meter, minute, GREEN, revision=2)
    seen = lamp(meter, 1).light
    assert (seen.converged_at, seen.differs_since) == (at(0.05), None)
    assert seen.desired_at is not None
    assert seen.converged_at - seen.desired_at == timedelta(seconds=3)


def test_a_lamp_that_changes_by_its_own_clock_before_us_is_right_when_we_follow(
    meter: Meter,
) -> None:
    held = cast.a_hold(lamp(meter, 1), at(30), 60)
    booking.confirm(slot=locking.lock_slot(held.pk), now=NOW, actor="processor")
    said(meter, 15, Show("green", "slow_blink"), revision=2)
    assert lamp(meter, 1).light.differs_since == at(15)
    lights.look(now=at(15.02))
    seen = lamp(meter, 1).light
    assert (seen.converged_at, seen.differs_since) == (at(15.02), None)


def test_the_number_of_queries_does_not_grow_with_the_meters(meter: Meter) -> None:
    for number in range(2, 8):
        a_street_meter(meter.zone, f"MTR-{number:06d}")
    lights.look(now=NOW)
    with CaptureQueriesContext(connection) as queries:
        assert len(alarms(meters=Meter.objects.all(), now=at(10))) > 6
    assert len(queries) == 3
