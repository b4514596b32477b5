"""A slot goes HELD → EXPIRING → RELEASED, or HELD → CONFIRMED → CANCELLED, and no other way."""

import pytest

from parking import booking, locking, refusals
from parking.models import BookingEvent, Slot, SlotState, Spot
from tests import cast


def locked(slot: Slot) -> Slot:
    return locking.lock_slot(slot.pk)


def confirmed(spot: Spot, minutes: int = 60, start: int = 0) -> Slot:
    slot = locked(cast.a_hold(spot, cast.at(start), minutes=minutes))
    booking.confirm(slot=slot, now=cast.at(1), actor="processor")
    return slot


def test_confirming_twice_changes_nothing(spot: Spot) -> None:
    slot = confirmed(spot)
    booking.confirm(slot=locked(slot), now=cast.at(5), actor="processor")
    slot.refresh_from_db()
    assert slot.confirmed_at == cast.at(1)
    assert BookingEvent.objects.filter(kind="confirmed").count() == 1


def test_a_hold_that_ran_out_keeps_its_place_until_it_is_released(spot: Spot) -> None:
    slot = cast.a_hold(spot)

    assert booking.begin_expiries(now=cast.at(9.9)) == []
    assert booking.begin_expiries(now=cast.at(10)) == [slot.pk]
    with pytest.raises(refusals.SpotTaken):
        cast.a_hold(spot)

    booking.release(slot=locked(slot), now=cast.at(11), actor="clock")
    assert cast.a_hold(spot).state == SlotState.HELD


def test_a_held_slot_cannot_be_released_before_it_expires(spot: Spot) -> None:
    slot = cast.a_hold(spot)
    with pytest.raises(refusals.WrongState):
        booking.release(slot=locked(slot), now=cast.at(1), actor="clock")
    slot.refresh_from_db()
    assert slot.state == SlotState.HELD


def test_a_payment_that_arrives_while_expiring_confirms(spot: Spot) -> None:
    slot = cast.a_hold(spot)
    booking.begin_expiries(now=cast.at(10))
    booking.confirm(slot=locked(slot), now=cast.at(11), actor="processor")
    slot.refresh_from_db()
    assert slot.state == SlotState.CONFIRMED


def released(spot: Spot) -> Slot:
    slot = cast.a_hold(spot)
    booking.begin_expiries(now=cast.at(10))
    booking.release(slot=locked(slot), now=cast.at(11), actor="clock")
    return slot


def test_a_late_payment_claims_a_released_place_again(spot: Spot) -> None:
    slot = released(spot)
    booking.confirm(slot=locked(slot), now=cast.at(12), actor="processor")
    slot.refresh_from_db()
    assert (slot.state, slot.ended_at) == (SlotState.CONFIRMED, None)


def test_a_late_payment_does_not_take_the_place_from_another(spot: Spot) -> None:
    slot = released(spot)
    other = cast.a_hold(spot)
    with pytest.raises(refusals.SpotTaken):
        booking.confirm(slot=locked(slot), now=cast.at(12), actor="processor")
    slot.refresh_from_db()
    other.refresh_from_db()
    assert (slot.state, other.state) == (SlotState.RELEASED, SlotState.HELD)


def test_a_stay_that_is_over_cannot_be_cancelled(spot: Spot) -> None:
    slot = confirmed(spot)
    with pytest.raises(refusals.WrongState):
        booking.cancel(slot=locked(slot), now=cast.at(60), actor="citizen")


def test_a_cancelled_slot_cannot_be_confirmed(spot: Spot) -> None:
    slot = confirmed(spot)
    booking.cancel(slot=locked(slot), now=cast.at(2), actor="citizen")
    with pytest.raises(refusals.WrongState):
        booking.confirm(slot=locked(slot), now=cast.at(3), actor="processor")


def test_a_cancelled_place_is_free_at_once(spot: Spot) -> None:
    slot = confirmed(spot)
    booking.cancel(slot=locked(slot), now=cast.at(2), actor="citizen")
    assert cast.a_hold(spot).state == SlotState.HELD


def test_every_step_is_in_the_history(spot: Spot) -> None:
    slot = confirmed(spot)
    booking.cancel(slot=locked(slot), now=cast.at(2), actor="user:7", reason="ill")
    steps = BookingEvent.objects.values_list("kind", "actor", "reason")
    assert list(steps) == [("confirmed", "processor", ""), ("cancelled", "user:7", "ill")]
