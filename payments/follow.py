"""Whatever the processor names, charge, refund, dispute or payout, is brought into our rows.

Its payment comes first: money must be in the books before any of it can leave them. Notices and
the reconciler both come here, so that the order in which they arrive makes no difference.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from payments import checkout, disputes, gateway, payouts, refunds
from payments.models import Payment, PaymentState


def refund(refund_id: str, *, now: datetime) -> bool:
    """Follow a refund of the processor; return whether its payment is ours."""
    said = gateway.retrieve_refund(refund_id)
    return paid_payment(said.intent_id, now=now) is not None and refunds.adopt(said=said, now=now)


def dispute(dispute_id: str, *, now: datetime) -> bool:
    """Follow a dispute; return whether its payment is ours."""
    said = gateway.retrieve_dispute(dispute_id)
    payment = paid_payment(said.intent_id, now=now)
    if payment is None:
        return False
    disputes.adopt(said=said, payment=payment, now=now)
    return True


def charge(charge_id: str, *, now: datetime) -> bool:
    """Follow a charge; return whether it is of a payment of ours."""
    payment = Payment.objects.filter(charge_id=charge_id).exclude(charge_id="").first()
    if payment is not None:
        checkout.sync_payment(payment_id=payment.id, now=now)  # the fee comes late
        return True
    return paid_payment(gateway.intent_of_charge(charge_id), now=now) is not None


def payout(payout_id: str, *, now: datetime) -> bool:
    """Follow a payout. Every one is ours: the account is."""
    payouts.adopt(said=gateway.retrieve_payout(payout_id), now=now)
    return True


def paid_payment(intent_id: str, *, now: datetime) -> Payment | None:
    """Return our payment of an intent, its money booked; None where it is not ours or not paid.

    An intent that we do not know yet is asked for the public id that we wrote on it.
    """
    payment = payment_of(intent_id)
    if payment is not None and payment.state == PaymentState.OPEN:
        payment = checkout.sync_payment(payment_id=payment.id, now=now)
    return payment if payment is not None and payment.state == PaymentState.PAID else None


def payment_of(intent_id: str) -> Payment | None:
    """Return our payment of an intent, whatever became of it."""
    if not intent_id:
        return None
    known = Payment.objects.filter(intent_id=intent_id).first()
    if known is not None:
        return known
    try:
        identity = UUID(gateway.our_id_of(intent_id))
    except ValueError:
        return None
    return Payment.objects.filter(id=identity).first()
