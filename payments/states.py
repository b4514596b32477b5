"""The states of payments and refunds: one table of allowed moves, and the only writer of `.state`.

A move is made on a row that `lock_payment` or `lock_refund` returned; it checks the table and
writes the state together with its ledger entry, in the caller's transaction. Locks come in the
order spot, slot, payment, refund: whoever moves a payment has locked its slot before
(`locking.lock_slot`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from parking.models import Slot
from payments import ledger
from payments.models import (
    DEAD_REFUND_STATES,
    Dispute,
    DisputeState,
    Payment,
    PaymentState,
    Refund,
    RefundState,
)
from payments.records import Capture, ProcessorDispute, ProcessorRefund, Session

logger = logging.getLogger(__name__)

PAYMENT_MOVES: Mapping[str, frozenset[str]] = {
    PaymentState.CREATED: frozenset({PaymentState.OPEN, PaymentState.FAILED}),
    PaymentState.OPEN: frozenset({PaymentState.PAID, PaymentState.EXPIRED, PaymentState.FAILED}),
    PaymentState.PAID: frozenset(),
    PaymentState.EXPIRED: frozenset(),
    PaymentState.FAILED: frozenset(),
}
_REFUND_ENDS = frozenset({RefundState.SUCCEEDED, RefundState.FAILED, RefundState.CANCELLED})
REFUND_MOVES: Mapping[str, frozenset[str]] = {
    RefundState.REQUESTED: frozenset({RefundState.SUBMITTED}),
    RefundState.SUBMITTED: _REFUND_ENDS | {RefundState.PENDING},
    RefundState.PENDING: _REFUND_ENDS,
    # A bank can send money back long after it was on its way.
    RefundState.SUCCEEDED: frozenset({RefundState.FAILED}),
    RefundState.EXTERNAL: frozenset({RefundState.FAILED, RefundState.CANCELLED}),
    RefundState.FAILED: frozenset(),
    RefundState.CANCELLED: frozenset(),
}
DISPUTE_MOVES: Mapping[str, frozenset[str]] = {
    DisputeState.OPEN: frozenset({DisputeState.WON, DisputeState.LOST, DisputeState.CLOSED}),
    # A bank can change its mind once it has decided for its customer, not the other way round.
    DisputeState.LOST: frozenset({DisputeState.WON}),
    DisputeState.WON: frozenset(),
    DisputeState.CLOSED: frozenset(),
}

_FIRST_DELAY = timedelta(seconds=15)
_LONGEST_DELAY = timedelta(minutes=15)
_FEE_LOOK = timedelta(seconds=30)
_FEE_FIELDS = ("balance_transaction_id", "fee", "next_check_at")


class MoveRefused(Exception):
    """The table does not allow this move."""


def lock_payment(payment_id: UUID, *, slot: Slot | None = None) -> Payment:
    """Lock a payment; its slot is locked already. Return it as it is now, with `slot` if given."""
    locked = Payment.objects.select_for_update(no_key=True, of=("self",))
    if slot is None:
        return locked.select_related("slot__booking", "slot__spot__zone").get(id=payment_id)
    payment = locked.get(id=payment_id, slot=slot)
    payment.slot = slot
    return payment


def lock_refund(refund_id: UUID) -> Refund:
    """Lock a refund; its payment is locked already. Return it as it is now."""
    return (
        Refund.objects.select_for_update(no_key=True, of=("self",))
        .select_related("payment__slot__booking", "payment__slot__spot__zone")
        .get(id=refund_id)
    )


def open_payment(*, payment: Payment, session: Session, next_check_at: datetime) -> None:
    """CREATED → OPEN: the citizen may be sent to the hosted page."""
    _move_payment(payment, PaymentState.OPEN)
    payment.session_id, payment.session_url = session.id, session.url
    payment.next_check_at, payment.checks_failed = next_check_at, 0
    payment.save(
        update_fields=["state", "session_id", "session_url", "next_check_at", "checks_failed"]
    )


def pay(
    *,
    payment: Payment,
    capture: Capture,
    now: datetime,
    actor: str,
    waits_on: str = "",
    is_orphan: bool = False,
) -> None:
    """OPEN → PAID, with its entries in the books; see `ledger.post_capture` for `waits_on`."""
    _move_payment(payment, PaymentState.PAID)
    payment.captured, payment.is_orphan, payment.paid_at = capture.amount, is_orphan, now
    payment.intent_id, payment.charge_id = capture.intent_id, capture.charge_id
    payment.card_brand, payment.card_last4 = capture.card_brand, capture.card_last4
    payment.next_check_at, payment.checks_failed = now + _FEE_LOOK, 0
    payment.checked_at = now
    is_fee_told = _note_fee(payment, capture)
    payment.save(
        update_fields=[
            *_FEE_FIELDS,
            "state",
            "captured",
            "is_orphan",
            "paid_at",
            "intent_id",
            "charge_id",
            "card_brand",
            "card_last4",
            "checks_failed",
            "checked_at",
        ]
    )
    ledger.post_capture(payment=payment, capture=capture, waits_on=waits_on, now=now, actor=actor)
    if is_fee_told:
        ledger.post_fee(payment=payment, capture=capture, now=now)


def learn_fee(*, payment: Payment, capture: Capture, now: datetime) -> None:
    """Book the processor's fee once it is known; nothing is left to ask then."""
    if _note_fee(payment, capture):
        payment.save(update_fields=_FEE_FIELDS)
        ledger.post_fee(payment=payment, capture=capture, now=now)


