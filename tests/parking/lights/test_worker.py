"""The real thing: a Celery worker with its beat, a Redis of its own, a street, a site."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.conf import settings as site_settings
from django.db import connection

from parking import lights, tasks
from parking.models import Meter, MeterCommand, SlotState
from parking.tasks import nudges
from tests.parking.street import RunningStreet, booked_now, eventually, lamp, shows

pytestmark = pytest.mark.django_db(transaction=True)
WITHIN = 40.0  # a loaded machine starts a worker slowly


class Redis:
    """A Redis server that can be taken away and brought back."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "r.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", str(self.path), "--save", ""],
            cwd=self.path.parent,
            stdout=subprocess.DEVNULL,
        )
        eventually(self._answers)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        ping = ["redis-cli", "-s", str(self.path), "ping"]
        return b"PONG" in subprocess.run(ping, capture_output=True, check=False).stdout


@pytest.fixture
def redis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    """A Redis at which this process, too, leaves its nudges."""
    server = Redis(tmp_path)
    server.start()
    monkeypatch.setattr(nudges, "_quiet_until", 0.0)
    monkeypatch.setattr(
        current_app.conf, "broker_write_url", f"redis+socket://{server.path}?virtual_host=0"
    )
    monkeypatch.setattr(current_app, "_pool", None)
    monkeypatch.setattr(current_app.amqp, "_producer_pool", None)
    yield server
    server.stop()


@pytest.fixture
def worker(redis: Redis, street: RunningStreet, tmp_path: Path) -> Iterator[Path]:
    """A worker with a beat inside, on the test's own database; its log."""
    log = tmp_path / "worker.log"
    database = connection.settings_dict
    address = site_settings.DATABASES["default"]
    host = str(address["HOST"]).replace("/", "%2F")
    user = f"{address['USER']}:{address['PASSWORD']}" if address["PASSWORD"] else address["USER"]
    port = f":{address['PORT']}" if address["PORT"] else ""
    environment = {
        **os.environ,
        "DATABASE_URL": f"postgis://{user}@{host}{port}/{database['NAME']}",
        "REDIS_URL": f"unix://{redis.path}?db=0",
        "METER_GATEWAY_URL": street.url,
    }
    command = [sys.executable, "-m", "celery", "-A", "config", "worker", "-B", "-P", "threads"]
    options = ["-c", "4", "-s", str(tmp_path / "beat"), "--without-gossip", "--without-mingle"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, *options],
            env=environment,
            cwd=site_settings.BASE_DIR,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield log
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def planned(worker: Path, street: RunningStreet, meter: Meter) -> Meter:
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
