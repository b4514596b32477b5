"""The only door to the payment processor: the handful of calls that we need, one exception.

Answers are turned into our own small records here, so nothing of the client's leaks further.
Every call has a timeout, and none may run while a database transaction is open.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import urlsplit

import stripe  # noqa: TID251
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from payments.records import (
    Event,
    Movement,
    ProcessorDispute,
    ProcessorPayout,
    ProcessorRefund,
    Session,
)

T = TypeVar("T")
logger = logging.getLogger(__name__)

STRIPE_HOST = "api.stripe.com"
SIGNATURE_TOLERANCE_S = 300
_NONSENSE = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    OSError,
)
_EXPANDED = ["payment_intent.latest_charge.balance_transaction"]


class GatewayError(Exception):
    """The processor did not do it.

    `retryable`: nobody knows what became of it, or it may work later (network, 5xx, 429, a wrong
    key). Otherwise the processor looked at the request and said no; `code` is its word for it.
    """

    def __init__(self, code: str, *, retryable: bool) -> None:
        super().__init__(code)
        self.code = code
        self.retryable = retryable


class BadSignature(Exception):
    """A webhook that the processor did not sign, or that is too old, or that is no event."""


def is_live() -> bool:
    """Say whether real money moves."""
    return settings.STRIPE_API_KEY.startswith(("sk_live_", "rk_live_"))


def is_stripe() -> bool:
    """Say whether we talk to Stripe itself and not to a stand-in."""
    return urlsplit(settings.STRIPE_API_BASE).hostname == STRIPE_HOST


def create_session(body: dict[str, Any], *, key: str) -> Session:
    """Open a hosted page; the same key and body give the same page again."""
    answer = _ask(
        lambda: _client().v1.checkout.sessions.create(
            body,  # type: ignore[arg-type]
            {"idempotency_key": key},
        )
    )
    return Session.read(answer.to_dict())


def retrieve_session(session_id: str, *, in_a_hurry: bool = False) -> Session:
    """Ask what became of a page; `in_a_hurry` gives up after a few seconds, for a person waits."""
    answer = _ask(
        lambda: _client(in_a_hurry).v1.checkout.sessions.retrieve(session_id, {"expand": _EXPANDED})
    )
    return Session.read(answer.to_dict())


def expire_session(session_id: str, *, in_a_hurry: bool = False) -> Session:
    """End a page. Refused (not retryable) when it is paid or already ended."""
    answer = _ask(lambda: _client(in_a_hurry).v1.checkout.sessions.expire(session_id))
    return Session.read(answer.to_dict())


def create_refund(*, intent_id: str, amount: int, our_id: str, key: str) -> ProcessorRefund:
    """Send money back; the same key gives the same refund again."""
    answer = _ask(
        lambda: _client().v1.refunds.create(
            {
                "payment_intent": intent_id,
                "amount": amount,
                "reason": "requested_by_customer",
                "metadata": {"refund": our_id},
            },
            {"idempotency_key": key},
        )
    )
    return ProcessorRefund.read(answer.to_dict())


def retrieve_refund(refund_id: str) -> ProcessorRefund:
    """Ask what became of a refund."""
    answer = _ask(lambda: _client().v1.refunds.retrieve(refund_id))
    return ProcessorRefund.read(answer.to_dict())


def refunds_of(intent_id: str) -> list[ProcessorRefund]:
    """Return every refund of a payment, newest first."""
    iterator = _ask(
        lambda: (
            _client()
            .v1.refunds.list({"payment_intent": intent_id, "limit": 100})
            .auto_paging_iter()
        )
    )
    return [ProcessorRefund.read(item.to_dict()) for item in _asked_one_by_one(iterator)]


def retrieve_dispute(dispute_id: str) -> ProcessorDispute:
    """Ask how a dispute stands."""
    answer = _ask(lambda: _client().v1.disputes.retrieve(dispute_id))
    return ProcessorDispute.read(answer.to_dict())


def retrieve_payout(payout_id: str) -> ProcessorPayout:
    """Ask what became of a payout."""
    answer = _ask(lambda: _client().v1.payouts.retrieve(payout_id))
    return ProcessorPayout.read(answer.to_dict())


def intent_of_charge(charge_id: str) -> str:
    """Return the id of the payment intent that a charge belongs to; empty if to none."""
    answer = _ask(lambda: _client().v1.charges.retrieve(charge_id))
    return str(answer.to_dict().get("payment_intent") or "")


def our_id_of(intent_id: str) -> str:
    """Return the public id that we wrote on a payment intent; empty if it is none of ours."""
    answer = _ask(lambda: _client().v1.payment_intents.retrieve(intent_id))
    return str((answer.to_dict().get("metadata") or {}).get("payment", ""))


def events_since(moment: datetime, *, types: Sequence[str]) -> Iterator[Event]:
    """Yield the events of these types from `moment` on; the processor keeps 30 days."""
    wanted = {"created": {"gte": int(moment.timestamp())}, "types": list(types), "limit": 100}
    iterator = _ask(
        lambda: _client().v1.events.list(wanted).auto_paging_iter()  # type: ignore[arg-type]
    )
    return (Event.read(item.to_dict()) for item in _asked_one_by_one(iterator))


def movements_since(moment: datetime) -> Iterator[Movement]:
    """Yield the balance transactions from `moment` on, newest first."""
    return _movements({"created": {"gte": int(moment.timestamp())}})


def movements_of_payout(payout_id: str) -> Iterator[Movement]:
    """Yield the balance transactions that a payout carries, with its own."""
    return _movements({"payout": payout_id})


def retrieve_movement(movement_id: str) -> Movement:
    """Ask for one balance transaction."""
    answer = _ask(lambda: _client().v1.balance_transactions.retrieve(movement_id))
    return Movement.read(answer.to_dict())


def payouts_since(moment: datetime) -> Iterator[ProcessorPayout]:
    """Yield the payouts made from `moment` on, newest first."""
    wanted = {"created": {"gte": int(moment.timestamp())}, "limit": 100}
    iterator = _ask(
        lambda: _client().v1.payouts.list(wanted).auto_paging_iter()  # type: ignore[arg-type]
    )
    return (ProcessorPayout.read(item.to_dict()) for item in _asked_one_by_one(iterator))


def _movements(filters: dict[str, Any]) -> Iterator[Movement]:
    wanted = {**filters, "limit": 100}
    iterator = _ask(
        lambda: (
            _client()
            .v1.balance_transactions.list(wanted)  # type: ignore[arg-type]
            .auto_paging_iter()
        )
    )
    return (Movement.read(item.to_dict()) for item in _asked_one_by_one(iterator))


def balance(currency: str) -> int:
    """Return what the processor owes us now, available and pending, in minor units."""
    answer = _ask(lambda: _client().v1.balance.retrieve()).to_dict()
    return sum(
        part["amount"]
        for pot in ("available", "pending")
        for part in answer[pot]
        if part["currency"].upper() == currency
    )


def verified_event(body: bytes, signature: str, secrets: Sequence[str]) -> Event:
    """Return the event if one of the secrets signed it within the last five minutes.

    Raises:
        BadSignature: in every other case; nothing of the body may be believed then.
    """
    for secret in secrets:
        try:
            stripe.WebhookSignature.verify_header(body, signature, secret, SIGNATURE_TOLERANCE_S)
            return Event.read(_storable(body))
        except stripe.SignatureVerificationError:
            continue
        except _NONSENSE as error:
            raise BadSignature("not an event") from error
    raise BadSignature("no secret of ours signed it")


def refuse_bad_settings() -> None:
    """Refuse to send a real key to a stand-in, or to go on without a key.

    Raises:
        ImproperlyConfigured: with what is wrong and what to set.
    """
    if not settings.STRIPE_API_KEY:
        raise ImproperlyConfigured("STRIPE_API_KEY is empty: no payment can be started")
    if not is_stripe() and not settings.STRIPE_API_KEY.startswith("sk_test_"):
        raise ImproperlyConfigured(
            f"STRIPE_API_BASE is {settings.STRIPE_API_BASE}, which is not Stripe's own: only a "
            "key that begins with sk_test_ may be sent there"
        )


def _storable(body: bytes) -> Any:
    """Parse JSON that PostgreSQL can keep: no NUL, no half characters, no NaN."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    said = json.loads(body.replace(b"\\u0000", b""), parse_constant=refuse)
    if b"\\u" in body:
        json.dumps(said, ensure_ascii=False).encode()  # raises for half a character
    return said


