"""Whatever the processor names, charge, refund, dispute or payout, is brought into our rows.

Its payment comes first: money must be in the books before any of it can leave them. Notices and
the reconciler both come here, so that the order in which they arrive makes no difference.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from parking import refusals
from payments import balances, checkout, disputes, gateway, ledger, payouts, refunds
from payments.models import Payment, PaymentState, Payout
from payments.records import Movement, ProcessorPayout

logger = logging.getLogger(__name__)

_CHARGE_TYPES = {"charge", "payment"}
_REFUND_TYPES = {"refund", "payment_refund", "refund_failure", "payment_refund_failure"}
_DISPUTE_CATEGORIES = {"dispute", "dispute_reversal"}
_PAYOUT_TYPES = {"payout", "payout_failure", "payout_cancel"}


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
        checkout.sync(payment=payment, now=now)  # the fee comes late
        return True
    return paid_payment(gateway.intent_of_charge(charge_id), now=now) is not None


def payout(payout_id: str, *, now: datetime) -> bool:
    """Follow a payout and what it carries. Every one is ours: the account is."""
    said_payout(gateway.retrieve_payout(payout_id), now=now)
    return True


def said_payout(said: ProcessorPayout, *, now: datetime) -> Payout:
    """Follow a payout that was just asked for; what it carries is booked first."""
    parts = payouts.parts_of(said)
    movements(parts.carried, now=now)
    return payouts.adopt(said=said, parts=parts, now=now)


def movements(found: Sequence[Movement], *, now: datetime) -> int:
    """Follow the balance transactions that the books do not know; return how many were ours."""
    booked = balances.booked([movement.id for movement in found])
    return sum(
        _movement(movement, now) for movement in found if booked.get(movement.id) != movement.net
    )


def _movement(movement: Movement, now: datetime) -> bool:
    if movement.type in _PAYOUT_TYPES:
        ledger.post_payout(movement=movement, now=now)
        return True
    try:
        if movement.category in _DISPUTE_CATEGORIES:
            return dispute(movement.source, now=now)
        if movement.type in _REFUND_TYPES:
            return refund(movement.source, now=now)
        if movement.type in _CHARGE_TYPES:
            return charge(movement.source, now=now)
    except refusals.Busy:
        logger.warning("%s waits: others are at its rows", movement.id)
    except gateway.GatewayError as error:
        if error.retryable:
            raise
        logger.warning("the processor does not know %s, which it moved", movement.source)
    return False


def paid_payment(intent_id: str, *, now: datetime) -> Payment | None:
    """Return our payment of an intent, its money booked; None where it is not ours or not paid.

    An intent that we do not know yet is asked for the public id that we wrote on it.
    """
    payment = payment_of(intent_id)
    if payment is not None and payment.state == PaymentState.OPEN:
        payment = checkout.sync(payment=payment, now=now)
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
