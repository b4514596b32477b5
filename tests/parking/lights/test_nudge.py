"""A nudge is a hint: losing it costs a moment, never an error."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from celery import current_app

from parking import tasks
from parking.tasks import nudges
from tests.parking.real_worker import forget_connections
from tests.parking.street import eventually


@pytest.fixture(autouse=True)
def _no_quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(nudges, "_quiet_until", 0.0)
    yield
    forget_connections()


def at_broker(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Send what this test enqueues to another broker."""
    forget_connections()
    monkeypatch.setattr(current_app.conf, "broker_write_url", url)


def test_without_redis_a_nudge_says_no_quickly_and_raises_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    at_broker(monkeypatch, "redis+socket:///nowhere/redis.sock")
    began = time.monotonic()
    assert tasks.nudge_meter(7) is False
    assert time.monotonic() - began < 2
    assert "not nudged" in caplog.text


def test_an_outage_costs_one_wait_not_one_per_booking(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Any] = []

    def away(*args: Any, **options: Any) -> None:
        tried.append(args)
        raise ConnectionError("gone")

    monkeypatch.setattr(tasks.ship_command, "apply_async", away)
    assert [tasks.nudge_meter(7) for _booking in range(10)] == [False] * 10
    assert len(tried) == 1


def test_a_nudge_asks_for_the_meter_by_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(
        tasks.ship_command, "apply_async", lambda args, **options: asked.append((args, options))
    )
    assert tasks.nudge_meter(7) is True
    assert asked == [((7,), {"retry": False})]


def test_who_nudges_while_a_message_waits_sends_no_second_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(tasks.ship_due, "apply_async", lambda *args, **options: sent.append(args))
    assert [nudges.nudge_once(tasks.ship_due) for _wish in range(3)] == [True] * 3
    assert len(sent) == 1
    nudges.has_begun(tasks.ship_due)  # what is asked from now on may be too late for that run
    assert nudges.nudge_once(tasks.ship_due)
    assert len(sent) == 2


def test_a_message_that_got_lost_is_sent_again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(tasks.ship_due, "apply_async", lambda *args, **options: sent.append(args))
    monkeypatch.setattr(nudges, "WAITS_S", 1)
    nudges.nudge_once(tasks.ship_due)
    eventually(lambda: nudges.nudge_once(tasks.ship_due) and len(sent) == 2)


def test_without_redis_a_task_is_nudged_once_too_and_says_no(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    at_broker(monkeypatch, "redis+socket:///nowhere/redis.sock")
    away = {**settings.CACHES["default"], "LOCATION": "unix:///nowhere/redis.sock"}
    settings.CACHES = {"default": away}
    assert nudges.nudge_once(tasks.ship_due) is False
    nudges.has_begun(tasks.ship_due)  # fails nobody


def test_the_timetable_names_tasks_that_exist() -> None:
    current_app.loader.import_default_modules()
    for entry in current_app.conf.beat_schedule.values():
        assert entry["task"] in current_app.tasks
        assert entry["options"]["expires"] >= entry["schedule"]