def _client(in_a_hurry: bool = False) -> stripe.StripeClient:
    retries, timeout = (0, (2.0, 4.0)) if in_a_hurry else (2, (3.0, 10.0))
    return _client_for(settings.STRIPE_API_KEY, settings.STRIPE_API_BASE, retries, timeout)


@lru_cache(maxsize=8)
def _client_for(
    key: str, base: str, retries: int, timeout: tuple[float, float]
) -> stripe.StripeClient:
    refuse_bad_settings()
    return stripe.StripeClient(
        key,
        base_addresses={"api": base},
        max_network_retries=retries,
        http_client=stripe.RequestsClient(timeout=timeout),
    )


def _ask(call: Callable[[], T]) -> T:
    # Fails loudly inside a transaction: a row lock must never wait for another company.
    with transaction.atomic(durable=True):
        pass
    try:
        return call()
    except ImproperlyConfigured as error:
        logger.error("%s", error)
        raise GatewayError("not_configured", retryable=True) from error
    except stripe.StripeError as error:
        raise _translated(error) from error


def _asked_one_by_one(iterator: Iterator[T]) -> Iterator[T]:
    # A listing fetches its next page while it is walked.
    while True:
        try:
            yield _ask(lambda: next(iterator))
        except StopIteration:
            return


def _translated(error: stripe.StripeError) -> GatewayError:
    refused = (stripe.InvalidRequestError, stripe.CardError, stripe.IdempotencyError)
    code = error.code or type(error).__name__
    return GatewayError(code, retryable=not isinstance(error, refused))
