"""A payment arrives while its hold runs out and others wait for the spot, in processes.

The payer has the place or has not paid; the place is never given to two.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest
from django.db import connection, transaction

from parking import booking, locking, refusals
from parking.models import Slot, SlotState, Spot
from payments import checkout, expiry
from payments.models import Payment, PaymentState, Refund
from tests import cast
from tests.payments.processor import Processor
from tests.payments.promises import broken
from tests.payments.situations import an_open_payment, fresh
from tests.racing import race

NOW = cast.at(10)  # the hold is over
pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
End = Callable[[datetime], Any]


def expire_first(now: datetime) -> None:
    """End holds as the workers do: nothing is released before the processor has answered."""
    for payment_id in expiry.sweep(now=now):
        expiry.end_page(payment_id=payment_id, now=now)


def give_up(now: datetime) -> None:
    """End holds as people do who change their mind, with the payment open in another tab."""
    for slot in Slot.objects.filter(state=SlotState.HELD):
        with suppress(refusals.WrongState):
            expiry.give_up(slot_id=slot.pk, now=now, actor="citizen")


def by_the_clock(now: datetime) -> None:
    """End holds as sites do that ask nobody."""
    for slot_id in booking.begin_expiries(now=now):
        with transaction.atomic():
            slot = locking.lock_slot(slot_id)
            if slot.state == SlotState.EXPIRING:
                booking.release(slot=slot, now=now, actor="clock")


def pay(processor: Processor, payment: Payment, *, begins_after: float, notice: float) -> None:
    """Pay on the hosted page; the site hears of it `notice` seconds later."""
    processor.use_new_connections()
    time.sleep(begins_after)
    processor.pay(payment.session_id or "")
    time.sleep(notice)
    checkout.sync_payment(payment_id=payment.id, now=NOW)


def want(spot: Spot, *, for_s: float = 1.0) -> Slot:
    """Try to hold the spot again and again, as somebody does who waits for it."""
    deadline = time.monotonic() + for_s
    while True:
        try:
            return cast.a_hold(spot, start=cast.at(15), now=NOW)
        except refusals.SpotTaken:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def run(
    processor: Processor,
    end: End,
    *,
    begins_after: float = 0.0,
    notice: float = 0.0,
    is_paid: bool = False,
) -> tuple[Payment, str]:
    """Race payer, worker and the next citizen; return the payment and what the last one got.

    Where `is_paid`, the worker comes after the payment and before its notice.
    """
    spot = cast.a_spot(cast.a_zone())
    payment = an_open_payment(spot)

    def worker() -> None:
        processor.use_new_connections()
        page = f"checkout/sessions/{payment.session_id}"
        while is_paid and processor.get(page)["status"] == "open":
            time.sleep(0.01)
        end(NOW)

    *done, another = race(
        lambda: pay(processor, payment, begins_after=begins_after, notice=notice),
        worker,
        lambda: want(spot),
    )
    assert done == ["NoneType", "NoneType"]
    return fresh(payment), another


@pytest.mark.parametrize("end", [expire_first, give_up])
@pytest.mark.parametrize("begins_after", [0.0, 0.02, 0.04, 0.2])
def test_who_pays_has_the_place_and_who_does_not_pay_has_not(
    processor: Processor, begins_after: float, end: End
) -> None:
    payment, another = run(processor, end, begins_after=begins_after)
    state = fresh(payment.slot).state
    if payment.state == PaymentState.PAID:
        assert (state, another) == (SlotState.CONFIRMED, "SpotTaken")
    else:
        assert (payment.state, state) == (PaymentState.EXPIRED, SlotState.RELEASED)
        assert another == "Slot"
    assert Slot.objects.live().count() == 1
    assert not payment.is_orphan
    assert not Refund.objects.exists()
    assert broken() == []


def test_who_has_paid_keeps_the_place_although_nobody_has_heard_of_it(
    processor: Processor,
) -> None:
    payment, another = run(processor, expire_first, notice=0.4, is_paid=True)
    assert (payment.state, payment.is_orphan, another) == (PaymentState.PAID, False, "SpotTaken")
    assert Slot.objects.get().state == SlotState.CONFIRMED
    assert broken() == []


def test_a_hold_that_ran_out_is_left_while_somebody_writes_on_its_spot() -> None:
    """Without the spot's lock the two would wait for each other: the slot, and the constraint."""
    slot = cast.a_hold(cast.a_spot(cast.a_zone()))
    somebody = connection.copy()
    somebody.set_autocommit(False)
    with somebody.cursor() as cursor:
        cursor.execute("SELECT FROM parking_spot WHERE id = %s FOR NO KEY UPDATE", [slot.spot_id])
    assert booking.begin_expiries(now=NOW) == []
    assert fresh(slot).state == SlotState.HELD
    somebody.rollback()
    somebody.close()
    assert booking.begin_expiries(now=NOW) == [slot.pk]


def test_releasing_by_the_clock_takes_the_place_from_who_has_paid(processor: Processor) -> None:
    """The control: the same moments without asking the processor first."""
    payment, another = run(processor, by_the_clock, notice=0.4, is_paid=True)
    assert (payment.is_orphan, another) == (True, "Slot")
    assert fresh(payment.slot).state == SlotState.RELEASED
    assert broken() == [], "the money goes back even so"
