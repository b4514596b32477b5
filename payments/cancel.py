"""Ending a booking: the place is free again, and what is due goes back, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from parking import booking, refund_policy
from parking.models import Booking, Slot, SlotState
from payments import mail, refunds, states
from payments.models import MailKind, Payment, PaymentState, RefundReason


@dataclass(frozen=True, kw_only=True)
class Cancelled:
    """What a cancellation did. `refunded` is in minor units."""

    refunded: int
    refund_ids: list[UUID]
    meter_id: int | None


class LessDue(Exception):
    """Less would go back than the citizen was told; `due` is the new amount in minor units."""

    def __init__(self, due: int) -> None:
        super().__init__(due)
        self.due = due


def due_now(*, reference: str, now: datetime) -> int | None:
    """Return what cancelling at `now` gives back, in minor units; None if nothing can be ended."""
    stay = _stay(booking.slots_of(_id(reference)))
    if not any(now < slot.end for slot in stay):
        return None
    return sum(refund_policy.due(slots=stay, now=now).values())


def cancel_booking(
    *, reference: str, now: datetime, actor: str, reason: str = "", told: int | None = None
) -> Cancelled:
    """End what runs or is to come of a booking and ask for its refunds, newest slot first.

    Afterwards nudge `tasks.submit_refund` for each refund and the meter; the beat finds them too.

    `told` is the refund that the citizen was shown: time passes, and a minute can make it less.

    Raises:
        booking.WrongState: nothing of the booking is confirmed and still to come.
        LessDue: nothing was cancelled; show the new amount.
        booking.Busy: others are at the same rows; nothing was cancelled.
    """
    with booking.contended(), transaction.atomic():
        known = booking.lock_booking(_id(reference))
        stay = _stay(known)
        slots = [slot for slot in reversed(stay) if now < slot.end]
        if not slots:
            raise booking.WrongState("over")
        for slot in known:
            if slot.state == SlotState.HELD:  # an extension that nobody has paid yet
                booking.begin_expiry(slot=slot, now=now, actor=actor, reason=reason)
        # All payments before the first cancellation: that one locks the meter, which comes last.
        payments = [_paid(slot) for slot in slots]
        due = refund_policy.due(slots=stay, now=now)
        back = [
            _end(slot, payment, due[slot.pk], now, actor, reason)
            for slot, payment in zip(slots, payments, strict=True)
        ]
        refund_ids = [refund_id for refund_id, _amount in back if refund_id]
        refunded = sum(amount for _id, amount in back)
        if told is not None and refunded < told:
            raise LessDue(refunded)
        mail.owe(kind=MailKind.CANCELLED, slot=slots[0], amount=refunded, now=now)
    return Cancelled(refunded=refunded, refund_ids=refund_ids, meter_id=slots[0].spot.meter_id)


def _id(reference: str) -> int:
    return Booking.objects.values_list("id", flat=True).get(reference=reference.upper())


def _stay(slots: list[Slot]) -> list[Slot]:
    return [slot for slot in slots if slot.state == SlotState.CONFIRMED]


def _paid(slot: Slot) -> Payment | None:
    paid = slot.payments.filter(state=PaymentState.PAID, is_orphan=False).first()
    return states.lock_payment(paid.id) if paid else None


def _end(
    slot: Slot, payment: Payment | None, due: int, now: datetime, actor: str, reason: str
) -> tuple[UUID | None, int]:
    booking.cancel(slot=slot, now=now, actor=actor, reason=reason)
    amount = min(due, refunds.left_of(payment)) if payment else 0
    if payment is None or not amount:
        return None, 0  # nothing is due, or it went back already
    refund = refunds.request(
        payment=payment,
        amount=amount,
        reason=RefundReason.CANCELLED if due == slot.amount else RefundReason.UNUSED_TIME,
        actor=actor,
        note=reason,
        now=now,
    )
    return refund.id, refund.amount
