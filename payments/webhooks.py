"""Notices of the processor. They are hints: what they are about is asked again at the source."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from psycopg.types.json import Jsonb

from parking import prepared, refusals
from payments import checkout, exception_list, follow, gateway
from payments.models import MoneyException, Payment, PaymentState, WebhookEvent
from payments.records import Event

logger = logging.getLogger(__name__)

# What reconciliation asks for again: everything that can change a payment or a refund of ours.
FOLLOWED_TYPES = (
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "charge.dispute.closed",
    "payout.paid",
    "payout.failed",
    "payout.canceled",
    "payout.reconciliation_completed",
)
_PAID_TYPES = {"checkout.session.completed", "checkout.session.async_payment_succeeded"}
_OF_PEOPLE = {
    *("billing_details", "collected_information", "customer_details", "customer_email"),
    *("receipt_email", "shipping", "shipping_details"),
}
_LEASE = timedelta(seconds=60)
_LONGEST_DELAY = timedelta(hours=1)
_STORE = """
INSERT INTO payments_webhookevent
  (event_id, type, payload, occurred_at, received_at, next_try_at, tries, is_matched)
VALUES (%(id)s, %(type)s, %(payload)s, %(occurred_at)s, %(now)s, %(now)s, 0, false)
ON CONFLICT DO NOTHING
RETURNING event_id"""
_CLAIM = """
UPDATE payments_webhookevent
SET tries = tries + 1,
  next_try_at = %(now)s + least(%(lease)s * power(2, least(tries, 8)), %(longest)s)
WHERE event_id = %(id)s AND processed_at IS NULL AND next_try_at <= %(now)s
RETURNING type, payload"""


@dataclass(frozen=True)
class Done:
    """What acting on an event came to: whether it is ours, and the payment whose page it named."""

    is_matched: bool
    payment: Payment | None = None


class WrongMode(Exception):
    """A notice of test money in the live system, or the other way round."""


def receive(*, body: bytes, signature: str, now: datetime) -> Event | None:
    """Verify a notice and store it; return it, or None if it was here before.

    Raises:
        gateway.BadSignature, WrongMode: nothing is stored.
    """
    event = gateway.verified_event(body, signature, settings.STRIPE_WEBHOOK_SECRETS)
    if event.livemode != gateway.is_live():
        raise WrongMode
    return event if store(event, now=now) else None


def store(event: Event, *, now: datetime) -> bool:
    """Store the event unless it is here; return whether it is new."""
    row = {
        "id": event.id,
        "type": event.type,
        "payload": Jsonb(without_people(event.payload)),
        "occurred_at": event.occurred_at,
        "now": now,
    }
    return prepared.fetch_one(_STORE, row) is not None


def without_people(said: Any) -> Any:
    """Return what the processor said without what payers typed on its page: we never need it."""
    if isinstance(said, dict):
        kept = {name: value for name, value in said.items() if name not in _OF_PEOPLE}
        return {name: without_people(value) for name, value in kept.items()}
    return [without_people(item) for item in said] if isinstance(said, list) else said


def due(*, now: datetime, limit: int = 200) -> list[str]:
    """Return the ids of stored events that nobody has acted on yet, oldest first."""
    return list(
        WebhookEvent.objects.filter(processed_at=None, next_try_at__lte=now)
        .order_by("next_try_at")
        .values_list("event_id", flat=True)[:limit]
    )


def process(*, event_id: str, now: datetime) -> Done | None:
    """Act on a stored event; None if it is done, another worker is at it, or it has to wait.

    1. Claim it for a while. 2. Ask the processor about what it names, and follow. 3. Mark it
    done; if the processor did not answer, the claim runs out and the beat finds it again.
    """
    claimed = prepared.fetch_one(
        _CLAIM, {"id": event_id, "now": now, "lease": _LEASE, "longest": _LONGEST_DELAY}
    )
    if claimed is None:
        return None
    type_, payload = claimed
    try:
        done = _act(type_, json.loads(payload)["data"]["object"], now)
    except gateway.GatewayError as error:
        if error.retryable:
            logger.warning("event %s waits: %s", event_id, error.code)
            return None
        done = Done(False)  # the processor itself knows no such thing
    except refusals.Busy:
        logger.warning("event %s waits: others are at its rows", event_id)
        return None
    WebhookEvent.objects.filter(event_id=event_id).update(
        processed_at=now, is_matched=done.is_matched
    )
    return done


def _act(type_: str, about: dict[str, Any], now: datetime) -> Done:
    """Follow what the event is about."""
    kind, identity = about.get("object"), str(about.get("id"))
    match kind:
        case "refund":
            return Done(follow.refund(identity, now=now))
        case "dispute":
            return Done(follow.dispute(identity, now=now))
        case "payout":
            return Done(follow.payout(identity, now=now))
        case "checkout.session":
            payment = _named(about) or Payment.objects.filter(session_id=identity).first()
            if payment is not None:
                return Done(True, _follow_session(payment, type_, now))
        case "payment_intent" | "charge":
            intent_id = identity if kind == "payment_intent" else about.get("payment_intent")
            payment = _named(about) or Payment.objects.filter(intent_id=intent_id).first()
            if payment is not None and intent_id and payment.state == PaymentState.PAID:
                checkout.sync(payment=payment, now=now)  # the fee comes late
            return Done(payment is not None)
    return Done(False)


def _named(about: dict[str, Any]) -> Payment | None:
    """Return the payment whose public id we had written on it."""
    try:
        identity = UUID(str((about.get("metadata") or {}).get("payment")))
    except ValueError:
        return None
    return Payment.objects.select_related("slot").filter(id=identity).first()


def _follow_session(payment: Payment, type_: str, now: datetime) -> Payment:
    if type_ in _PAID_TYPES and payment.state in {PaymentState.EXPIRED, PaymentState.FAILED}:
        exception_list.put(
            kind=MoneyException.Kind.UNMATCHED,
            key=f"paid-after-end:{payment.id}",
            detail=f"the processor says paid, but the payment is {payment.state}",
            payment=payment,
            now=now,
        )
    return checkout.sync(payment=payment, now=now)
