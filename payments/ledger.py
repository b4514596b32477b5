"""The books: what is posted, on which accounts, and the seal on it.

Every entry has a business key, so that posting twice is posting once. Balance, immutability and
the chain of hashes are kept by PostgreSQL itself (migration 0002); posting happens in the
transaction that changes the state, sealing in a job each second and before every export.
Amounts are minor units; a debit is positive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from payments import exception_list, tax_split
from payments.models import (
    ClosedPeriod,
    LedgerEntry,
    LedgerKind,
    LedgerLine,
    MoneyException,
    Payment,
    Refund,
)
from payments.records import Capture, Movement

CLEARING = "psp_clearing"
FEES = "psp_fees"
OWED_TO_CITIZENS = "citizen_refund_due"
SUSPENSE = "suspense"
BANK = "bank"
DISPUTES = "dispute_loss"
TAX = "tax_payable:"
_REVENUE = "parking_revenue:"

_SEALED_AT_ONCE = 1000


@dataclass(frozen=True)
class Line:
    """One account's part of an entry."""

    account: str
    amount: int


def post_capture(
    *, payment: Payment, capture: Capture, waits_on: str, now: datetime, actor: str
) -> None:
    """Book money that came in: as revenue and tax, or on the account that it `waits_on`."""
    if waits_on:
        credited = [Line(waits_on, -capture.amount)]
    else:
        told = payment.slot.quote["tax"]
        tax = tax_split.of_capture(capture.amount, net=told["net"], tax=told["tax"])
        credited = [
            Line(f"{_REVENUE}{payment.slot.spot.zone.code}", tax - capture.amount),
            Line(f"{TAX}{told['code']}", -tax),
        ]
    _post(
        key=f"capture:{capture.intent_id}",
        kind=LedgerKind.CAPTURE,
        lines=[Line(CLEARING, capture.amount), *credited],
        currency=capture.currency,
        provider_reference=capture.charge_id,
        occurred_at=capture.occurred_at,
        now=now,
        actor=actor,
        payment=payment,
    )


def post_fee(*, payment: Payment, capture: Capture, now: datetime) -> None:
    """Book what the processor kept of a payment."""
    _post(
        key=f"fee:{capture.balance_transaction_id}",
        kind=LedgerKind.FEE,
        lines=[Line(FEES, capture.fee or 0), Line(CLEARING, -(capture.fee or 0))],
        currency=capture.fee_currency,
        provider_reference=capture.balance_transaction_id,
        occurred_at=capture.occurred_at,
        now=now,
        actor="processor",
        payment=payment,
    )


def post_refund(*, refund: Refund, occurred_at: datetime, now: datetime) -> None:
    """Book money that went back, off the accounts on which the payment stands.

    Tax goes back in proportion; after a full refund every account of the payment stands at zero.
    """
    payment = refund.payment
    currency, standing = _standing(payment)
    left = -sum(standing.values())
    lines = []
    for account, amount in standing.items():
        if account.startswith(TAX):
            taxed = LedgerLine.objects.get(
                entry__payment=payment, entry__kind=LedgerKind.CAPTURE, account=account
            )
            tax = tax_split.of_refund(
                refund.amount,
                captured=payment.captured or 0,
                taxed=-taxed.amount,
                left=left,
                tax_left=-amount,
            )
            lines.append(Line(account, tax))
    main = next(account for account in standing if not account.startswith(TAX))
    lines.insert(0, Line(main, refund.amount - sum(line.amount for line in lines)))
    _post(
        key=f"refund:{refund.refund_id}",
        kind=LedgerKind.REFUND,
        lines=[*lines, Line(CLEARING, -refund.amount)],
        currency=currency,
        provider_reference=refund.refund_id or "",
        occurred_at=occurred_at,
        now=now,
        actor=refund.actor,
        approver=refund.approver,
        reason=refund.reason,
        payment=payment,
        refund=refund,
    )


def post_refund_failed(*, refund: Refund, now: datetime) -> None:
    """Book that a refund came back: the mirror of its entry."""
    entry = refund.entries.prefetch_related("lines").get(kind=LedgerKind.REFUND)
    _post(
        key=f"refund_failed:{refund.refund_id}",
        kind=LedgerKind.REFUND_FAILED,
        lines=[Line(line.account, -line.amount) for line in entry.lines.all()],
        currency=entry.lines.all()[0].currency,
        provider_reference=refund.refund_id or "",
        occurred_at=now,
        now=now,
        actor="processor",
        reason=refund.failure,
        payment=refund.payment,
        refund=refund,
    )


def post_payout(*, movement: Movement, now: datetime) -> None:
    """Book what the processor paid out to the city's bank, or took back from it."""
    _post(
        key=f"payout:{movement.id}",
        kind=LedgerKind.PAYOUT,
        lines=[
            Line(BANK, -movement.amount),
            Line(FEES, movement.fee),
            Line(CLEARING, movement.net),
        ],
        currency=movement.currency,
        provider_reference=movement.id,
        occurred_at=movement.occurred_at,
        now=now,
        actor="processor",
        reason=movement.source,
    )


