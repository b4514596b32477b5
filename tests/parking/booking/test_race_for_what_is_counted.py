"""Processes race for a buffer, a street's share, a vehicle's share. Each has its control."""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection, connections

from parking import refusals, rule_facts, terms
from parking.models import Slot, Spot
from tests import cast
from tests.racing import without_constraint

RACERS = 8
pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
Entry = tuple[int, float, str]  # spot, minutes from now, plate


def _race(entry: Entry, barrier: Any, results: Any) -> None:
    connections.close_all()
    spot_id, start, plate = entry
    try:
        connection.ensure_connection()
        barrier.wait(30)
        cast.a_hold(Spot(pk=spot_id), cast.at(start), plate=plate)
        results.put("won")
    except refusals.SpotTaken:
        results.put("taken")
    except terms.StayRefused as error:
        results.put(", ".join(failure.rule for failure in error.failures))
    except Exception as error:  # noqa: BLE001 (the test counts what must not happen)
        results.put(f"{type(error).__name__}: {error}")
    finally:
        connections.close_all()


def run(entries: Sequence[Entry]) -> Counter[str]:
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(len(entries)), context.Queue()
    connections.close_all()  # a child must not inherit a live connection
    racers = [context.Process(target=_race, args=(entry, barrier, results)) for entry in entries]
    for racer in racers:
        racer.start()
    outcome = Counter(results.get(timeout=60) for _ in racers)
    for racer in racers:
        racer.join(30)
    return outcome


@pytest.fixture
def _slow_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give everybody time to count before anybody writes."""
    count = rule_facts.facts

    def count_and_think(**wanted: Any) -> rule_facts.Facts:
        found = count(**wanted)
        time.sleep(0.1)
        return found

    monkeypatch.setattr(rule_facts, "facts", count_and_think)


@pytest.fixture
def _no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule_facts, "_lock", lambda keys: None)


def neighbours() -> list[Entry]:
    """Half of the racers want an hour, the others the hour after it, on one spot."""
    spot = cast.a_spot(cast.a_zone(buffer_min=15))
    return [(spot.pk, 60 * (number % 2), f"RACE{number}") for number in range(RACERS)]


def test_one_of_two_hours_that_touch_is_let_in() -> None:
    outcome = run(neighbours())
    assert outcome == {"won": 1, "taken": RACERS - 1}
    assert Slot.objects.live().count() == 1


def test_without_the_constraint_the_buffer_is_not_kept() -> None:
    """The control: if both hours are not let in here, the race above proves nothing."""
    entries = neighbours()
    with without_constraint("slot_keeps_its_buffer"):
        assert run(entries) == {"won": 2, "taken": RACERS - 2}


def a_street(**rules: Any) -> list[int]:
    zone = cast.a_zone(**rules)
    return [cast.a_spot(zone, f"K-{number}").pk for number in range(RACERS)]


def reservations() -> list[Entry]:
    spots = a_street(reservable_percent=50)
    return [(spot, 60, f"RACE{number}") for number, spot in enumerate(spots)]


@pytest.mark.usefixtures("_slow_to_write")
def test_half_of_the_street_is_reserved_and_no_more() -> None:
    assert run(reservations()) == {"won": RACERS // 2, "reservable_share": RACERS // 2}
    assert Slot.objects.live().count() == RACERS // 2


@pytest.mark.usefixtures("_slow_to_write", "_no_locks")
def test_without_the_lock_more_of_the_street_is_reserved() -> None:
    """The control of the race for the street."""
    assert run(reservations())["won"] > RACERS // 2


def one_vehicle() -> list[Entry]:
    return [(spot, 0, "ABC123") for spot in a_street(most_stays_ahead=2)]


@pytest.mark.usefixtures("_slow_to_write")
def test_a_vehicle_gets_its_share_and_no_more() -> None:
    assert run(one_vehicle()) == {"won": 2, "fair_share": RACERS - 2}
    assert Slot.objects.live().count() == 2


@pytest.mark.usefixtures("_slow_to_write", "_no_locks")
def test_without_the_lock_a_vehicle_gets_more_than_its_share() -> None:
    """The control of the race for the vehicle's share."""
    assert run(one_vehicle())["won"] > 2
