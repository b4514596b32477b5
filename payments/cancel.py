"""Ending a booking: the place is free again, and what is due goes back, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from parking import booking, locking, refund_policy, refusals
from parking.models import Booking, SlotState
from parking.stays import stay_of
from payments import mail, refunds
from payments.models import MailKind, RefundReason


@dataclass(frozen=True, kw_only=True)
class Cancelled:
    """What a cancellation did. `refunded` is in minor units."""

    refunded: int
    refund_ids: list[UUID]
    meter_id: int | None


_NO_FAULT_OF_THEIRS = {
    booking.SPOT_WAS_TAKEN: RefundReason.OCCUPIED,
    booking.LIGHT_STAYED_DARK: RefundReason.UNLIT,
    booking.SPOT_WAS_CLOSED: RefundReason.CLOSED,
}


class LessDue(Exception):
    """Less would go back than the citizen was told; `due` is the new amount in minor units."""

    def __init__(self, due: int) -> None:
        super().__init__(due)
        self.due = due


def due_now(*, reference: str, now: datetime) -> int | None:
    """Return what cancelling at `now` gives back, in minor units; None if nothing can be ended."""
    stay = stay_of(locking.slots_of(_id(reference)))
    if not stay.is_booked or now >= stay.end:
        return None
    return sum(refund_policy.due(stay=stay, now=now).values())


def cancel_booking(
    *,
    reference: str,
    now: datetime,
    actor: str,
    reason: str = "",
    told: int | None = None,
    in_full: bool = False,
) -> Cancelled:
    """End what runs or is to come of a booking and ask for its refunds, newest slot first.

    Afterwards nudge `tasks.submit_refund` for each refund and the meter; the beat finds them too.

    `told` is the refund that the citizen was shown: time passes, and a minute can make it less.
    `in_full`: all of the price goes back, because the citizen could not have what was paid for.

    Raises:
        refusals.WrongState: nothing of the booking is confirmed and still to come.
        LessDue: nothing was cancelled; show the new amount.
        refusals.Busy: others are at the same rows; nothing was cancelled.
    """
    with refusals.contended(), transaction.atomic():
        known = locking.lock_booking(_id(reference))
        stay = stay_of(known)
        if not stay.is_booked or now >= stay.end:
            raise refusals.WrongState("over")
        if stay.waiting is not None and stay.waiting.state == SlotState.HELD:  # not paid yet
            booking.begin_expiry(slot=stay.waiting, now=now, actor=actor, reason=reason)
        # The payments are locked before a slot is ended: that locks the meter, which comes last.
        due = refund_policy.due(stay=stay, now=now)
        if in_full:
            due = refund_policy.shared(stay=stay, back=stay.price)
        sources = refunds.sources(stay=stay, due=due)
        for slot in reversed(stay.parts):
            if now < slot.end:
                booking.cancel(slot=slot, now=now, actor=actor, reason=reason)
        asked = [
            refunds.request(
                payment=source.payment,
                amount=source.amount,
                reason=_why(source, in_full, reason),
                actor=actor,
                note=reason,
                now=now,
            )
            for source in sources
        ]
        refunded = sum(refund.amount for refund in asked)
        if told is not None and refunded < told:
            raise LessDue(refunded)
        mail.owe(kind=MailKind.CANCELLED, slot=stay.parts[-1], amount=refunded, now=now)
    return Cancelled(
        refunded=refunded,
        refund_ids=[refund.id for refund in asked],
        meter_id=stay.spot.meter_id,
    )


def _id(reference: str) -> int:
    return Booking.objects.values_list("id", flat=True).get(reference=reference.upper())


def _why(source: refunds.Source, in_full: bool, reason: str) -> RefundReason:
    if in_full:
        return _NO_FAULT_OF_THEIRS[reason]
    return RefundReason.CANCELLED if source.is_all else RefundReason.UNUSED_TIME
