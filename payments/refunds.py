"""Money that goes back: ask for it with the change that causes it, send it later, follow it.

A refund is a row REQUESTED in the transaction that cancels the slot. `submit` makes the call,
outside any transaction, with a key that makes a repeat the same refund. `adopt` brings a refund
to what the processor says of it, also one that was made there behind our back.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Sum
from uuid6 import uuid7

from parking import locking, refusals
from parking.stays import Stay
from payments import exception_list, gateway, states
from payments.models import (
    DEAD_REFUND_STATES,
    MoneyException,
    Payment,
    PaymentState,
    Refund,
    RefundReason,
    RefundState,
)
from payments.records import ProcessorRefund

logger = logging.getLogger(__name__)

# The processor forgets an idempotency key after a day; before that, look whether it was done.
_KEY_LIVES = timedelta(hours=20)
_LEASE = timedelta(seconds=60)


class OverRefund(Exception):
    """More would go back than came in."""


class NotPaid(Exception):
    """The payment has taken no money."""


def left_of(payment: Payment) -> int:
    """Return what may still go back of a payment, in minor units."""
    given = payment.refunds.exclude(state__in=DEAD_REFUND_STATES).aggregate(sum=Sum("amount"))
    return (payment.captured or 0) - (given["sum"] or 0)


@dataclass(frozen=True, kw_only=True)
class Source:
    """A locked payment of which money goes back: `amount` in minor units."""

    payment: Payment
    amount: int
    is_all: bool


def sources(*, stay: Stay, due: Mapping[int, int]) -> list[Source]:
    """Lock the payments of a locked stay that give back what is `due` by slot id, newest first.

    What went back already is not given twice; slots that were free have no payment.
    """
    found = []
    for slot in reversed(stay.slots):
        paid = slot.payments.filter(state=PaymentState.PAID, is_orphan=False).first()
        if paid is None or not due.get(slot.pk):
            continue
        payment = states.lock_payment(paid.id)
        if amount := min(due[slot.pk], left_of(payment)):
            found.append(Source(payment=payment, amount=amount, is_all=amount == slot.amount))
    return found


def request(
    *,
    payment: Payment,
    amount: int,
    reason: RefundReason,
    actor: str,
    now: datetime,
    note: str = "",
    approver: str = "",
) -> Refund:
    """Ask for a refund of a locked payment, in the caller's transaction.

    Raises:
        NotPaid, OverRefund: see there.
    """
    check(payment=payment, amount=amount)
    identity = uuid7()
    return Refund.objects.create(
        id=identity,
        payment=payment,
        amount=amount,
        reason=reason,
        note=note,
        actor=actor,
        approver=approver,
        idempotency_key=f"refund-{identity}",
        created_at=now,
        next_check_at=now,
    )


def check(*, payment: Payment, amount: int) -> None:
    """Refuse to give back what a locked payment has not, or has no more.

    Raises:
        NotPaid, OverRefund: see there.
    """
    if payment.state != PaymentState.PAID:
        raise NotPaid(payment.id)
    if not 0 < amount <= left_of(payment):
        raise OverRefund(f"{amount} of {left_of(payment)} left")


def submit(*, refund_id: UUID, now: datetime) -> Refund:
    """Send a requested refund to the processor, or ask what became of one.

    Raises:
        gateway.GatewayError: it did not say; the same refund is tried again later.
    """
    with refusals.contended(), transaction.atomic():
        refund = _lock(refund_id)
        if refund.state == RefundState.REQUESTED:
            states.submit_refund(refund=refund, next_check_at=now + _LEASE)
        elif refund.state not in {RefundState.SUBMITTED, RefundState.PENDING}:
            return refund
    try:
        said = _send_or_look(refund, now)
    except gateway.GatewayError as error:
        with refusals.contended(), transaction.atomic():
            refund = _lock(refund_id)
            if not error.retryable and refund.state == RefundState.SUBMITTED:
                states.refuse_refund(refund=refund, now=now, why=error.code)
                _list_failure(refund, now)
                return refund
            states.ask_refund_again(refund=refund, now=now)
        logger.warning("refund %s: the processor did not say: %s", refund_id, error.code)
        raise
    return _follow(refund_id, said, now)


def adopt(*, said: ProcessorRefund, now: datetime) -> bool:
    """Bring our rows to a refund as the processor has it; return whether its payment is ours.

    One that we did not ask for is taken into the books and put before a person.
    """
    ours = Refund.objects.filter(refund_id=said.id).first()
    if ours is None and said.our_id:
        ours = Refund.objects.filter(id=said.our_id, refund_id=None).first()
    if ours is None:
        payment = Payment.objects.filter(intent_id=said.intent_id).first()
        if payment is None or not said.intent_id:
            return False
        ours = _take_in(payment, said, now)
    _follow(ours.id, said, now)
    return True


def _lock(refund_id: UUID) -> Refund:
    payment_id, slot_id = Refund.objects.values_list("payment_id", "payment__slot_id").get(
        id=refund_id
    )
    locking.lock_slot(slot_id)
    states.lock_payment(payment_id)
    return states.lock_refund(refund_id)


def _send_or_look(refund: Refund, now: datetime) -> ProcessorRefund:
    if refund.refund_id:
        return gateway.retrieve_refund(refund.refund_id)
    intent_id = refund.payment.intent_id or ""
    if now > refund.created_at + _KEY_LIVES:
        for said in gateway.refunds_of(intent_id):
            if said.our_id == str(refund.id):
                return said
    return gateway.create_refund(
        intent_id=intent_id,
        amount=refund.amount,
        our_id=str(refund.id),
        key=refund.idempotency_key,
    )


def _follow(refund_id: UUID, said: ProcessorRefund, now: datetime) -> Refund:
    with refusals.contended(), transaction.atomic():
        refund = _lock(refund_id)
        if refund.state == RefundState.REQUESTED:
            states.submit_refund(refund=refund, next_check_at=now)
        came_back = states.follow_refund(refund=refund, said=said, now=now)
        if came_back:
            _list_failure(refund, now)
    return refund


def _take_in(payment: Payment, said: ProcessorRefund, now: datetime) -> Refund:
    with refusals.contended(), transaction.atomic():
        locking.lock_slot(payment.slot_id)
        states.lock_payment(payment.id)
        refund, is_new = Refund.objects.get_or_create(
            refund_id=said.id,
            defaults={
                "payment": payment,
                "amount": said.amount,
                "state": RefundState.EXTERNAL,
                "reason": RefundReason.EXTERNAL,
                "actor": "processor",
                "idempotency_key": f"external-{said.id}"[:64],
                "created_at": said.occurred_at,
                "settled_at": now,
            },
        )
        if is_new:
            exception_list.put(
                kind=MoneyException.Kind.EXTERNAL_REFUND,
                key=f"external:{said.id}",
                detail=f"{said.amount} {said.currency} went back without our asking",
                payment=payment,
                now=now,
            )
    return refund


def _list_failure(refund: Refund, now: datetime) -> None:
    exception_list.put(
        kind=MoneyException.Kind.REFUND_FAILED,
        key=f"refund-failed:{refund.id}",
        detail=f"{refund.amount} {refund.payment.currency} did not reach the citizen: "
        f"{refund.failure or refund.state}",
        payment=refund.payment,
        now=now,
    )
