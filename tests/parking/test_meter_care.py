"""What the desk does to meters reaches the street, and harms nobody who has paid."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.utils import Error
from django.utils import timezone

from parking import desk, lights, meter_care, meter_keys, tasks
from parking.lights import commands, outcomes
from parking.lights.alarms import alarms
from parking.meter_protocol import from_now_on
from parking.models import (
    CommandState,
    DeedKind,
    Light,
    Meter,
    MeterCommand,
    MeterDeed,
    MeterKey,
    Zone,
)
from tests import cast
from tests.parking.street import (
    RunningStreet,
    a_street_meter,
    answered,
    booked_now,
    eventually,
    shows,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def meter() -> Meter:
    """A meter of two lamps with a first plan."""
    made = a_street_meter(cast.a_zone())
    lights.look(now=timezone.now())
    made.refresh_from_db()
    return made


@pytest.fixture
def anna() -> User:
    """Somebody of the desk."""
    return cast.a_person("anna")


@pytest.fixture
def street(live_server: Any, settings: Any, meter: Meter) -> Iterator[RunningStreet]:
    """The meter on its pole, with its plan."""
    running = RunningStreet(live_server.url).start()
    settings.METER_GATEWAY_URL = running.url
    running.put_up()
    follows(lambda: shows(meter, 1, "off none"))
    yield running
    running.stop()
    answered()


def follows(question: Callable[[], Any]) -> None:
    """Ship until it is so, however busy the machine is."""

    def shipped() -> Any:
        tasks.ship_due()
        return question()

    eventually(shipped, within=60, every=0.2)


def test_a_lamp_test_reaches_the_street_and_leaves_a_paid_lamp_alone(
    street: RunningStreet, meter: Meter, anna: User
) -> None:
    booked_now(meter, 1)
    follows(lambda: shows(meter, 1, "green steady"))
    now = timezone.now()

    tested = meter_care.test_lamps(meter_ids=[meter.pk], why="new LEDs", by=anna, now=now)

    assert (tested.meter_ids, tested.lamps, tested.left) == ([meter.pk], 1, 1)
    meter.refresh_from_db()
    device = street.street.devices[meter.serial]
    follows(lambda: street.do(lambda: device.revision) == meter.plan_revision)

    def shown(after_s: float) -> list[str]:
        lamps = street.do(lambda: device.shown(now.timestamp() + after_s))
        return [" ".join(lamps[lamp]) for lamp in (1, 2)]

    assert shown(1) == ["green steady", "red steady"]
    assert shown(6) == ["green steady", "amber steady"]
    assert shown(11) == ["green steady", "off none"]
    deed = MeterDeed.objects.get()
    assert (deed.kind, deed.why, deed.by) == (DeedKind.LAMP_TEST, "new LEDs", anna)


def test_a_lamp_test_never_shows_green_and_leaves_the_plan_as_it_was(
    meter: Meter, anna: User
) -> None:
    now = timezone.now()
    meter_care.test_lamps(meter_ids=[meter.pk], why="try", by=anna, now=now)
    meter.refresh_from_db()
    plan = lights.plan_of(meter)
    assert {entry.show.light for entries in plan.values() for entry in entries} == {
        "red",
        "amber",
    }
    later = now + timedelta(seconds=10)
    assert from_now_on(plan, later) == {1: (), 2: ()}
    revision = meter.plan_revision
    with transaction.atomic():
        lights.replan(meter_ids=[meter.pk], now=later)
    meter.refresh_from_db()
    assert meter.plan_revision == revision, "nothing is to be undone"


def test_a_booking_made_during_a_lamp_test_goes_before_it(meter: Meter, anna: User) -> None:
    meter_care.test_lamps(meter_ids=[meter.pk], why="try", by=anna, now=timezone.now())
    booked_now(meter, 1)
    meter.refresh_from_db()
    now = timezone.now()
    entries = [one for one in lights.plan_of(meter)[1] if one.start <= now < one.end]
    assert [entry.show.light for entry in entries] == ["green"]


def test_a_meter_out_of_use_or_without_a_plan_is_not_tested(meter: Meter, anna: User) -> None:
    fresh = a_street_meter(meter.zone, "MTR-000002")
    Meter.objects.filter(pk=meter.pk).update(is_active=False)
    tested = meter_care.test_lamps(
        meter_ids=[meter.pk, fresh.pk], why="try", by=anna, now=timezone.now()
    )
    assert tested == ([], 0, 0)
    assert not MeterDeed.objects.exists()


def test_in_maintenance_nobody_calls_and_afterwards_the_light_follows(
    street: RunningStreet, meter: Meter, anna: User
) -> None:
    now = timezone.now()
    assert meter_care.begin_maintenance(
        meter_ids=[meter.pk], until=now + timedelta(hours=1), why="pole", by=anna, now=now
    ) == [meter.pk]
    booked_now(meter, 1)
    tasks.ship_due()
    tasks.ship_command(meter.pk)
    waiting = MeterCommand.objects.get(ended_at=None)
    assert (waiting.state, waiting.attempts) == (CommandState.PENDING, 0)

    meter_care.end_maintenance(meter_ids=[meter.pk], why="done", by=anna, now=timezone.now())
    follows(lambda: shows(meter, 1, "green steady") or shows(meter, 1, "green fast_blink"))
    kinds = list(MeterDeed.objects.order_by("id").values_list("kind", flat=True))
    assert kinds == [DeedKind.MAINTENANCE, DeedKind.BACK]


def test_a_delivery_that_was_on_its_way_ends_no_maintenance(meter: Meter, anna: User) -> None:
    now = timezone.now()
    (delivery,) = commands.claim(now=now)
    meter_care.begin_maintenance(
        meter_ids=[meter.pk], until=now + timedelta(hours=1), why="pole", by=anna, now=now
    )
    from parking.meter_client import MeterError

    busy = MeterError("busy", "later", retryable=True)
    outcomes.settle(delivery=delivery, outcome=busy, now=now)
    assert commands.claim(now=now + timedelta(minutes=30)) == []
    assert (
        len(commands.claim(now=now + timedelta(minutes=61)))
        + MeterCommand.objects.filter(state=CommandState.EXPIRED).count()
        == 1
    )


def test_a_maintenance_is_over_by_itself(meter: Meter, anna: User) -> None:
    now = timezone.now()
    meter_care.begin_maintenance(
        meter_ids=[meter.pk], until=now + timedelta(minutes=30), why="pole", by=anna, now=now
    )
    assert commands.claim(now=now + timedelta(minutes=29)) == []
    assert len(commands.claim(now=now + timedelta(minutes=31))) == 1
    later = now + timedelta(minutes=31)
    assert meter_care.end_maintenance(meter_ids=[meter.pk], why="x", by=anna, now=later) == []


def test_a_meter_in_maintenance_raises_no_alarm(meter: Meter, anna: User) -> None:
    now = timezone.now()
    Light.objects.update(desired_at=now - timedelta(hours=1), reported_light="red")
    zones = Zone.objects.all()

    def raised() -> tuple[int, int, int]:
        watched = meter_care.watched(Meter.objects.all(), now=now)
        figures = {str(one.label): one.value for one in desk.figures(zones=zones, now=now)}
        return (
            len(alarms(meters=watched, now=now)),
            desk.lights_behind(zones=zones, now=now).count(),
            int(figures["meters not heard for 3 minutes"]),
        )

    assert min(raised()) > 0
    meter_care.begin_maintenance(
        meter_ids=[meter.pk], until=now + timedelta(hours=1), why="pole", by=anna, now=now
    )
    assert raised() == (0, 0, 0)


def test_keys_of_many_meters_are_rotated_and_the_older_one_stays_valid(
    meter: Meter, anna: User
) -> None:
    other = a_street_meter(meter.zone, "MTR-000002")
    before = {m.pk: meter_keys.keys_of(m.pk)[0] for m in (meter, other)}
    made = meter_care.rotate_keys(
        meter_ids=[other.pk, meter.pk], why="yearly", by=anna, now=timezone.now()
    )
    assert [key.serial for key in made] == ["MTR-000001", "MTR-000002"]
    for one, key in zip((meter, other), made, strict=True):
        newest, older = meter_keys.keys_of(one.pk)
        assert (newest.key_id, newest.secret.hex()) == (key.key_id, key.secret)
        assert older == before[one.pk]
        assert key.secret.encode() not in bytes(MeterKey.objects.get(key_id=key.key_id).secret)
    assert MeterDeed.objects.filter(kind=DeedKind.KEY).count() == 2


def test_what_was_done_is_never_rewritten_and_never_without_a_reason(
    meter: Meter, anna: User
) -> None:
    now = timezone.now()
    meter_care.rotate_keys(meter_ids=[meter.pk], why="yearly", by=anna, now=now)
    with pytest.raises(Error, match="append-only"):
        MeterDeed.objects.update(why="something else")
    with pytest.raises(Error, match="append-only"):
        MeterDeed.objects.all().delete()
    with pytest.raises(IntegrityError, match="deed_says_why"):
        meter_care.rotate_keys(meter_ids=[meter.pk], why="", by=anna, now=now)
    assert MeterKey.objects.count() == 2, "and nothing was done"


def test_a_command_tells_when_it_was_delivered_and_when_reported(
    street: RunningStreet, meter: Meter
) -> None:
    booked_now(meter, 1)
    command = MeterCommand.objects.first()
    assert command is not None

    def told() -> bool:
        command.refresh_from_db()
        return command.reported_at is not None and command.ended_at is not None

    follows(told)
    assert command.delivered_at is not None
    assert command.created_at <= command.delivered_at
    assert command.created_at <= command.reported_at
    delivered, reported = command.delivered_at, command.reported_at
    street.control("POST", f"meters/{meter.serial}/reboot", {})
    eventually(lambda: Meter.objects.get(pk=meter.pk).reported_revision == 0, within=60)
    follows(lambda: Meter.objects.get(pk=meter.pk).reported_revision > 0)
    command.refresh_from_db()
    assert (command.delivered_at, command.reported_at) == (delivered, reported)
