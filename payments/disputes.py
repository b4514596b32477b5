"""Disputes: a bank takes money back. The books follow; a person answers the bank."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from parking import locking, refusals
from payments import exception_list, states
from payments.models import Dispute, MoneyException, Payment
from payments.records import ProcessorDispute


def adopt(*, said: ProcessorDispute, payment: Payment, now: datetime) -> Dispute:
    """Bring our rows to a dispute of a paid payment as the processor has it.

    Raises:
        refusals.Busy: others are at the same rows; nothing changed.
    """
    with refusals.contended(), transaction.atomic():
        locking.lock_slot(payment.slot_id)
        locked = states.lock_payment(payment.id)
        dispute, is_new = Dispute.objects.get_or_create(
            dispute_id=said.id,
            defaults={
                "payment": locked,
                "amount": said.amount,
                "currency": said.currency,
                "reason": said.reason[:40],
                "opened_at": said.occurred_at,
            },
        )
        dispute.payment = locked
        states.follow_dispute(dispute=dispute, said=said, now=now)
        if is_new:
            exception_list.put(
                kind=MoneyException.Kind.DISPUTE,
                key=f"dispute:{said.id}",
                detail=f"{said.amount} {said.currency} of {locked.slot.booking.reference} "
                f"disputed: {said.reason}",
                payment=locked,
                now=now,
            )
    return dispute
