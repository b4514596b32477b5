"""A Redis that is lost with all that is in it, a worker that is killed: every light follows."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from parking import booking, lights, locking, tasks
from parking.models import Light, Meter, MeterCommand, Slot, Spot
from parking.models.meter import OPEN_COMMAND_STATES
from parking.simulator.engine import HEARTBEAT_S
from parking.tasks import nudges
from tests import cast
from tests.parking.real_worker import Redis, Worker, redis
from tests.parking.street import RunningStreet, a_street_meter, booked_now, eventually

__all__ = ["redis"]  # a fixture
pytestmark = pytest.mark.django_db(transaction=True)
METERS, LAMPS = 6, 2
KILLS = 50
WITHIN = 60.0  # a loaded machine starts a worker slowly


@pytest.fixture
def meters(transactional_db: None) -> list[Meter]:
    """A street of two lamps each."""
    zone = cast.a_zone(slot_step_min=5)
    made = [a_street_meter(zone, f"MTR-{n:06d}", lamps=LAMPS) for n in range(1, METERS + 1)]
    lights.look(now=timezone.now())
    return made


@pytest.fixture
def worker(
    redis: Redis, street: RunningStreet, meters: list[Meter], tmp_path: Path
) -> Iterator[Worker]:
    """A worker that has sent all first plans."""
    street.put_up()
    made = Worker(redis=redis.path, gateway=street.url, folder=tmp_path)
    made.start()
    try:
        eventually(lambda: all_are("off"), within=WITHIN)
        yield made
    finally:
        made.kill()


def all_are(colour: str) -> bool:
    return (
        not Light.objects.differing().exists()
        and Light.objects.filter(reported_light=colour).count() == METERS * LAMPS
    )


def book(meter: Meter, position: int, *, nudged: bool) -> None:
    booked_now(meter, position)
    if nudged:
        tasks.nudge_meter(meter.pk)


def empty(redis: Redis) -> None:
    command = ["redis-cli", "-s", str(redis.path), "flushall"]
    subprocess.run(command, check=True, capture_output=True)


def test_with_redis_killed_and_emptied_in_the_middle_every_light_converges(
    worker: Worker, redis: Redis, meters: list[Meter], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nudges, "QUIET_S", 0.0)
    for number, meter in enumerate(meters):
        book(meter, 1, nudged=True)
        if number == METERS // 3:
            redis.stop()  # killed: with it goes what nobody has taken
        if number == 2 * METERS // 3:
            redis.start()
    *others, last = meters
    for meter in others:
        book(meter, 2, nudged=True)
        empty(redis)
    eventually(lambda: worker.revive() and Light.objects.differing().count() == 0, within=WITHIN)
    empty(redis)
    book(last, 2, nudged=False)  # only the beat knows, and its own marks are gone
    eventually(lambda: worker.revive() and all_are("green"), within=WITHIN)


def act(dice: random.Random, meters: list[Meter]) -> None:
    """Book what is free or cancel what is booked, on some lamp."""
    meter, position = dice.choice(meters), dice.randint(1, LAMPS)
    spot = Spot.objects.get(meter=meter, position=position)
    booked = Slot.objects.confirmed().covering(timezone.now()).filter(spot=spot).first()
    if booked is None:
        book(meter, position, nudged=dice.random() < 0.5)
        return
    with transaction.atomic():
        slot = locking.lock_slot(booked.pk)
        booking.cancel(slot=slot, now=timezone.now(), actor="citizen")


@pytest.mark.torture
def test_a_worker_that_is_killed_fifty_times_leaves_every_light_right(
    worker: Worker, street: RunningStreet, meters: list[Meter]
) -> None:
    dice = random.Random(50)
    seen: dict[str, int] = {}
    for _kill in range(KILLS):
        for _action in range(dice.randint(1, 6)):
            act(dice, meters)
            time.sleep(dice.uniform(0, 0.1))
        time.sleep(dice.uniform(0, 0.5))
        worker.kill()
        act(dice, meters)
        shown: dict[str, Any] = street.do(
            lambda: {serial: device.revision for serial, device in street.street.devices.items()}
        )
        assert all(shown[serial] >= revision for serial, revision in seen.items())
        seen, applied = shown, MeterCommand.objects.filter(state="applied").count()
        worker.start()
        if dice.random() < 0.9:  # otherwise it is killed while it starts

            def works(before: int = applied) -> bool:
                return MeterCommand.objects.filter(state="applied").count() > before

            eventually(works, within=WITHIN, every=0.1)
    since = time.monotonic()
    starts_s = 10  # of the world, until the last worker works
    eventually(lambda: not Light.objects.differing().exists(), within=2 * HEARTBEAT_S + starts_s)
    took = time.monotonic() - since
    green = set(Light.objects.filter(reported_light="green").values_list("spot_id", flat=True))
    now = timezone.now()
    stays = set(Slot.objects.confirmed().covering(now).values_list("spot_id", flat=True))
    assert green == stays
    really = street.do(
        lambda: sum(
            show.light == "green"
            for device in street.street.devices.values()
            for show in device.shown(time.time()).values()
        )
    )
    assert really == len(stays)
    eventually(
        lambda: not MeterCommand.objects.filter(state__in=OPEN_COMMAND_STATES).exists(),
        within=WITHIN,
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT state, count(*) FROM parking_metercommand GROUP BY 1 ORDER BY 1")
        ends = dict(cursor.fetchall())
    sys.stdout.write(f"{KILLS} kills, all right after {took:.0f} s; commands: {ends}\n")
