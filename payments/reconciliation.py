"""Compare our rows with the processor's record, and put right what a lost notice left behind.

R1, each minute: payments and refunds that wait for an answer are asked about (`due_payments`,
`due_refunds`). R2, each 15 minutes: the processor's events are read again (`read_events`). R3,
daily: the balance transactions of the last days are held against the books (`compare_balance`).
`psp_clearing` equals the processor's balance; that one equation is the proof.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q, Sum

from payments import checkout, exception_list, gateway, ledger, refunds, webhooks
from payments.models import (
    LedgerKind,
    LedgerLine,
    MoneyException,
    Payment,
    PaymentState,
    Reconciliation,
    ReconciliationKind,
    Refund,
)
from payments.records import Event, Movement

logger = logging.getLogger(__name__)

_EVENTS_OVERLAP = timedelta(hours=2)
_EVENTS_KEPT = timedelta(days=29)  # the processor keeps 30
_BALANCE_OVERLAP = timedelta(days=3)
_DISPUTES = {"dispute": False, "dispute_reversal": True}  # category → won


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One balance transaction that the books tell otherwise. Amounts are minor units, net."""

    movement: str
    type: str
    processor: int
    books: int
    currency: str


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The equation: `clearing` in the books against `balance` at the processor, and why not."""

    currency: str
    clearing: int
    balance: int
    differences: list[Difference]

    @property
    def agrees(self) -> bool:
        """Whether the equation holds and every balance transaction is booked as it is."""
        return self.clearing == self.balance and not self.differences


def due_payments(*, now: datetime, limit: int = 500) -> list[UUID]:
    """Return the payments that are to be asked about now, longest waiting first."""
    return list(
        Payment.objects.filter(next_check_at__lte=now)
        .exclude(state=PaymentState.CREATED)
        .order_by("next_check_at")
        .values_list("id", flat=True)[:limit]
    )


def due_refunds(*, now: datetime, limit: int = 500) -> list[UUID]:
    """Return the refunds that are to be sent or asked about now, longest waiting first."""
    return list(
        Refund.objects.filter(next_check_at__lte=now)
        .order_by("next_check_at")
        .values_list("id", flat=True)[:limit]
    )


def read_events(*, now: datetime) -> int:
    """Store the events that no notice brought, to be acted on; return how many these were.

    Raises:
        gateway.GatewayError: the processor did not answer; the next run reads the same again.
    """
    since = _since(ReconciliationKind.EVENTS, now, _EVENTS_OVERLAP)
    since = max(since, now - _EVENTS_KEPT)
    run = Reconciliation.objects.create(kind=ReconciliationKind.EVENTS, started_at=now)
    try:
        for event in gateway.events_since(since, types=webhooks.FOLLOWED_TYPES):
            run.seen += 1
            run.found += _store_missing(event, now)
    except gateway.GatewayError as error:
        run.error = error.code[:200]
        run.save()
        raise
    run.reached_at = now
    run.save()
    if run.found:
        logger.warning("%s events had not been delivered; they are acted on now", run.found)
    return run.found


def compare_balance(*, now: datetime) -> Comparison:
    """Hold the processor's balance transactions against the books, and list every difference.

    Payouts and disputes are booked from here; a charge or refund of ours that was missed is
    followed; whatever is still unknown goes on the exceptions list, and not into the books.

    Raises:
        gateway.GatewayError: the processor did not answer.
    """
    since = _since(ReconciliationKind.BALANCE, now, _BALANCE_OVERLAP)
    run = Reconciliation.objects.create(kind=ReconciliationKind.BALANCE, started_at=now)
    try:
        movements = list(gateway.movements_since(since))
        run.seen = len(movements)
        booked = _booked([movement.id for movement in movements])
        for movement in movements:
            if movement.id not in booked:
                run.found += _put_right(movement, now)
        balance = gateway.balance(settings.CITY_CURRENCY)
    except gateway.GatewayError as error:
        run.error = error.code[:200]
        run.save()
        raise
    comparison = Comparison(
        currency=settings.CITY_CURRENCY,
        clearing=clearing(settings.CITY_CURRENCY),
        balance=balance,
        differences=_differences(movements, since, now),
    )
    run.differences = [asdict(difference) for difference in comparison.differences]
    run.reached_at = now
    run.save()
    if not comparison.agrees:
        logger.error(
            "the books say %s %s, the processor %s; %s differences",
            comparison.clearing,
            comparison.currency,
            comparison.balance,
            len(comparison.differences),
        )
    return comparison


def clearing(currency: str) -> int:
    """Return what the processor owes us by the books, in minor units."""
    total = LedgerLine.objects.filter(account=ledger.CLEARING, currency=currency).aggregate(
        sum=Sum("amount")
    )
    return total["sum"] or 0


def _since(kind: ReconciliationKind, now: datetime, overlap: timedelta) -> datetime:
    """Return where to begin: before the end of the last complete run, or with the first payment."""
    last = (
        Reconciliation.objects.filter(kind=kind, reached_at__isnull=False)
        .order_by("-reached_at")
        .values_list("reached_at", flat=True)
        .first()
    )
    if last is None:
        last = Payment.objects.order_by("created_at").values_list("created_at", flat=True).first()
    return (last or now) - overlap


def _store_missing(event: Event, now: datetime) -> int:
    return webhooks.store([event], now=now) if event.livemode == gateway.is_live() else 0


def _booked(ids: Sequence[str]) -> dict[str, int]:
    """Return what each balance transaction did to clearing by the books, in minor units."""
    on_clearing = LedgerLine.objects.filter(account=ledger.CLEARING)
    questions = {
        "entry__payment__balance_transaction_id": Q(
            entry__kind__in=[LedgerKind.CAPTURE, LedgerKind.FEE]
        ),
        "entry__refund__balance_transaction_id": Q(entry__kind=LedgerKind.REFUND),
        "entry__refund__failure_transaction_id": Q(entry__kind=LedgerKind.REFUND_FAILED),
        "entry__provider_reference": Q(
            entry__kind__in=[LedgerKind.PAYOUT, LedgerKind.DISPUTE, LedgerKind.DISPUTE_WON]
        ),
    }
    booked: dict[str, int] = {}
    for field, of_kind in questions.items():
        rows = (
            on_clearing.filter(of_kind, **{f"{field}__in": ids})
            .order_by()
            .values_list(field)
            .annotate(net=Sum("amount"))
        )
        booked.update(rows)
    return booked


def _put_right(movement: Movement, now: datetime) -> bool:
    """Book a balance transaction that the books do not know; return whether they do then."""
    if movement.type in {"payout", "payout_failure", "payout_cancel"}:
        ledger.post_payout(movement=movement, now=now)
        return True
    if movement.category in _DISPUTES:
        intent_id = gateway.intent_of_dispute(movement.source)
        payment = Payment.objects.filter(intent_id=intent_id).first()
        if payment is not None:
            won = _DISPUTES[movement.category]
            ledger.post_dispute(movement=movement, payment=payment, won=won, now=now)
            return True
    if movement.type in {"refund", "payment_refund", "refund_failure"}:
        return refunds.adopt(said=gateway.retrieve_refund(movement.source), now=now)
    payment = Payment.objects.filter(charge_id=movement.source).exclude(charge_id="").first()
    if payment is not None:
        checkout.sync_payment(payment_id=payment.id, now=now)
        return True
    return False


def _differences(movements: Sequence[Movement], since: datetime, now: datetime) -> list[Difference]:
    booked = _booked([movement.id for movement in movements])
    differences = []
    for movement in movements:
        if booked.get(movement.id) == movement.net:
            continue
        differences.append(
            Difference(
                movement=movement.id,
                type=movement.type,
                processor=movement.net,
                books=booked.get(movement.id, 0),
                currency=movement.currency,
            )
        )
        exception_list.put(
            kind=MoneyException.Kind.UNMATCHED,
            key=f"movement:{movement.id}",
            detail=f"{movement.type} of {movement.net} {movement.currency} ({movement.source}) "
            f"stands in the books as {booked.get(movement.id, 0)}",
            now=now,
        )
    return differences + _only_in_the_books({movement.id for movement in movements}, since)


def _only_in_the_books(seen: set[str], since: datetime) -> list[Difference]:
    # A day of margin: we may have heard late of what happened before `since`.
    recent = Payment.objects.filter(paid_at__gte=since + timedelta(days=1), fee__isnull=False)
    unseen = {
        payment.balance_transaction_id: payment
        for payment in recent
        if payment.balance_transaction_id not in seen
    }
    return [
        Difference(
            movement=movement_id,
            type="charge",
            processor=0,
            books=net,
            currency=unseen[movement_id].currency,
        )
        for movement_id, net in _booked(list(unseen)).items()
    ]
