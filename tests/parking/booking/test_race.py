"""Twenty processes want one slot. The constraint lets one in; without it, several get in."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

import pytest
from django.db import connection, connections

from parking import refusals
from parking.models import LIVE_STATES, Slot
from tests import cast
from tests.racing import without_constraint

RACERS = 20
pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def _race(spot_id: int, barrier: Barrier, results: Queue[str], guarded: bool) -> None:
    connections.close_all()
    try:
        connection.ensure_connection()
        barrier.wait(30)
        if guarded:
            cast.a_hold_of(spot_id)
        else:
            _check_then_insert(spot_id, barrier)
        results.put("won")
    except refusals.SpotTaken:
        results.put("taken")
    except refusals.Busy:
        results.put("busy")
    except Exception as error:  # noqa: BLE001 (the test counts what must not happen)
        results.put(f"{type(error).__name__}: {error}")
    finally:
        connections.close_all()


def _check_then_insert(spot_id: int, all_have_looked: Barrier) -> None:
    """Book as sites do that have no constraint: look, then write, here all at the same time."""
    if Slot.objects.live().filter(spot_id=spot_id).exists():
        raise refusals.SpotTaken
    all_have_looked.wait(30)
    cast.an_unguarded_slot(spot_id)


def run(spot_id: int, *, guarded: bool) -> Counter[str]:
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(RACERS), context.Queue()
    connections.close_all()  # a child must not inherit a live connection
    racers = [
        context.Process(target=_race, args=(spot_id, barrier, results, guarded))
        for _ in range(RACERS)
    ]
    for racer in racers:
        racer.start()
    outcome = Counter(results.get(timeout=60) for _ in racers)
    for racer in racers:
        racer.join(30)
    return outcome


def test_exactly_one_of_twenty_wins() -> None:
    spot = cast.a_spot(cast.a_zone())
    outcome = run(spot.pk, guarded=True)
    assert outcome == {"won": 1, "taken": RACERS - 1}
    assert Slot.objects.filter(state__in=LIVE_STATES).count() == 1


def test_without_the_constraint_the_same_spot_is_sold_twice() -> None:
    """The control: if this one stops failing its citizens, the race above proves nothing."""
    spot = cast.a_spot(cast.a_zone())
    with without_constraint("slot_no_double_booking"):
        outcome = run(spot.pk, guarded=False)
        assert outcome == {"won": RACERS}
