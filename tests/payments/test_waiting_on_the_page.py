"""A citizen reads until when the spot waits before paying, and asks once for more time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test import Client
from django.utils import timezone

from parking import formatting, locking, refusals
from parking.models import ArrivalWatch, Light, Slot, StayRules, Zone
from tests import cast
from tests.parking.sensors import Sensor
from tests.payments.pages import page, pay, text
from tests.payments.processor import Processor

BUTTON = "I am on my way"


@pytest.fixture
def zone(db: None) -> Zone:
    """A zone that gives a spot to others after 15 minutes."""
    return cast.a_zone(release_after_min=15)


@pytest.fixture
def sensor(zone: Zone) -> Sensor:
    """A sensor that has told of a car an hour ago, by the real clock."""
    sensor = Sensor(zone, saw_a_car=None)
    sensor.says(True, 0, real=timezone.now() - timedelta(hours=1))
    sensor.says(False, 0, real=timezone.now() - timedelta(minutes=59))
    return sensor


@pytest.fixture
def slot(sensor: Sensor, now: datetime) -> Slot:
    """A hold of its spot for an hour that begins within ten minutes."""
    start = now.replace(second=0, microsecond=0) + timedelta(minutes=10)
    start -= timedelta(minutes=start.minute % 5)
    return cast.a_hold(sensor.spot, start, now=now)


@pytest.fixture
def deadline(slot: Slot) -> str:
    """The wall time at which the wait ends."""
    return formatting.clock(max(slot.start, slot.created_at) + timedelta(minutes=15))


def test_the_page_says_before_paying_until_when_the_spot_waits(
    guest: Client, slot: Slot, deadline: str
) -> None:
    words = f"If nobody has parked by {deadline}, the spot is given to others; unused time is"
    assert f"{words} refunded." in text(guest, slot)
    StayRules.objects.update(refund_unused=False)
    assert f"{words} not refunded." in text(guest, slot)
    assert BUTTON not in text(guest, slot)


def test_more_time_is_asked_for_once(guest: Client, slot: Slot, processor: Processor) -> None:
    pay(slot, processor)
    longer = formatting.clock(slot.start + timedelta(minutes=30))
    assert f"wait until {longer}" in text(guest, slot)
    answer = guest.post(page(slot, "on-my-way/"), follow=True)
    assert f"The spot waits for you until {longer}." in answer.content.decode()
    assert f"If nobody has parked by {longer}" in answer.content.decode()
    assert BUTTON not in answer.content.decode()
    assert "More time to arrive asked for" in answer.content.decode()

    again = guest.post(page(slot, "on-my-way/"), follow=True)
    assert "more time already" in again.content.decode()
    assert ArrivalWatch.objects.get().more_time_at is not None


def test_the_button_changes_nothing_before_the_spot_is_paid(guest: Client, slot: Slot) -> None:
    answer = guest.post(page(slot, "on-my-way/"), follow=True)
    assert "nothing to wait for" in answer.content.decode()
    assert ArrivalWatch.objects.get().more_time_at is None


def test_nobody_else_asks_for_it(slot: Slot, processor: Processor, client: Client) -> None:
    pay(slot, processor)
    assert client.post(page(slot, "on-my-way/")).status_code == 404
    assert ArrivalWatch.objects.get().more_time_at is None


def test_reading_asks_for_nothing(guest: Client, slot: Slot, processor: Processor) -> None:
    pay(slot, processor)
    assert guest.get(page(slot, "on-my-way/")).status_code == 405
    assert ArrivalWatch.objects.get().more_time_at is None


def test_who_has_parked_is_told_that_the_spot_is_kept(
    guest: Client, slot: Slot, processor: Processor
) -> None:
    pay(slot, processor)
    Slot.objects.update(
        period=DateTimeTZRange(slot.start - timedelta(minutes=15), slot.end - timedelta(minutes=15))
    )
    assert "The sensor has seen a vehicle" not in text(guest, slot)
    Light.objects.update(occupied_at=timezone.now())
    shown = text(guest, slot)
    assert "The sensor has seen a vehicle: the spot is kept" in shown
    assert "If nobody has parked" not in shown


def test_a_zone_without_the_rule_says_nothing_of_it(
    db: None, now: datetime, client: Client, processor: Processor
) -> None:
    sensor = Sensor(cast.a_zone("punavuori"))
    slot = cast.a_hold(sensor.spot, cast.soon(), now=now)
    client.get(page(slot), {"key": slot.booking.access_key})
    assert "nobody has parked" not in text(client, slot)
    pay(slot, processor)
    assert "nobody has parked" not in text(client, slot)
    assert (
        "nothing to wait for" in client.post(page(slot, "on-my-way/"), follow=True).content.decode()
    )


def test_two_who_press_at_once_wait_for_each_other(
    guest: Client, slot: Slot, processor: Processor, monkeypatch: pytest.MonkeyPatch
) -> None:
    pay(slot, processor)

    def busy(*_asked: Any) -> None:
        raise refusals.Busy

    monkeypatch.setattr(locking, "lock_booking", busy)
    answer = guest.post(page(slot, "on-my-way/"), follow=True)
    assert "try again in a moment" in answer.content.decode()
    assert ArrivalWatch.objects.get().more_time_at is None
