"""Who cancels meets who pays, who cancels too, and who corrects the plate; in both orders.

Each race has its control: the same without the locks that make one wait for the other.
"""

from __future__ import annotations

from multiprocessing.synchronize import Barrier
from typing import Any

import pytest

from parking import booking, corrections, extension, locking
from parking.models import BookingEvent, Slot, SlotState, Spot
from payments import checkout
from payments.cancel import cancel_booking
from payments.models import Payment, PaymentState, Refund
from tests import cast
from tests.payments.processor import Processor
from tests.payments.promises import back_of, broken
from tests.payments.situations import a_paid_booking, fresh
from tests.racing import Call, meeting, queue, race

NOW = cast.at(45)
pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def spot() -> Spot:
    return cast.a_spot(cast.a_zone())


@pytest.fixture
def stay(spot: Spot, processor: Processor) -> Payment:
    """An hour, paid."""
    return a_paid_booking(spot, processor, start=cast.at(15))


@pytest.fixture
def longer(stay: Payment, processor: Processor) -> Payment:
    """An hour more, paid on the processor's page; nobody has heard of it yet."""
    slot = extension.extend(
        booking_id=stay.slot.booking_id, to=cast.at(135), now=NOW, actor="citizen"
    )
    checkout.start(slot_id=slot.pk, now=NOW)
    payment: Payment = slot.payments.get()
    assert processor.pay(payment.session_id or "") == "paid"
    return payment


def cancels(stay: Payment) -> Call:
    reference = stay.slot.booking.reference
    return lambda: cancel_booking(reference=reference, now=NOW, actor="citizen")


def hears_of(payment: Payment, processor: Processor) -> Call:
    def sync() -> Payment:
        processor.use_new_connections()
        return checkout.sync_payment(payment_id=payment.id, now=NOW)

    return sync


def corrects(stay: Payment) -> Call:
    return lambda: corrections.correct_plate(
        booking_id=stay.slot.booking_id, plate="XYZ987", now=NOW, actor="citizen"
    )


def unlocked(call: Call, all_have_looked: Barrier) -> Call:
    """Make the call with locks that lock nothing; nobody writes before all have looked."""

    def look_at_slot(slot_id: int, **_more: Any) -> Slot:
        slot = Slot.objects.select_related("spot", "booking").get(id=slot_id)
        all_have_looked.wait()
        return slot

    def look_at_booking(booking_id: int, **_more: Any) -> list[Slot]:
        slots = locking.slots_of(booking_id)
        all_have_looked.wait()
        return slots

    def run() -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(locking, "lock_slot", look_at_slot)
            patch.setattr(locking, "lock_booking", look_at_booking)
            return call()

    return run


@pytest.mark.parametrize("order", [1, -1])
def test_an_extension_paid_while_the_stay_is_cancelled_comes_back_whole(
    spot: Spot, stay: Payment, longer: Payment, processor: Processor, order: int
) -> None:
    calls = [cancels(stay), hears_of(longer, processor)][::order]
    assert sorted(queue(spot.pk, *calls)) == ["Cancelled", "Payment"]
    payment = fresh(longer)
    assert payment.state == PaymentState.PAID
    assert payment.is_orphan is (order == 1), "it came too late, or was cancelled with the stay"
    assert back_of(payment) == payment.captured == 200
    assert fresh(stay.slot).state == SlotState.CANCELLED
    assert not Slot.objects.confirmed().exists()
    assert broken() == []


def test_without_the_locks_it_is_paid_and_gone(
    stay: Payment, longer: Payment, processor: Processor
) -> None:
    """The control: both have looked, and the payment has read of the stay, before either writes."""
    both, has_read = meeting(2), meeting(2)

    def then(call: Call, owner: Any, step: str) -> Call:
        """Take a step for the first time when the payment's side has read of the stay."""
        take = getattr(owner, step)
        waits = [has_read]

        def once_read(*args: Any, **more: Any) -> Any:
            if waits:
                waits.pop().wait()
            return take(*args, **more)

        def run() -> Any:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(owner, step, once_read)
                return call()

        return run

    race(
        then(unlocked(cancels(stay), both), booking, "cancel"),
        then(unlocked(hears_of(longer, processor), both), Slot, "save"),
    )
    payment = fresh(longer)
    assert payment.state == PaymentState.PAID
    assert back_of(payment) == 0
    assert broken()


def test_of_three_who_cancel_one_does_and_it_is_refunded_once(spot: Spot, stay: Payment) -> None:
    assert queue(spot.pk, *[cancels(stay)] * 3) == ["Cancelled", "WrongState", "WrongState"]
    assert Refund.objects.get().amount == 100, "half of the hour"
    assert BookingEvent.objects.filter(kind="cancelled").count() == 1
    assert broken() == []


def test_without_the_locks_it_is_refunded_more_than_once(stay: Payment) -> None:
    """The control: both saw a stay that is confirmed, and half of its hour still to come."""
    race(*[unlocked(cancels(stay), meeting(2))] * 2)
    assert [refund.amount for refund in Refund.objects.all()] == [100, 100]
    assert BookingEvent.objects.filter(kind="cancelled").count() == 2


@pytest.mark.parametrize("order", [1, -1])
def test_a_plate_is_corrected_before_the_stay_is_cancelled_or_not_at_all(
    spot: Spot, stay: Payment, order: int
) -> None:
    outcomes = queue(spot.pk, *[cancels(stay), corrects(stay)][::order])
    steps = list(BookingEvent.objects.values_list("kind", flat=True))[-2:]
    if order == 1:
        assert outcomes == ["Cancelled", "TooLate"]
        assert steps == ["confirmed", "cancelled"]
        assert fresh(stay.slot.booking).plate == "ABC123"
    else:
        assert outcomes == ["NoneType", "Cancelled"]
        assert steps == ["plate corrected", "cancelled"]
        assert fresh(stay.slot.booking).plate == "XYZ987"
    assert fresh(stay.slot).state == SlotState.CANCELLED


def test_without_the_locks_the_plate_of_a_cancelled_stay_is_corrected(stay: Payment) -> None:
    """The control: the correction has looked before the stay is cancelled, and writes after."""
    both_here, is_over = meeting(2), meeting(2)

    def look_and_dream(booking_id: int) -> list[Slot]:
        slots = locking.slots_of(booking_id)
        both_here.wait()
        is_over.wait()
        return slots

    def correct() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(locking, "lock_booking", look_and_dream)
            corrects(stay)()

    def cancel() -> None:
        both_here.wait()
        cancels(stay)()
        is_over.wait()

    assert race(correct, cancel) == ["NoneType", "NoneType"]
    steps = list(BookingEvent.objects.values_list("kind", flat=True))
    assert steps[-2:] == ["cancelled", "plate corrected"]
