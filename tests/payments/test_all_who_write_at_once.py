"""Holds, payments, notices, extensions, cancellations, corrections, sweeps: all at once on a few
spots. Nobody runs into a deadlock, hardly anybody is told to try again, and the books are right.

"Busy" is said because of what PostgreSQL says, or because another process has just changed the
same booking; that happens to eight who share some twenty bookings, and hardly to people.
"""

from __future__ import annotations

import pytest
from django.db import transaction

from parking import refusals
from parking.models import Spot
from tests import cast, slot_journal
from tests.payments import writers
from tests.payments.processor import Processor
from tests.payments.promises import broken
from tests.payments.situations import an_open_payment
from tests.racing import deadlocks, meeting, race
from tests.torture.crowd import Turns

SPOTS, PROCESSES = 16, 8
# What must have happened, or it was no crowd.
DONE = (
    "hold",
    "hold_any",
    "pay",
    "extend",
    "change_one",
    "cancel_one",
    "correct",
    "sweep",
    "act_on_notices",
)
pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("turns", [400, pytest.param(5_000, marks=pytest.mark.torture)])
def test_nobody_meets_a_deadlock_and_every_promise_is_kept(
    processor: Processor, turns: int
) -> None:
    # Rules that count others take locks of their own.
    zone = cast.a_zone(longest_stay_min=600, most_stays_ahead=8, reservable_percent=100)
    meters = [cast.a_meter(zone, f"MTR-{n:06}") for n in range(2)]
    spots = [
        cast.a_spot(zone, f"K-{n}", metres_east=6 * n, meter=meters[n % 2], position=n // 2 + 1)
        for n in range(SPOTS)
    ]
    an_open_payment(spots[0])  # loads what each process would have to load by itself
    before = deadlocks()
    with slot_journal.kept():
        came = writers.run(
            processor,
            turns=Turns(turns),
            zone_id=zone.pk,
            spots=[spot.pk for spot in spots],
            processes=PROCESSES,
        )
        assert [what for what in came if "ERROR" in what] == []
        assert deadlocks() == before
        for answer, share in (("Busy because of", 0.01), ("Busy", 0.05)):
            busy = {what: count for what, count in came.items() if answer in what}
            assert sum(busy.values()) <= came.total() * share, busy
        assert slot_journal.overlaps() == []
        assert slot_journal.strays() == 0
    assert broken() == []
    assert [action for action in DONE if not came[f"{action}: done"]] == []


def test_a_deadlock_is_noticed_although_people_are_told_busy() -> None:
    """The control: two processes lock two spots in opposite orders."""
    zone = cast.a_zone()
    spots = [cast.a_spot(zone, f"K-{number}") for number in range(2)]
    both_have_one = meeting(2)

    def lock(one: Spot, other: Spot) -> None:
        with refusals.contended(), transaction.atomic():
            Spot.objects.select_for_update(no_key=True).get(id=one.pk)
            both_have_one.wait()
            Spot.objects.select_for_update(no_key=True).get(id=other.pk)

    before = deadlocks()
    outcomes = race(lambda: lock(*spots), lambda: lock(*reversed(spots)))
    assert sorted(outcomes) == ["Busy", "NoneType"]
    assert deadlocks() == before + 1