def post_dispute(*, movement: Movement, payment: Payment, won: bool, now: datetime) -> None:
    """Book money that a bank took back, or gave back after a dispute was won."""
    _post(
        key=f"dispute:{movement.id}",
        kind=LedgerKind.DISPUTE_WON if won else LedgerKind.DISPUTE,
        lines=[
            Line(DISPUTES, -movement.amount),
            Line(FEES, movement.fee),
            Line(CLEARING, movement.net),
        ],
        currency=movement.currency,
        provider_reference=movement.id,
        occurred_at=movement.occurred_at,
        now=now,
        actor="processor",
        reason=movement.source,
        payment=payment,
    )


def seal() -> int:
    """Number and chain whatever is posted and not yet sealed; return how many entries.

    Receipts and credit notes get their numbers here too.
    """
    sealed = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT payments_ledger_seal(%s)", [_SEALED_AT_ONCE])
            batch: int = cursor.fetchone()[0]
            sealed += batch
            if batch < _SEALED_AT_ONCE:
                return sealed


def _standing(payment: Payment) -> tuple[str, dict[str, int]]:
    """Return the currency and what the payment left on each account besides clearing."""
    rows = (
        LedgerLine.objects.filter(
            entry__payment=payment,
            entry__kind__in=(LedgerKind.CAPTURE, LedgerKind.REFUND, LedgerKind.REFUND_FAILED),
        )
        .exclude(account=CLEARING)
        .order_by()
        .values_list("currency", "account")
        .annotate(total=Sum("amount"))
        .order_by("account")
    )
    return rows[0][0], {account: total for _currency, account, total in rows}


def _post(
    *,
    key: str,
    kind: LedgerKind,
    lines: Sequence[Line],
    currency: str,
    provider_reference: str,
    occurred_at: datetime,
    now: datetime,
    actor: str,
    approver: str = "",
    reason: str = "",
    payment: Payment | None = None,
    refund: Refund | None = None,
) -> None:
    moved = [line for line in lines if line.amount]
    if not moved:
        return  # the processor kept nothing
    slot = payment.slot if payment else None
    entry = LedgerEntry(
        key=key,
        kind=kind,
        zone=slot.spot.zone if slot else None,
        zone_code=slot.spot.zone.code if slot else "",
        spot_number=slot.spot.number if slot else "",
        payment=payment,
        refund=refund,
        booking_reference=slot.booking.reference if slot else "",
        provider_reference=provider_reference,
        actor=actor,
        approver=approver,
        reason=reason[:200],
        occurred_at=occurred_at,
        posted_at=now,
        business_on=timezone.localdate(now),  # or later: a trigger keeps closed days shut
    )
    if _is_new(entry, moved, currency):
        _list_if_late(entry)


_WITH_LINES = """
WITH entry AS (
  INSERT INTO payments_ledgerentry ({COLUMNS}) VALUES ({VALUES})
  ON CONFLICT (key) DO NOTHING RETURNING id
), line AS (
  INSERT INTO payments_ledgerline (entry_id, position, account, amount, currency)
  SELECT entry.id, moved.position, moved.account, moved.amount, %s
  FROM entry, unnest(%s::text[], %s::bigint[]) WITH ORDINALITY AS moved (account, amount, position)
)
SELECT id FROM entry
"""


def _is_new(entry: LedgerEntry, lines: Sequence[Line], currency: str) -> bool:
    """Write an entry with its lines, unless one with its key stands there; say whether it was."""
    columns = LedgerEntry._meta.concrete_fields  # noqa: SLF001  (Django's public API)
    fields = [field for field in columns if not field.primary_key]
    statement = _WITH_LINES.format(
        COLUMNS=", ".join(connection.ops.quote_name(str(field.column)) for field in fields),
        VALUES=", ".join(["%s"] * len(fields)),
    )
    values = [field.get_db_prep_save(field.pre_save(entry, True), connection) for field in fields]
    accounts, amounts = zip(*[(line.account, line.amount) for line in lines], strict=True)
    with connection.cursor() as cursor:
        cursor.execute(statement, [*values, currency, list(accounts), list(amounts)])
        row = cursor.fetchone()
    if row is not None:
        entry.pk = row[0]
    return row is not None


def _list_if_late(entry: LedgerEntry) -> None:
    """Put an entry before a person that belongs to a day which is closed."""
    happened_on = timezone.localdate(entry.occurred_at)
    if happened_on >= timezone.localdate(entry.posted_at):
        return
    if ClosedPeriod.objects.filter(first_on__lte=happened_on, last_on__gte=happened_on).exists():
        exception_list.put(
            kind=MoneyException.Kind.LATE_POSTING,
            key=f"late:{entry.key}"[:300],
            detail=f"{entry.kind} of {happened_on:%Y-%m-%d}, whose books are closed",
            payment=entry.payment,
            now=entry.posted_at,
        )
