"""Many ask for any spot at once: while there is room, nobody is refused."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

import pytest
from django.db import connection, connections

from parking import any_spot, refusals
from parking.models import LIVE_STATES, Slot, Spot
from tests import cast

RACERS, EACH = 8, 5
pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

Ask = Callable[[int], object]


def skipping(zone_id: int) -> object:
    return any_spot.hold_any(
        zone_id=zone_id,
        start=cast.at(0),
        end=cast.at(60),
        now=cast.NOW,
        plate="ABC123",
        email="guest@example.org",
    )


def first_free(zone_id: int) -> object:
    """Book as sites do that pick and then write: the first that looked free."""
    free = Spot.objects.filter(zone=zone_id).exclude(slots__state__in=LIVE_STATES)
    spot = free.order_by("id").first()
    if spot is None:
        raise refusals.SpotTaken
    return cast.a_hold(spot)


def _race(zone_id: int, ask: Ask, each: int, barrier: Barrier, results: Queue[str]) -> None:
    connections.close_all()
    try:
        connection.ensure_connection()
        barrier.wait(60)
        for _ in range(each):
            try:
                ask(zone_id)
                results.put("won")
            except Exception as error:  # noqa: BLE001 (the test counts what must not happen)
                results.put(type(error).__name__)
    finally:
        connections.close_all()


def run(zone_id: int, ask: Ask, racers: int = RACERS, each: int = EACH) -> Counter[str]:
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(racers), context.Queue()
    connections.close_all()  # a child must not inherit a live connection
    field = [
        context.Process(target=_race, args=(zone_id, ask, each, barrier, results))
        for _ in range(racers)
    ]
    for racer in field:
        racer.start()
    outcome = Counter(results.get(timeout=60) for _ in range(racers * each))
    for racer in field:
        racer.join(30)
    return outcome


def a_street(spots: int) -> int:
    zone = cast.a_zone()
    for number in range(spots):
        cast.a_spot(zone, f"K-{number}", metres_east=6 * number)
    return zone.pk


def test_with_a_spot_for_each_nobody_is_refused() -> None:
    zone_id = a_street(RACERS * EACH)
    assert run(zone_id, skipping) == {"won": RACERS * EACH}
    assert Slot.objects.values("spot").distinct().count() == RACERS * EACH


def test_with_fewer_spots_each_is_sold_once_and_the_rest_is_told() -> None:
    zone_id = a_street(10)
    assert run(zone_id, skipping) == {"won": 10, "NothingFree": RACERS * EACH - 10}


def test_picking_the_first_free_one_refuses_people_although_there_is_room() -> None:
    """The control: without skipping what others are at, people run into each other."""
    zone_id = a_street(RACERS * EACH)
    outcome = run(zone_id, first_free)
    assert outcome["SpotTaken"] > 0


@pytest.mark.torture
def test_160_people_at_once_on_8000_free_spots_are_all_served() -> None:
    zone_id = a_street(1)
    (first,) = Spot.objects.all()
    Spot.objects.bulk_create(
        Spot(zone_id=zone_id, number=f"M-{n}", street=first.street, location=first.location)
        for n in range(7_999)
    )
    assert run(zone_id, skipping, racers=160, each=1) == {"won": 160}
    assert Slot.objects.values("spot").distinct().count() == 160
