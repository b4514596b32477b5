"""The real thing: a Celery worker with its beat, a Redis of its own, a street, a site."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from parking import lights, tasks
from parking.models import Meter, MeterCommand, SlotState
from parking.tasks import nudges
from tests.parking.real_worker import WORKER, Redis, Worker, redis
from tests.parking.street import RunningStreet, booked_now, eventually, lamp, shows

__all__ = ["redis"]  # a fixture
pytestmark = pytest.mark.django_db(transaction=True)
WITHIN = 40.0  # a loaded machine starts a worker slowly


@pytest.fixture
def worker(redis: Redis, street: RunningStreet, tmp_path: Path) -> Iterator[Worker]:
    """A worker that has begun, and may still be starting."""
    process = Worker(redis=redis.path, gateway=street.url, folder=tmp_path)
    process.start()
    yield process
    process.kill()


@pytest.fixture
def planned(worker: Worker, street: RunningStreet, meter: Meter) -> Meter:
    """A meter whose first plan the worker found and sent by itself."""
    street.put_up()
    eventually(lambda: shows(meter, 1, "off none"), within=WITHIN)
    return meter


def test_a_nudged_worker_turns_the_lamp_green(planned: Meter) -> None:
    booked_now(planned)
    assert tasks.nudge_meter(planned.pk)
    eventually(lambda: shows(planned, 1, "green steady"), within=WITHIN)


def test_with_the_street_down_the_booking_stands_and_the_light_follows(
    planned: Meter, street: RunningStreet, live_server: Any
) -> None:
    street.stop()
    slot = booked_now(planned)
    tasks.nudge_meter(planned.pk)
    eventually(lambda: MeterCommand.objects.filter(attempts__gt=0, ended_at=None).exists())
    slot.refresh_from_db()
    assert slot.state == SlotState.CONFIRMED
    assert lamp(planned, 1).light.reported_light == "off"
    back = RunningStreet(live_server.url, port=street.port).start()
    try:
        back.put_up()
        eventually(lambda: shows(planned, 1, "green steady"), within=WITHIN)
    finally:
        back.stop()


def test_with_redis_down_the_booking_stands_and_the_beat_brings_the_light(
    planned: Meter, redis: Redis
) -> None:
    redis.stop()
    slot = booked_now(planned)
    assert tasks.nudge_meter(planned.pk) is False
    slot.refresh_from_db()
    assert slot.state == SlotState.CONFIRMED
    redis.start()  # empty: nothing of what was enqueued is left
    eventually(lambda: shows(planned, 1, "green steady"), within=WITHIN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nudges, "_quiet_until", 0.0)
        assert tasks.nudge_meter(planned.pk)


def connections_of_worker(select: str = "pid") -> set[int]:
    with connection.cursor() as cursor:
        wanted = f"SELECT {select} FROM pg_stat_activity WHERE application_name = %s"
        cursor.execute(wanted, [WORKER])
        return {row[0] for row in cursor.fetchall()}


def test_a_worker_keeps_its_connections_and_replaces_broken_ones(planned: Meter) -> None:
    before = connections_of_worker()
    time.sleep(3)  # some tasks of the beat
    assert before
    assert before <= connections_of_worker()
    assert connections_of_worker("pg_terminate_backend(pid)") == {True}
    booked_now(planned)
    assert tasks.nudge_meter(planned.pk)
    eventually(lambda: shows(planned, 1, "green steady"), within=WITHIN)
    assert not before & connections_of_worker()


def test_the_beat_moves_lights_that_nobody_touches(planned: Meter) -> None:
    booked_now(planned)
    tasks.nudge_meter(planned.pk)
    eventually(lambda: shows(planned, 1, "green steady"), within=WITHIN)
    from django.utils import timezone

    Meter.objects.filter(pk=planned.pk).update(look_at=timezone.now())
    planned.refresh_from_db()
    looked = planned.look_at
    eventually(lambda: Meter.objects.get(pk=planned.pk).look_at > looked, within=WITHIN)
    assert lights.plan_of(Meter.objects.get(pk=planned.pk))[1]
