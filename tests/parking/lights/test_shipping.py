"""From a confirmed booking to a green lamp, over the wire, with everything that goes wrong."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from parking import booking, courier, lights, locking, meter_keys, tasks
from parking.meter_client import MeterError
from parking.models import CommandState, Light, Meter, MeterCommand, SlotState
from tests.parking.street import (
    RunningStreet,
    a_street_meter,
    booked_now,
    eventually,
    lamp,
    shows,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def planned(street: RunningStreet, meter: Meter) -> Meter:
    """A meter on the running street that has its first plan."""
    street.put_up()
    lights.look(now=timezone.now())
    tasks.ship_command(meter.pk)
    eventually(lambda: shows(meter, 1, "off none"))
    eventually(lambda: not MeterCommand.objects.filter(ended_at=None).exists())
    street.falls_quiet()
    return meter


def mended(meters: list[Meter]) -> bool:
    """Let the beat come once without any back-off; say whether the first lamps are green then."""
    MeterCommand.objects.filter(ended_at=None).update(next_attempt_at=timezone.now())
    tasks.ship_due()
    return all(shows(meter, 1, "green steady") for meter in meters)


def ship_at_last() -> None:
    """Let the beat come until something was due; a meter that is just reporting is left alone."""
    eventually(tasks.ship_due)


def last(meter: Meter) -> MeterCommand:
    return MeterCommand.objects.filter(meter=meter).latest("created_at")


def test_a_confirmed_booking_turns_its_lamp_green_and_no_other(planned: Meter) -> None:
    booked_now(planned)
    tasks.ship_command(planned.pk)
    eventually(lambda: shows(planned, 1, "green steady"))
    assert shows(planned, 2, "off none")
    done = eventually(lambda: last(planned) if last(planned).ended_at else None)
    assert (done.state, done.attempts) == (CommandState.APPLIED, 1)
    planned.refresh_from_db()
    assert planned.reported_revision == planned.plan_revision == done.revision == 2


def test_a_cancelled_booking_puts_it_out(planned: Meter) -> None:
    slot = booked_now(planned)
    tasks.ship_command(planned.pk)
    eventually(lambda: shows(planned, 1, "green steady"))
    with transaction.atomic():
        booking.cancel(slot=locking.lock_slot(slot.pk), now=timezone.now(), actor="citizen")
    tasks.ship_command(planned.pk)
    eventually(lambda: shows(planned, 1, "off none"))


def test_the_beat_ships_what_no_nudge_has_brought(planned: Meter) -> None:
    booked_now(planned)
    ship_at_last()
    eventually(lambda: shows(planned, 1, "green steady"))
    assert tasks.ship_due() == 0


def test_a_booking_stands_while_the_street_is_down_and_its_light_follows(
    planned: Meter, street: RunningStreet, live_server: Any, settings: Any
) -> None:
    street.stop()
    slot = booked_now(planned)
    tasks.ship_command(planned.pk)
    slot.refresh_from_db()
    assert slot.state == SlotState.CONFIRMED
    waiting = last(planned)
    assert waiting.state == CommandState.PENDING
    assert waiting.attempts >= 1, "the first wait is anything up to a second"
    assert "unreachable" in waiting.last_error
    assert lamp(planned, 1).light.reported_light == "off"

    back = RunningStreet(live_server.url, port=street.port).start()
    try:
        back.put_up()  # its meters have lost their plans, and say so
        eventually(lambda: mended([planned]))
    finally:
        back.stop()


def test_a_meter_that_forgot_its_plan_is_given_it_again(
    planned: Meter, street: RunningStreet
) -> None:
    booked_now(planned)
    tasks.ship_command(planned.pk)
    eventually(lambda: shows(planned, 1, "green steady"))
    street.do(lambda: street.street.reboot(street.street.devices[planned.serial]))
    eventually(lambda: lamp(planned, 1).light.reported_light == "amber")
    ship_at_last()
    eventually(lambda: shows(planned, 1, "green steady"))
    assert last(planned).revision == 2


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "offline"},
        {"kind": "error", "status": 500},
        {"kind": "error", "status": 503},
        {"kind": "busy", "retry_after_s": 1},
        {"kind": "reset"},
        {"kind": "ack_lost"},
        {"kind": "drop", "hold_s": 0.1},
    ],
    ids=lambda fault: f"{fault['kind']}-{fault.get('status', '')}",
)
def test_after_a_fault_the_light_is_right_and_the_command_ended_once(
    planned: Meter, street: RunningStreet, fault: dict[str, Any]
) -> None:
    street.faults(fault)
    booked_now(planned)
    tasks.ship_command(planned.pk)
    assert last(planned).state in {CommandState.PENDING, CommandState.APPLIED}
    street.faults()
    # The light may be right before the beat has heard so: a meter that reports is left alone.
    eventually(lambda: mended([planned]) and last(planned).state == CommandState.APPLIED)
    assert MeterCommand.objects.filter(meter=planned, revision=2).count() == 1


@pytest.mark.parametrize("kind", ["duplicate", "reorder", "replay", "latency"])
def test_messages_twice_late_or_again_do_no_harm(
    planned: Meter, street: RunningStreet, kind: str
) -> None:
    extra = {"delay_s": 0.3} if kind == "reorder" else {}
    street.faults({"kind": kind, **extra})
    slot = booked_now(planned)
    tasks.ship_command(planned.pk)
    eventually(lambda: shows(planned, 1, "green steady"))
    with transaction.atomic():
        booking.cancel(slot=locking.lock_slot(slot.pk), now=timezone.now(), actor="citizen")
    tasks.ship_command(planned.pk)
    eventually(lambda: shows(planned, 1, "off none"))
    eventually(lambda: last(planned).state == CommandState.APPLIED)
    if kind == "reorder":
        street.falls_quiet()
    assert shows(planned, 1, "off none")


def test_a_stale_command_changes_no_lamp(planned: Meter, street: RunningStreet) -> None:
    booked_now(planned)
    tasks.ship_command(planned.pk)
    eventually(lambda: shows(planned, 1, "green steady"))
    old = MeterCommand.objects.get(meter=planned, revision=1)
    answer = courier.carry(
        edge_url="gateway",
        serial=planned.serial,
        message=old.body,
        keys=meter_keys.keys_of(planned.pk),
        now=timezone.now().timestamp(),
    ).result(20)
    assert isinstance(answer, MeterError)
    assert answer.code == "stale_revision"
    assert street.do(lambda: street.street.devices[planned.serial].revision) == 2
    assert shows(planned, 1, "green steady")


def test_a_meter_whose_clock_is_off_is_reached_and_learns_the_time(
    planned: Meter, street: RunningStreet
) -> None:
    street.faults({"kind": "clock_off", "offset_s": 4000.0})
    device = street.street.devices[planned.serial]
    eventually(lambda: abs(street.do(lambda: device.correction_s) + 4000) < 5)
    booked_now(planned)
    tasks.ship_command(planned.pk)
    eventually(lambda: shows(planned, 1, "green steady"))


def test_a_rotated_key_is_used_by_both_sides(planned: Meter, street: RunningStreet) -> None:
    meter_keys.rotate(meter_id=planned.pk, now=timezone.now())
    booked_now(planned)
    tasks.ship_command(planned.pk)  # the meter still has the old key alone
    eventually(lambda: shows(planned, 1, "green steady"))
    street.put_up()
    assert len(street.do(lambda: street.street.devices[planned.serial].spec.keys)) == 2


def test_a_light_fault_is_shown_and_the_spot_stays_bookable(
    planned: Meter, street: RunningStreet
) -> None:
    street.faults({"kind": "light_fault"})
    street.falls_quiet()
    slot = booked_now(planned)
    tasks.ship_command(planned.pk)
    assert last(planned).state == CommandState.REJECTED
    assert lamp(planned, 1).light.fault == "light_fault"
    slot.refresh_from_db()
    assert slot.state == SlotState.CONFIRMED
    booked_now(planned, 2)


def test_a_meter_that_only_calls_us_fetches_its_plan(street: RunningStreet, meter: Meter) -> None:
    quiet = a_street_meter(meter.zone, "MTR-000002", edge_url="")
    lights.look(now=timezone.now())
    street.put_up()
    booked_now(quiet)
    eventually(lambda: shows(quiet, 1, "green steady"), within=15)
    assert last(quiet).attempts == 0
    eventually(lambda: last(quiet).state == CommandState.APPLIED)


def test_a_lamp_changes_by_the_meters_own_clock(planned: Meter, street: RunningStreet) -> None:
    slot = booked_now(planned)
    tasks.ship_command(planned.pk)
    eventually(lambda: shows(planned, 1, "green steady"))
    before = MeterCommand.objects.count()
    real = street.street.clock
    later = slot.end - timedelta(minutes=5)

    def jump() -> None:
        ahead = later.timestamp() - real()
        street.street.clock = lambda: real() + ahead

    street.do(jump)
    device = street.street.devices[planned.serial]
    shown = street.do(lambda: device.shown(street.street.clock())[1])
    assert shown == ("green", "fast_blink")
    eventually(lambda: lights.look(now=later))
    assert lamp(planned, 1).light.desired_pattern == "fast_blink"
    assert MeterCommand.objects.count() == before


def test_with_half_of_all_messages_lost_every_light_comes_right(
    street: RunningStreet, meter: Meter
) -> None:
    others = [a_street_meter(meter.zone, f"MTR-{number:06d}") for number in range(2, 9)]
    everyone = [meter, *others]
    street.faults(
        {"kind": "ack_lost", "probability": 0.3},
        {"kind": "error", "probability": 0.3},
        {"kind": "duplicate", "probability": 0.5},
        {"kind": "reset", "probability": 0.3},
    )
    street.put_up()
    lights.look(now=timezone.now())
    ship_at_last()
    for one in everyone:
        booked_now(one)
    ship_at_last()
    street.faults()
    eventually(lambda: mended(everyone), within=30)
    assert not Light.objects.filter(spot__position=2, reported_light="green").exists()
    for one in everyone:
        one.refresh_from_db()
        assert one.reported_revision == one.plan_revision