def expire_payment(*, payment: Payment, now: datetime, why: str = "") -> None:
    """OPEN → EXPIRED: the processor takes no money on that page any more."""
    _end_payment(payment, PaymentState.EXPIRED, now, why)


def fail_payment(*, payment: Payment, now: datetime, why: str) -> None:
    """CREATED or OPEN → FAILED: no page was ever given out, or the processor knows none."""
    _end_payment(payment, PaymentState.FAILED, now, why)


def ask_payment_again(
    *, payment: Payment, now: datetime, failed: bool, not_after: datetime | None = None
) -> None:
    """Set when to ask the processor next; failures in a row space it out."""
    payment.checks_failed = payment.checks_failed + 1 if failed else 0
    look = now + delay_after(payment.checks_failed)
    payment.next_check_at = min(look, not_after) if not_after else look
    payment.checked_at = now
    payment.save(update_fields=["checks_failed", "next_check_at", "checked_at"])


def submit_refund(*, refund: Refund, next_check_at: datetime) -> None:
    """REQUESTED → SUBMITTED, before the call: a crash leaves the intention behind."""
    _move_refund(refund, RefundState.SUBMITTED)
    refund.next_check_at = next_check_at
    refund.save(update_fields=["state", "next_check_at"])


def refuse_refund(*, refund: Refund, now: datetime, why: str) -> None:
    """SUBMITTED → FAILED: the processor said no, and no money moved."""
    _move_refund(refund, RefundState.FAILED)
    refund.failure, refund.settled_at, refund.next_check_at = why[:200], now, None
    refund.save(update_fields=["state", "failure", "settled_at", "next_check_at"])


def follow_refund(*, refund: Refund, said: ProcessorRefund, now: datetime) -> bool:
    """Bring the refund and the books to what the processor says; return whether it now came back.

    Whatever was missed in between is booked as well: a refund that is first seen failed leaves
    the same entries as one that was watched.
    """
    to = _state_said(refund, said)
    moved = to != refund.state
    if moved:
        _move_refund(refund, to)
        refund.settled_at = None if to == RefundState.PENDING else now
    refund.refund_id = said.id
    refund.balance_transaction_id = said.balance_transaction_id or refund.balance_transaction_id
    refund.failure_transaction_id = said.failure_transaction_id or refund.failure_transaction_id
    refund.failure = said.failure_reason
    refund.next_check_at = now + _LONGEST_DELAY if to == RefundState.PENDING else None
    refund.checks_failed = 0
    refund.save()
    came_back = to in DEAD_REFUND_STATES
    if refund.balance_transaction_id:
        ledger.post_refund(refund=refund, occurred_at=said.occurred_at, now=now)
        if came_back:
            ledger.post_refund_failed(refund=refund, now=now)
    return came_back and moved


