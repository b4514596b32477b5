"""People move at once: onto the same spot, onto a spot that is booked, onto each other's, and
away from a stay that is cancelled meanwhile.
"""

from __future__ import annotations

import pytest

from parking.models import LIVE_STATES, Slot, Spot
from payments import checkout
from payments.cancel import cancel_booking
from payments.change import change_booking
from payments.models import Payment, PaymentState
from tests import cast
from tests.payments.processor import Processor
from tests.payments.promises import back_of, broken
from tests.payments.situations import a_paid_booking, fresh
from tests.racing import Call, deadlocks, queue, race, without_constraint

NOW = cast.at(5)
START = cast.at(30)
pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def street() -> list[Spot]:
    """Three spots of two meters."""
    zone = cast.a_zone()
    meters = [cast.a_meter(zone, f"MTR-{number}") for number in range(2)]
    return [cast.a_spot(zone, f"K-{n}", meter=meters[n % 2], position=n // 2 + 1) for n in range(3)]


def a_stay(spot: Spot, processor: Processor) -> Payment:
    return a_paid_booking(spot, processor, start=START)


def moves(stay: Payment, to: Spot, *, longer: int = 0) -> Call:
    return lambda: change_booking(
        reference=stay.slot.booking.reference,
        spot_id=to.pk,
        end=cast.at(90 + longer),
        now=NOW,
        actor="citizen",
    )


def cancels(stay: Payment) -> Call:
    reference = stay.slot.booking.reference
    return lambda: cancel_booking(reference=reference, now=NOW, actor="citizen")


def places() -> set[tuple[int, str]]:
    """Return who has which spot."""
    live = Slot.objects.filter(state__in=LIVE_STATES)
    return {(slot.booking_id, slot.spot.number) for slot in live.select_related("spot")}


def test_of_two_who_move_onto_one_spot_one_comes_and_the_other_stays(
    street: list[Spot], processor: Processor
) -> None:
    one, other = (a_stay(spot, processor) for spot in street[:2])
    free = street[2]
    assert queue(free.pk, moves(one, free), moves(other, free)) == ["Changed", "SpotTaken"]
    assert places() == {(one.slot.booking_id, "K-2"), (other.slot.booking_id, "K-1")}
    assert broken() == []


@pytest.mark.parametrize("order", [1, -1])
def test_who_moves_and_who_holds_never_both_have_the_spot(
    street: list[Spot], processor: Processor, order: int
) -> None:
    stay, free = a_stay(street[0], processor), street[2]
    calls = [moves(stay, free), lambda: cast.a_hold(free, START, now=NOW)]
    outcomes = queue(free.pk, *calls[::order])
    assert outcomes == [["Changed", "SpotTaken"], ["Slot", "SpotTaken"]][order < 0]
    assert len({booked for booked, _number in places()}) == [1, 2][order < 0]
    assert broken() == []


def test_without_the_constraint_both_have_the_spot(
    street: list[Spot], processor: Processor
) -> None:
    """The control: a hold writes without looking."""
    stay, free = a_stay(street[0], processor), street[2]
    with without_constraint("slot_no_double_booking"):
        hold = queue(free.pk, moves(stay, free), lambda: cast.a_hold(free, START, now=NOW))
        assert hold == ["Changed", "Slot"]
        assert [number for _booking, number in places()] == ["K-2", "K-2"]


@pytest.mark.parametrize("attempt", range(3))
def test_two_who_want_each_others_spots_keep_their_own_without_a_deadlock(
    street: list[Spot], processor: Processor, attempt: int
) -> None:
    one, other = (a_stay(spot, processor) for spot in street[:2])
    before = deadlocks()
    outcomes = race(moves(one, street[1]), moves(other, street[0]))
    assert outcomes == ["SpotTaken", "SpotTaken"]
    assert deadlocks() == before
    assert places() == {(one.slot.booking_id, "K-0"), (other.slot.booking_id, "K-1")}


@pytest.mark.parametrize("longer", [0, 60], ids=["at_once", "for_money"])
def test_a_stay_that_was_cancelled_meanwhile_does_not_move(
    street: list[Spot], processor: Processor, longer: int
) -> None:
    stay = a_stay(street[0], processor)
    outcomes = queue(street[0].pk, cancels(stay), moves(stay, street[2], longer=longer))
    assert outcomes[0] == "Cancelled"
    assert outcomes[1] in {"NotBooked", "Busy"}
    assert places() == set(), "nothing is held for who has gone"
    assert back_of(stay) == 200
    assert broken() == []


@pytest.mark.parametrize("longer", [0, 60], ids=["at_once", "for_money"])
def test_a_stay_that_moved_first_is_cancelled_where_it_is_or_a_moment_later(
    street: list[Spot], processor: Processor, longer: int
) -> None:
    stay = a_stay(street[0], processor)
    outcomes = queue(street[0].pk, moves(stay, street[2], longer=longer), cancels(stay))
    assert outcomes[0] == "Changed"
    assert outcomes[1] in {"Cancelled", "Busy"}, "it looks for the spots that it knew"
    if outcomes[1] == "Busy":
        cancels(stay)()
    assert not Slot.objects.confirmed().exists()
    assert back_of(stay) == 200
    assert broken() == []


@pytest.mark.parametrize("order", [1, -1])
def test_a_change_paid_while_the_stay_is_cancelled_comes_back_whole(
    street: list[Spot], processor: Processor, order: int
) -> None:
    stay = a_stay(street[0], processor)
    slot = moves(stay, street[2], longer=60)().slot
    checkout.start(slot_id=slot.pk, now=NOW)
    payment: Payment = slot.payments.get()
    assert processor.pay(payment.session_id or "") == "paid"

    def hears_of_it() -> Payment:
        processor.use_new_connections()
        return checkout.sync_payment(payment_id=payment.id, now=NOW)

    calls = [cancels(stay), hears_of_it]
    assert sorted(queue(street[0].pk, *calls[::order])) == ["Cancelled", "Payment"]
    assert fresh(payment).state == PaymentState.PAID
    assert fresh(payment).is_orphan is (order == 1)
    assert (back_of(payment), back_of(stay)) == (200, 200)
    assert not Slot.objects.confirmed().exists()
    assert broken() == []
