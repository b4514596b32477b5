"""Spots that nobody came to: given to others by the clock, with what is due back to the citizen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from parking import locking, no_show, refusals
from parking.models import Slot
from parking.no_show import Verdict
from payments import cancel, mail, states
from payments.models import Payment, PaymentState

CLOCK = "clock"


def look(*, booking_id: int, now: datetime) -> cancel.Cancelled | None:
    """Look at a spot that waits for its citizen; warn, release it, or leave it; once each.

    What a release asks for is returned: nudge `tasks.submit_refund` for each refund and the
    meter. Who dies in between leaves everything as it was.

    Raises:
        refusals.Busy: others are at the same rows; look again.
    """
    with refusals.contended(), transaction.atomic():
        slots = locking.lock_booking(booking_id)
        _lock_payments(slots)
        found = no_show.judge(slots=slots, now=now)
        if found.slot is None or found.deadline is None:
            return None
        if found.verdict == Verdict.WARN:
            mail.owe_warning(slot=found.slot, not_after=found.deadline, now=now)
        if found.verdict != Verdict.RELEASE:
            return None
        return cancel.cancel_booking(
            reference=found.slot.booking.reference,
            now=now,
            actor=CLOCK,
            reason=no_show.why(slot=found.slot, deadline=found.deadline),
        )


def _lock_payments(slots: Sequence[Slot]) -> None:
    """Lock what a cancellation will lock: the meter, which comes last, is locked before that."""
    paid = Payment.objects.filter(slot__in=slots, state=PaymentState.PAID, is_orphan=False)
    for payment_id in paid.order_by("id").values_list("id", flat=True):
        states.lock_payment(payment_id)