def ask_refund_again(*, refund: Refund, now: datetime) -> None:
    """Set when to try again after a failure."""
    refund.checks_failed += 1
    refund.next_check_at = now + delay_after(refund.checks_failed)
    refund.save(update_fields=["checks_failed", "next_check_at"])


def follow_dispute(*, dispute: Dispute, said: ProcessorDispute, now: datetime) -> None:
    """Bring a dispute and the books to what the processor says; its payment is locked.

    Money that left and came back is booked movement by movement, also where both were missed.
    """
    to = _DISPUTE_SAID.get(said.status, DisputeState.OPEN)
    is_old_news = to == DisputeState.OPEN
    if to != dispute.state and not is_old_news:
        if to not in DISPUTE_MOVES[dispute.state]:
            logger.warning("%s: refused to go from %s to %s", dispute, dispute.state, to)
            raise MoveRefused(f"{dispute.state} → {to}")
        dispute.state, dispute.ended_at = to, now
        dispute.save(update_fields=["state", "ended_at"])
    for movement in sorted(said.movements, key=lambda one: one.occurred_at):
        won = movement.amount > 0
        ledger.post_dispute(movement=movement, payment=dispute.payment, won=won, now=now)


def delay_after(failures: int) -> timedelta:
    """Return how long to wait after so many failures in a row: doubling, with a ceiling."""
    doubled: int = 2 ** min(failures, 10)
    return min(_FIRST_DELAY * doubled, _LONGEST_DELAY)


_STATE_SAID: Mapping[str, RefundState] = {
    "pending": RefundState.PENDING,
    "requires_action": RefundState.PENDING,
    "succeeded": RefundState.SUCCEEDED,
    "failed": RefundState.FAILED,
    "canceled": RefundState.CANCELLED,
}


# Whatever else the processor may say of a dispute: it is not decided.
_DISPUTE_SAID: Mapping[str, DisputeState] = {
    "won": DisputeState.WON,
    "lost": DisputeState.LOST,
    "warning_closed": DisputeState.CLOSED,
    "prevented": DisputeState.CLOSED,
}


def _state_said(refund: Refund, said: ProcessorRefund) -> str:
    to = _STATE_SAID[said.status]
    is_old_news = refund.state in DEAD_REFUND_STATES or (
        refund.state == RefundState.SUCCEEDED and to == RefundState.PENDING
    )
    lives_on = refund.state == RefundState.EXTERNAL and to not in DEAD_REFUND_STATES
    return refund.state if is_old_news or lives_on else to


def _end_payment(payment: Payment, to: PaymentState, now: datetime, why: str) -> None:
    _move_payment(payment, to)
    payment.ended_at, payment.failure, payment.next_check_at = now, why[:200], None
    payment.save(update_fields=["state", "ended_at", "failure", "next_check_at"])


def _move_payment(payment: Payment, to: PaymentState) -> None:
    if to not in PAYMENT_MOVES[payment.state]:
        logger.warning("payment %s: refused to go from %s to %s", payment.id, payment.state, to)
        raise MoveRefused(f"{payment.state} → {to}")
    payment.state = to


def _move_refund(refund: Refund, to: str) -> None:
    if to not in REFUND_MOVES[refund.state]:
        logger.warning("refund %s: refused to go from %s to %s", refund.id, refund.state, to)
        raise MoveRefused(f"{refund.state} → {to}")
    refund.state = to


def _note_fee(payment: Payment, capture: Capture) -> bool:
    """Set the fee on an unsaved payment; return whether it is new."""
    if payment.fee is not None or capture.fee is None:
        return False
    payment.balance_transaction_id, payment.fee = capture.balance_transaction_id, capture.fee
    payment.next_check_at = None
    return True
