"""Whatever goes wrong on the street, afterwards every light is right and no money has moved."""

from __future__ import annotations

import random
import sys
import time
from typing import Any

import pytest

from parking import enforcement, lights
from parking.models import Meter, MeterCommand, Slot, Spot, Zone
from parking.simulator.engine import HEARTBEAT_S
from payments.models import Payment
from tests import cast
from tests.parking.street import a_street_meter, eventually, lamp
from tests.payments import chaos
from tests.payments.processor import Processor
from tests.payments.situations import a_paid_booking, everything

pytestmark = pytest.mark.django_db(transaction=True)
LASTING_S = 60.0
# What was on its way when the faults stopped is given up after four seconds of the world.
ON_ITS_WAY_S = 4.0


@pytest.fixture
def meters() -> list[Meter]:
    """Five meters of two lamps; the last one is never called and only calls."""
    zone = cast.a_zone(slot_step_min=5)
    made = [a_street_meter(zone, f"MTR-{n:06d}") for n in range(1, 6)]
    Meter.objects.filter(pk=made[-1].pk).update(edge_url="")
    lights.look(now=cast.NOW)
    return list(Meter.objects.order_by("pk"))


def a_bad_day(seed: int, meters: list[Meter], processor: Processor, server: Any, conf: Any) -> None:
    for number in (1, 2):
        a_paid_booking(lamp(meters[number], 1), processor, start=cast.at(30), minutes=60)
    before = everything()
    dice = random.Random(f"citizens/{seed}")
    with chaos.city(server, conf, seed=seed) as city:
        city.settles_within(2 * HEARTBEAT_S)
        faults = chaos.misfortunes(seed, lasting_s=LASTING_S)
        city.street.faults(*faults)
        until = city.clock() + LASTING_S
        while city.clock() < until:
            chaos.citizen(dice, meters, city.now())
            time.sleep(dice.uniform(0.1, 0.6))
        city.street.faults()
        allowed = 2 * HEARTBEAT_S + ON_ITS_WAY_S * city.clock.speed
        took = city.settles_within(allowed)
        sys.stdout.write(
            f"seed {seed}: {', '.join(fault['kind'] for fault in faults)}; "
            f"{Slot.objects.count()} slots, {MeterCommand.objects.count()} commands, "
            f"all right after {took:.0f} s\n"
        )
        # A meter may show its plan before its acknowledgement comes; one that only calls says so
        # by what it shows, and its command ends when its time is over.
        eventually(lambda: not chaos.open_commands(called=True), within=30, every=0.1)
        city.clock.put_on(3700)
        eventually(lambda: not chaos.open_commands(), within=30, every=0.1)
        assert city.green_without_a_stay() == []
        assert city.went_back == []
        assert city.green, "and something was green"
    assert chaos.ended_twice() == 0
    after = everything()
    assert {name: after[name] for name in ("payments", "books", "events")} == {
        name: before[name] for name in ("payments", "books", "events")
    }
    assert Payment.objects.count() == 2


@pytest.mark.parametrize("seed", [1])
def test_after_a_bad_day_everything_is_right_within_two_heartbeats(
    seed: int, meters: list[Meter], processor: Processor, live_server: Any, settings: Any
) -> None:
    a_bad_day(seed, meters, processor, live_server, settings)


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(2, 22))
def test_after_many_a_bad_day_everything_is_right_within_two_heartbeats(
    seed: int, meters: list[Meter], processor: Processor, live_server: Any, settings: Any
) -> None:
    a_bad_day(seed, meters, processor, live_server, settings)


def unpaid(zone: Zone, now: Any) -> list[str]:
    """Return the spots of which a warden would be told that nobody has paid."""
    return [one.spot.number for one in enforcement.spots_now(zone=zone, now=now) if not one.is_paid]


@pytest.mark.parametrize("count", [4, pytest.param(125, marks=pytest.mark.torture)])
def test_with_the_gateway_down_for_an_hour_no_check_says_that_somebody_has_not_paid(
    count: int, live_server: Any, settings: Any
) -> None:
    zone = cast.a_zone(slot_step_min=5, longest_stay_min=240)
    meters = [a_street_meter(zone, f"MTR-{n:06d}", lamps=8) for n in range(1, count + 1)]
    lights.look(now=cast.NOW, limit=200)
    with chaos.city(live_server, settings, seed=1, speed=1.0) as city:
        city.street.faults({"kind": "gateway_cut"})
        down_until = city.clock() + 3600
        for spot in Spot.objects.select_related("meter").order_by("pk"):
            chaos.confirm(spot, cast.at(0), city.now(), minutes=240)
        city.clock.run_at(60.0)
        checks = 0
        while city.clock() < down_until:
            assert unpaid(zone, city.now()) == []
            checks += 1
            city.clock.put_on(200)
        assert checks >= 5
        assert Slot.objects.confirmed().count() == 8 * count
        assert city.green == set(), "nothing reached the street"
        assert len(city.wrong()) == 8 * len(meters)
        city.clock.run_at(chaos.STREET_SPEED if count < 20 else 1.0)  # of many, in real time
        city.street.faults({"kind": "stampede"})
        took = city.settles_within(2 * HEARTBEAT_S + city.clock.speed * ON_ITS_WAY_S)
        sys.stdout.write(f"{8 * count} lights right {took:.0f} s after an hour's outage\n")
        assert unpaid(zone, city.now()) == []
