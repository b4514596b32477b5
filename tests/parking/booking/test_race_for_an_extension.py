"""An extension and the next booking want the same time: one of them gets it, whoever asks first."""

from __future__ import annotations

import pytest

from parking import extension
from parking.models import Slot, Spot
from tests import cast
from tests.racing import Call, queue, without_constraint

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def spot() -> Spot:
    return cast.a_spot(cast.a_zone())


def longer(spot: Spot) -> Call:
    """A stay of an hour that wants a second one."""
    [first] = cast.a_stay(spot, 60)
    return lambda: extension.extend(
        booking_id=first.booking_id, to=cast.at(120), now=cast.at(30), actor="citizen"
    )


def next_one(spot: Spot) -> Call:
    return lambda: cast.a_hold(spot, cast.at(60), now=cast.at(30))


def test_who_extends_first_keeps_the_time(spot: Spot) -> None:
    assert queue(spot.pk, longer(spot), next_one(spot)) == ["Slot", "SpotTaken"]
    assert Slot.objects.live().values("booking").distinct().count() == 1


def test_who_books_first_keeps_the_time(spot: Spot) -> None:
    extend = longer(spot)
    assert queue(spot.pk, next_one(spot), extend) == ["Slot", "SpotTaken"]
    assert Slot.objects.live().values("booking").distinct().count() == 2


def test_without_the_constraint_both_get_the_time(spot: Spot) -> None:
    """The control: the lock alone does not stop a hold, which writes without looking."""
    extend = longer(spot)
    with without_constraint("slot_no_double_booking"):
        assert queue(spot.pk, extend, next_one(spot)) == ["Slot", "Slot"]
