"""Compare our rows with the processor's record, and put right what a lost notice left behind.

R1, each minute: payments and refunds that wait for an answer are asked about (`due_payments`,
`due_refunds`). R2, each 15 minutes: the processor's events are read again (`read_events`). R3,
daily: the balance transactions of the last days are held against the books (`compare_balance`).
R4, likewise: the payouts against what they carry (`compare_payouts`). `psp_clearing` equals the
processor's balance; that one equation is the proof. Every difference stands on the exceptions list.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from payments import balances, exception_list, follow, gateway, webhooks
from payments.models import (
    MoneyException,
    Payment,
    PaymentState,
    Payout,
    Reconciliation,
    ReconciliationKind,
    Refund,
)
from payments.records import Event, Movement

logger = logging.getLogger(__name__)

_EVENTS_OVERLAP = timedelta(hours=2)
_EVENTS_KEPT = timedelta(days=29)  # the processor keeps 30
_BALANCE_OVERLAP = timedelta(days=3)
_PAYOUTS_OVERLAP = timedelta(days=10)  # banks refuse payouts within days
# While we read, people pay: what is new since the reading is read again before it is a difference.
_READINGS = 3


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One balance transaction that the books tell otherwise. Amounts are minor units, net."""

    movement: str
    type: str
    processor: int
    books: int
    currency: str
    occurred_at: str = ""  # ISO 8601; empty where the processor knows nothing of it
    source: str = ""


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

    What was missed is followed and booked; whatever is still unknown goes on the exceptions list,
    and not into the books.

    Raises:
        gateway.GatewayError: the processor did not answer.
    """
    since = _since(ReconciliationKind.BALANCE, now, _BALANCE_OVERLAP)
    run = Reconciliation.objects.create(kind=ReconciliationKind.BALANCE, started_at=now)
    try:
        for _reading in range(_READINGS):
            comparison = _read_balance(run, since, now)
            if comparison.agrees:
                break
    except gateway.GatewayError as error:
        run.error = error.code[:200]
        run.save()
        raise
    for difference in comparison.differences:
        _list_difference(difference, now)
    if not comparison.agrees:
        _list_imbalance(comparison, now)
    run.differences = [asdict(difference) for difference in comparison.differences]
    run.reached_at = now
    run.save()
    return comparison


def compare_payouts(*, now: datetime) -> int:
    """Hold each payout against what it carries and the bank's side; return how many do not tie.

    Raises:
        gateway.GatewayError: the processor did not answer.
    """
    since = _since(ReconciliationKind.PAYOUTS, now, _PAYOUTS_OVERLAP)
    run = Reconciliation.objects.create(kind=ReconciliationKind.PAYOUTS, started_at=now)
    untied = list(Payout.objects.filter(is_tied=False).values_list("payout_id", flat=True))
    try:
        said = {payout.id: payout for payout in gateway.payouts_since(since)}
        for payout_id in untied:
            if payout_id not in said:
                said[payout_id] = gateway.retrieve_payout(payout_id)
        followed = [
            follow.said_payout(one, now=now)
            for one in sorted(said.values(), key=lambda payout: payout.occurred_at)
        ]
    except gateway.GatewayError as error:
        run.error = error.code[:200]
        run.save()
        raise
    loose = [payout for payout in followed if not payout.is_tied]
    run.seen, run.differences = len(followed), [payout.payout_id for payout in loose]
    run.reached_at = now
    run.save()
    return len(loose)


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


def _store_missing(event: Event, now: datetime) -> bool:
    return event.livemode == gateway.is_live() and webhooks.store(event, now=now)


def _read_balance(run: Reconciliation, since: datetime, now: datetime) -> Comparison:
    """Read, put right what was missed, and compare once."""
    movements = list(gateway.movements_since(since))
    run.seen = len(movements)
    # Oldest first: money comes before it goes.
    run.found += follow.movements(list(reversed(movements)), now=now)
    balance = gateway.balance(settings.CITY_CURRENCY)
    return Comparison(
        currency=settings.CITY_CURRENCY,
        clearing=balances.clearing(settings.CITY_CURRENCY),
        balance=balance,
        differences=_differences(movements, since),
    )


def _differences(movements: Sequence[Movement], since: datetime) -> list[Difference]:
    """Return what one side has and the other has not, or has otherwise."""
    booked = balances.booked([movement.id for movement in movements])
    found = [
        Difference(
            movement=movement.id,
            type=movement.type,
            processor=movement.net,
            books=booked.get(movement.id, 0),
            currency=movement.currency,
            occurred_at=movement.occurred_at.isoformat(),
            source=movement.source,
        )
        for movement in movements
        if booked.get(movement.id, 0) != movement.net
    ]
    # A day of margin: the moments of both sides differ a little.
    seen = {movement.id for movement in movements}
    only_booked = balances.booked(since=since + timedelta(days=1))
    return found + [
        Difference(
            movement=movement_id,
            type="only in the books",
            processor=0,
            books=net,
            currency=settings.CITY_CURRENCY,
        )
        for movement_id, net in only_booked.items()
        if net and movement_id not in seen
    ]


def _list_difference(difference: Difference, now: datetime) -> None:
    happened = difference.occurred_at
    exception_list.put(
        kind=MoneyException.Kind.UNMATCHED
        if not difference.books
        else MoneyException.Kind.DIFFERENCE,
        key=f"movement:{difference.movement}",
        detail=f"{difference.type} of {difference.processor} {difference.currency} "
        f"({difference.source or difference.movement}) stands in the books as {difference.books}",
        concerns=datetime.fromisoformat(happened) if happened else None,
        now=now,
    )


def _list_imbalance(comparison: Comparison, now: datetime) -> None:
    explained = sum(one.processor - one.books for one in comparison.differences)
    unexplained = comparison.balance - comparison.clearing - explained
    logger.error(
        "the books say %s %s, the processor %s; %s differences",
        comparison.clearing,
        comparison.currency,
        comparison.balance,
        len(comparison.differences),
    )
    if unexplained:
        exception_list.put(
            kind=MoneyException.Kind.DIFFERENCE,
            key=f"balance:{comparison.currency}:{unexplained}",
            detail=f"the processor holds {comparison.balance} {comparison.currency}, the books say "
            f"{comparison.clearing}: {unexplained} of it has no balance transaction to explain it",
            now=now,
        )
