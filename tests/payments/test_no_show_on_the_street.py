"""The whole way of a no-show: sensor, report, warning, release, refund, lamp; over real HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from django.core import mail as outbox
from django.utils import timezone

from parking import lights
from parking.models import ArrivalOutcome, ArrivalWatch, Light, Meter, Slot, SlotState
from parking.tasks import ship_command
from payments import tasks
from payments.models import Payment, Refund
from tests import cast
from tests.parking.street import (
    RunningStreet,
    a_street_meter,
    answered,
    eventually,
    lamp,
    shows,
)
from tests.payments.processor import Processor
from tests.payments.situations import a_paid_booking, fresh

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
STEP_S = 50  # as often as a heartbeat: no report is missed


class Clock:
    """The time of site and street, which goes on by itself and can be turned on."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def seconds(self) -> float:
        return time.time() + self.ahead_s

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds(), tz=timezone.get_fixed_timezone(0))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(timezone, "now", clock.now)
    return clock


@pytest.fixture
def street(live_server: Any, settings: Any, clock: Clock) -> Iterator[RunningStreet]:
    # Its meters report when they are told to: a heartbeat of their own, on its way while the clock
    # is turned, would come too late to be believed.
    running = RunningStreet(live_server.url, clock=clock.seconds, heartbeat_s=86_400).start()
    settings.METER_GATEWAY_URL = running.url
    yield running
    running.stop()
    answered()


class Walk:
    """A street with one meter, a paid stay on its first spot, and the work of the beat."""

    def __init__(self, street: RunningStreet, clock: Clock, processor: Processor) -> None:
        self.street, self.clock, self.processor = street, clock, processor
        zone = cast.a_zone(release_after_min=5, grace_min=0)
        self.meter: Meter = a_street_meter(zone)
        street.put_up()
        self.cars(**{"1": True})
        self.pass_seconds(1)
        self.cars(**{"1": False})
        self.ship()

    def cars(self, **cars: bool) -> None:
        """Put cars on spots, or take them away, by the street's own control."""
        page = f"{self.street.url}/_control/meters/{self.meter.serial}/cars"
        answer = httpx.put(page, json={"cars": cars}, trust_env=False)
        assert answer.status_code == 200, answer.text
        self._heard()

    def pass_seconds(self, seconds: float) -> None:
        """Let time pass, with a report of the meter at every step."""
        while seconds > 0:
            self.clock.ahead_s += min(STEP_S, seconds)
            seconds -= STEP_S
            self.processor.stand_at(timezone.now())
            self.street.do(self.street.street.tell_all)
            self._heard()

    def ship(self) -> None:
        """Bring the meter's plan to it."""
        lights.look(now=timezone.now())
        ship_command(self.meter.pk)

    def beat(self) -> int:
        """Do what the beat does."""
        released = tasks.release_no_shows()
        for refund in Refund.objects.filter(state="requested"):
            tasks.submit_refund(str(refund.pk))
        tasks.send_mail()
        self.ship()
        return released

    def book(self) -> Payment:
        """Pay for an hour that has begun this minute."""
        now = timezone.now()
        start = now.replace(minute=now.minute - now.minute % 5, second=0, microsecond=0)
        wait = (start + timedelta(minutes=5) - now).total_seconds()
        payment = a_paid_booking(
            lamp(self.meter, 1), self.processor, start=start + timedelta(minutes=5), now=now
        )
        self.pass_seconds(wait + 1)
        return payment

    def _heard(self) -> None:
        before = timezone.now()
        self.street.do(self.street.street.tell_all)
        eventually(
            lambda: Light.objects.filter(
                spot__meter=self.meter, spot__position=1, reported_at__gte=before
            ).exists()
        )
        # The clock is turned next: what is still on its way would come too late to be believed.
        self.street.falls_quiet()


@pytest.fixture
def walk(street: RunningStreet, clock: Clock, processor: Processor) -> Walk:
    return Walk(street, clock, processor)


def test_nobody_comes_and_the_spot_goes_to_others(walk: Walk) -> None:
    payment = walk.book()
    slot: Slot = payment.slot
    walk.beat()
    eventually(lambda: shows(walk.meter, 1, "green steady"))
    walk.cars(**{"1": False})

    walk.pass_seconds(160)
    assert walk.beat() == 0
    assert "Nobody has parked on your spot yet" in outbox.outbox[-1].subject

    walk.pass_seconds(160)
    assert walk.beat() == 1
    assert fresh(slot).state == SlotState.CANCELLED
    refund = Refund.objects.get()
    assert 170 < refund.amount < payment.captured == 200, "six minutes of an hour are used"
    assert refund.state == "succeeded"
    assert len(walk.processor.all("refunds")) == 1
    assert "Nobody had parked by" in outbox.outbox[-1].body
    eventually(lambda: shows(walk.meter, 1, "off none"))
    assert walk.beat() == 0, "once"


def test_a_car_for_one_report_keeps_the_spot(walk: Walk) -> None:
    payment = walk.book()
    walk.beat()
    walk.cars(**{"1": False})
    walk.pass_seconds(100)
    walk.cars(**{"1": True})
    walk.cars(**{"1": False})
    walk.pass_seconds(300)
    assert walk.beat() == 0
    assert fresh(payment.slot).state == SlotState.CONFIRMED
    assert ArrivalWatch.objects.get().outcome == ArrivalOutcome.CAME
    assert not Refund.objects.exists()


@pytest.mark.parametrize("kind", ["no_sensor", "offline"])
def test_a_sensor_that_falls_silent_keeps_the_spot(walk: Walk, kind: str) -> None:
    payment = walk.book()
    walk.cars(**{"1": False})
    walk.pass_seconds(100)
    walk.street.faults({"kind": kind})
    walk.clock.ahead_s += 400
    assert walk.beat() == 0
    walk.street.faults()
    walk.pass_seconds(100)
    assert walk.beat() == 0
    assert fresh(payment.slot).state == SlotState.CONFIRMED
    assert not Refund.objects.exists()
