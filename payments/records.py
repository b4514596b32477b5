"""What the processor says, as small records of our own.

Each is read from the processor's JSON; amounts are minor units, currencies upper case.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Self

_LONGEST_ID, _LONGEST_TYPE = 255, 80  # as they are stored


@dataclass(frozen=True, kw_only=True)
class Capture:
    """Money that the processor took. Amounts are minor units; `fee` is unknown at first."""

    intent_id: str
    charge_id: str
    amount: int
    currency: str
    occurred_at: datetime
    card_brand: str
    card_last4: str
    balance_transaction_id: str
    fee: int | None
    fee_currency: str

    @classmethod
    def read(cls, intent: dict[str, Any]) -> Self:
        """Read a succeeded payment intent with its charge and balance transaction expanded."""
        charge = intent["latest_charge"]
        card = (charge.get("payment_method_details") or {}).get("card") or {}
        movement = charge.get("balance_transaction") or {}
        return cls(
            intent_id=intent["id"],
            charge_id=charge["id"],
            amount=intent["amount_received"],
            currency=intent["currency"].upper(),
            occurred_at=_moment(charge["created"]),
            card_brand=card.get("brand") or "",
            card_last4=card.get("last4") or "",
            balance_transaction_id=movement.get("id", ""),
            fee=movement.get("fee"),
            fee_currency=movement.get("currency", "").upper(),
        )


@dataclass(frozen=True, kw_only=True)
class Session:
    """A hosted page. `status` is open, complete or expired; `capture` once it is paid."""

    id: str
    status: str
    url: str
    capture: Capture | None

    @classmethod
    def read(cls, said: dict[str, Any]) -> Self:
        """Read a Checkout session; it tells of a capture only where the intent is expanded."""
        intent = said.get("payment_intent")
        paid = said["payment_status"] == "paid"
        return cls(
            id=said["id"],
            status=said["status"],
            url=said.get("url") or "",
            capture=Capture.read(intent) if paid and isinstance(intent, dict) else None,
        )


@dataclass(frozen=True, kw_only=True)
class ProcessorRefund:
    """A refund as the processor has it. `our_id` is the public id that we sent with it."""

    id: str
    status: str
    amount: int
    currency: str
    intent_id: str
    our_id: str
    balance_transaction_id: str
    failure_transaction_id: str
    failure_reason: str
    occurred_at: datetime

    @classmethod
    def read(cls, said: dict[str, Any]) -> Self:
        """Read a refund."""
        return cls(
            id=said["id"],
            status=said["status"] or "pending",
            amount=said["amount"],
            currency=said["currency"].upper(),
            intent_id=said.get("payment_intent") or "",
            our_id=(said.get("metadata") or {}).get("refund", ""),
            balance_transaction_id=said.get("balance_transaction") or "",
            failure_transaction_id=said.get("failure_balance_transaction") or "",
            failure_reason=said.get("failure_reason") or "",
            occurred_at=_moment(said["created"]),
        )


@dataclass(frozen=True, kw_only=True)
class Event:
    """A notice of the processor; `payload` is the whole of it."""

    id: str
    type: str
    livemode: bool
    occurred_at: datetime
    payload: dict[str, Any]

    @classmethod
    def read(cls, said: dict[str, Any]) -> Self:
        """Read an event.

        Raises:
            KeyError, TypeError, ValueError: it is no event.
        """
        if not isinstance(said["data"]["object"], dict):
            raise TypeError("data.object is no object")
        if len(str(said["id"])) > _LONGEST_ID or len(str(said["type"])) > _LONGEST_TYPE:
            raise ValueError("longer than any id or type")
        return cls(
            id=str(said["id"]),
            type=str(said["type"]),
            livemode=said["livemode"] is True,
            occurred_at=_moment(said["created"]),
            payload=said,
        )


@dataclass(frozen=True, kw_only=True)
class Movement:
    """One balance transaction: `net` is what it did to our balance, in minor units."""

    id: str
    type: str
    category: str
    amount: int
    fee: int
    net: int
    currency: str
    source: str
    occurred_at: datetime

    @classmethod
    def read(cls, said: dict[str, Any]) -> Self:
        """Read a balance transaction."""
        return cls(
            id=said["id"],
            type=said["type"],
            category=said.get("reporting_category") or said["type"],
            amount=said["amount"],
            fee=said["fee"],
            net=said["net"],
            currency=said["currency"].upper(),
            source=said.get("source") or "",
            occurred_at=_moment(said["created"]),
        )


@dataclass(frozen=True, kw_only=True)
class ProcessorDispute:
    """A dispute as the processor has it, with the money that it moved so far."""

    id: str
    status: str
    amount: int
    currency: str
    reason: str
    intent_id: str
    occurred_at: datetime
    movements: tuple[Movement, ...]

    @classmethod
    def read(cls, said: dict[str, Any]) -> Self:
        """Read a dispute."""
        return cls(
            id=said["id"],
            status=said["status"],
            amount=said["amount"],
            currency=said["currency"].upper(),
            reason=said.get("reason") or "",
            intent_id=said.get("payment_intent") or "",
            occurred_at=_moment(said["created"]),
            movements=tuple(Movement.read(one) for one in said["balance_transactions"]),
        )


@dataclass(frozen=True, kw_only=True)
class ProcessorPayout:
    """A payout as the processor has it.

    One that was not automatic names no parts, and an automatic one only once it `is_itemised`.
    """

    id: str
    status: str
    amount: int
    currency: str
    is_automatic: bool
    is_itemised: bool
    balance_transaction_id: str
    failure_transaction_id: str
    failure: str
    occurred_at: datetime
    arrives_on: date

    @classmethod
    def read(cls, said: dict[str, Any]) -> Self:
        """Read a payout."""
        return cls(
            id=said["id"],
            status=said["status"],
            amount=said["amount"],
            currency=said["currency"].upper(),
            is_automatic=said["automatic"] is True,
            is_itemised=said.get("reconciliation_status") == "completed",
            balance_transaction_id=said.get("balance_transaction") or "",
            failure_transaction_id=said.get("failure_balance_transaction") or "",
            failure=said.get("failure_code") or "",
            occurred_at=_moment(said["created"]),
            arrives_on=_moment(said["arrival_date"]).date(),
        )


def _moment(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, tz=UTC)
