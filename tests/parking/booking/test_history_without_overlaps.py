"""Whatever a crowd does, no two people ever had the same minute of a spot; and who would notice.

The same crowd in the large is `make torture`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from parking import refusals
from parking.models import Booking, Slot, SlotState, Spot
from tests import cast, slot_journal
from tests.racing import without_constraint
from tests.torture import crowd

ATTEMPTS, PROCESSES, SPOTS = 400, 8, 4
pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _journal() -> Iterator[None]:
    with slot_journal.kept():
        yield


@pytest.fixture
def spots() -> list[int]:
    zone = cast.a_zone(slot_step_min=15, longest_stay_min=crowd.LONGEST_MIN)
    return [cast.a_spot(zone, f"K-{number}").pk for number in range(SPOTS)]


def test_a_crowd_never_shares_a_minute(spots: list[int]) -> None:
    tally = crowd.run(turns=crowd.Turns(ATTEMPTS), spots=spots, processes=PROCESSES)
    won = tally.outcomes["won"]
    assert not tally.errors
    assert tally.outcomes.total() == ATTEMPTS
    assert 0 < won < ATTEMPTS
    assert slot_journal.overlaps() == []
    assert slot_journal.strays() == 0
    assert (Booking.objects.count(), slot_journal.lines()[0]) == (won, won)


def look_then_write(*, spot_id: int, start: datetime, end: datetime, **_who: Any) -> Slot:
    """Book as sites do that have neither a lock nor a constraint."""
    if Slot.objects.live().filter(spot=spot_id).overlapping(start, end).exists():
        raise refusals.SpotTaken
    time.sleep(0.005)  # what such a site does between looking and writing
    minutes = int((end - start).total_seconds() // 60)
    return cast.an_unguarded_slot(spot_id, start, minutes)


def test_without_lock_and_constraint_the_crowd_is_caught_sharing(spots: list[int]) -> None:
    """The control: a history that finds nothing here would find nothing anywhere."""
    with without_constraint("slot_no_double_booking"):
        tally = crowd.run(
            turns=crowd.Turns(ATTEMPTS), spots=spots, processes=PROCESSES, hold=look_then_write
        )
        assert not tally.errors
        assert slot_journal.overlaps()


def write(spot: Spot, start: int = 0, **fields: Any) -> Slot:
    slot = cast.an_unguarded_slot(spot.pk, cast.at(start))
    Slot.objects.filter(pk=slot.pk).update(**fields)
    return slot


def test_the_same_minute_is_found_also_after_both_are_gone(spot: Spot) -> None:
    with without_constraint("slot_no_double_booking"):
        one, other = write(spot), write(spot, 59)
        Slot.objects.update(state=SlotState.RELEASED)
        assert slot_journal.overlaps() == [(one.pk, other.pk)]


def test_one_after_the_other_is_no_overlap(spot: Spot) -> None:
    another = cast.a_spot(spot.zone, "K-2")
    write(spot, state=SlotState.RELEASED)
    write(spot, state=SlotState.EXPIRING)
    write(spot, 60)
    write(another)
    assert slot_journal.overlaps() == []
    assert slot_journal.lines() == (4, 5)


def test_a_place_that_comes_alive_again_beside_another_is_found(spot: Spot) -> None:
    with without_constraint("slot_no_double_booking"):
        one = write(spot, state=SlotState.RELEASED)
        other = write(spot, 30)
        assert slot_journal.overlaps() == []
        Slot.objects.filter(pk=one.pk).update(state=SlotState.CONFIRMED, confirmed_at=cast.NOW)
        assert slot_journal.overlaps() == [(one.pk, other.pk)]


def test_a_slot_that_moves_onto_another_is_found(spot: Spot) -> None:
    with without_constraint("slot_no_double_booking"):
        one, other = write(spot), write(spot, 60)
        onto = DateTimeTZRange(cast.at(30), cast.at(90))
        Slot.objects.filter(pk=one.pk).update(period=onto)
        assert slot_journal.overlaps() == [(one.pk, other.pk)]


def test_parts_of_one_booking_are_one_stay(spot: Spot) -> None:
    with without_constraint("slot_no_double_booking"):
        slot = write(spot)
        slot.pk = None
        slot.save(force_insert=True)
        assert slot_journal.lines() == (2, 2)
        assert slot_journal.overlaps() == []


def test_a_change_behind_the_journal_is_a_stray(spot: Spot) -> None:
    slot = write(spot)
    with slot_journal.connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE parking_slot SET state = 'released' WHERE id = %s", [slot.pk])
        cursor.execute("RESET session_replication_role")
    assert slot_journal.strays() == 1
