"""Changing a stay, with the money that goes back for it, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from parking import booking, changes, refusals
from parking.models import Booking, Slot, SlotState
from payments import mail, refunds
from payments.models import MailKind, RefundReason


@dataclass(frozen=True, kw_only=True)
class Changed:
    """What a change did. While `slot` is held it waits for its payment; amounts in minor units."""

    slot: Slot
    refunded: int
    refund_ids: list[UUID]
    meter_ids: list[int]


class OtherTerms(Exception):
    """It costs more, or less goes back, than the citizen was told; `change` says what now."""

    def __init__(self, change: changes.Change) -> None:
        super().__init__(change.due, change.refund)
        self.change = change


def change_booking(
    *,
    reference: str,
    now: datetime,
    actor: str,
    spot_id: int | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    told: tuple[int, int] | None = None,
    reason: str = "",
) -> Changed:
    """Give a booking another spot, start or end; what is left out stays as it is.

    Where something is to be paid, the new slot is held and the old stay stands until the money is
    here; else it is changed at once, and what it costs less is asked back. Afterwards nudge
    `tasks.submit_refund` for each refund, and the meters; the beat finds them too.

    `told` is what the citizen was shown: what is to be paid, and what goes back. `reason` is for
    the history; a change because the spot was taken is not counted among the corrections.

    Raises:
        OtherTerms: nothing was changed.
        What `changes.propose` raises.
    """
    booking_id = Booking.objects.values_list("id", flat=True).get(reference=reference.upper())
    with refusals.contended(), transaction.atomic():
        change = changes.propose(
            booking_id=booking_id,
            now=now,
            spot_id=spot_id,
            start=start,
            end=end,
            locked=True,
            is_a_choice=reason not in booking.NO_CHOICE,
        )
        if told is not None and (change.due > told[0] or change.refund < told[1]):
            raise OtherTerms(change)
        # The payments are locked before the slots move: that locks the meters, which come last.
        sources = refunds.sources(stay=change.stay, due=change.back)
        slot = changes.make(change=change, now=now, actor=actor, reason=reason)
        asked = [
            refunds.request(
                payment=source.payment,
                amount=source.amount,
                reason=RefundReason.CHANGED,
                actor=actor,
                now=now,
            )
            for source in sources
        ]
        refunded = sum(refund.amount for refund in asked)
        if slot.state == SlotState.CONFIRMED:
            mail.owe(kind=MailKind.CHANGED, slot=slot, amount=refunded, now=now)
    meters = {change.stay.spot.meter_id, change.spot.meter_id}
    return Changed(
        slot=slot,
        refunded=refunded,
        refund_ids=[refund.id for refund in asked],
        meter_ids=sorted(meter_id for meter_id in meters if meter_id is not None),
    )
