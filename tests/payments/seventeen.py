"""The promises about money, each as a function that says in words what is broken of it.

`at_any_moment` holds after every step; `at_rest` once everything was delivered and reconciled.
The numbers are those of the list of invariants in the design of payments.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db import connection
from django.db.models import Q, Sum

from parking.models import LIVE_STATES, PENDING_STATES, Slot, SlotState
from payments import balances, ledger, proof
from payments.models import (
    DEAD_REFUND_STATES,
    Dispute,
    Document,
    LedgerEntry,
    LedgerKind,
    LedgerLine,
    MoneyException,
    Payment,
    PaymentState,
    Refund,
    RefundReason,
    RefundState,
)
from payments.reports import Range, report
from tests.payments.processor import Processor
from tests.payments.situations import check_books

ENDED = (SlotState.CANCELLED, SlotState.REPLACED)


def at_any_moment() -> list[str]:
    """Return what is broken of promises 1, 2, 4, 6 and 9."""
    check_books()  # 6: every entry balances
    return [*_shared_spots(), *_unpaid(), *_too_much_back(), *_two_payments()]


def at_rest(processor: Processor, now: datetime) -> list[str]:
    """Return what is broken of promises 3, 5 to 8, 11, 12, 16 and 17."""
    ledger.seal()
    return [
        *_money_without_a_place(),
        *_books_and_rows(),
        *_the_chain(),
        *_the_processors_balance(processor),
        *_one_entry_each(processor),
        *_waits_too_long(now),
        *_done_twice(processor),
        *_reports(),
        *_documents(),
    ]


def _shared_spots() -> list[str]:
    """1: no two live slots of different bookings share a moment of a spot."""
    by_spot: dict[int, list[Slot]] = defaultdict(list)
    for slot in Slot.objects.filter(state__in=LIVE_STATES).order_by("period"):
        by_spot[slot.spot_id].append(slot)
    return [
        f"1: slots {one.pk} and {other.pk} share spot {spot}"
        for spot, slots in by_spot.items()
        for one, other in pairwise(slots)
        if one.end > other.start and one.booking_id != other.booking_id
    ]


def _unpaid() -> list[str]:
    """2: a confirmed slot is paid with its frozen price, or free with a reason."""
    found = []
    for slot in Slot.objects.filter(state=SlotState.CONFIRMED):
        paid = slot.payments.filter(state=PaymentState.PAID, is_orphan=False)
        captured = list(paid.values_list("captured", flat=True))
        if captured != ([slot.amount] if slot.amount else []):
            found.append(f"2: slot {slot.pk} costs {slot.amount}, paid: {captured}")
        if not slot.amount and not slot.free_reason:
            found.append(f"2: slot {slot.pk} is free for no reason")
    return found


def _money_without_a_place() -> list[str]:
    """3: whoever paid has a stay, or had one, or the money back, or a person looks at it."""
    found = []
    for payment in Payment.objects.filter(state=PaymentState.PAID).select_related("slot"):
        has_stay = payment.slot.state in {SlotState.CONFIRMED, *ENDED} and not payment.is_orphan
        is_listed = MoneyException.objects.filter(payment=payment).exists()
        if not has_stay and not is_listed and _back(payment) != payment.captured:
            found.append(f"3: {payment.captured} of {payment} has no place, {_back(payment)} back")
    return found


def _too_much_back() -> list[str]:
    """4: never more goes back than came in.

    What somebody gives back behind our back can make one of ours too many; then it counts only
    once the processor has it, which it refuses.
    """
    found = []
    for payment in Payment.objects.filter(state=PaymentState.PAID):
        alive = payment.refunds.exclude(state__in=DEAD_REFUND_STATES)
        if alive.filter(reason=RefundReason.EXTERNAL).exists():
            alive = alive.exclude(refund_id=None)
        back = alive.aggregate(total=Sum("amount"))["total"] or 0
        if back > (payment.captured or 0):
            found.append(f"4: {back} of {payment.captured} goes back")
    return found


def _books_and_rows() -> list[str]:
    """5: the books' sums are those of payments and refunds, by zone and currency."""
    paid = _by_zone(
        Payment.objects.filter(state=PaymentState.PAID), "slot__spot__zone", "currency", "captured"
    )
    gone = Refund.objects.exclude(balance_transaction_id="").exclude(state__in=DEAD_REFUND_STATES)
    back = _by_zone(gone, "payment__slot__spot__zone", "payment__currency", "amount")
    lines = LedgerLine.objects.filter(account=ledger.CLEARING)
    captured = lines.filter(entry__kind=LedgerKind.CAPTURE)
    refunded = lines.filter(entry__kind__in=[LedgerKind.REFUND, LedgerKind.REFUND_FAILED])
    found = []
    if (booked := _by_zone(captured, "entry__zone", "currency", "amount")) != paid:
        found.append(f"5: captures {booked}, payments {paid}")
    gone_by_books = _by_zone(refunded, "entry__zone", "currency", "amount")
    booked = {key: -total for key, total in gone_by_books.items() if total}
    if booked != back:
        found.append(f"5: refunds in the books {booked}, refunds {back}")
    return found


def _the_chain() -> list[str]:
    """6: numbers are 1 to n, and the chain verifies."""
    numbers = list(LedgerEntry.objects.order_by("number").values_list("number", flat=True))
    broken = proof.first_broken()
    return [
        *(["6: the numbers have a gap"] if numbers != list(range(1, len(numbers) + 1)) else []),
        *([f"6: entry {broken.number} {broken.problem}"] if broken else []),
    ]


def _the_processors_balance(processor: Processor) -> list[str]:
    """7: what the books expect at the processor is there, to the cent."""
    said = processor.get("balance")
    balance = sum(part["amount"] for pot in ("available", "pending") for part in said[pot])
    clearing = balances.clearing("EUR")
    return [] if balance == clearing else [f"7: the books say {clearing}, it holds {balance}"]


def _one_entry_each(processor: Processor) -> list[str]:
    """8: one entry for each charge, refund and dispute; and none for what it does not know."""
    charges = {
        charge["id"] for charge in processor.every("charges") if charge["status"] == "succeeded"
    }
    refunds = {one["id"] for one in processor.every("refunds") if one["balance_transaction"]}
    moves = {
        movement["id"]
        for dispute in processor.every("disputes")
        for movement in dispute["balance_transactions"]
    }
    booked = Counter(LedgerEntry.objects.values_list("kind", "provider_reference"))
    found = []
    for kinds, known in (
        ({LedgerKind.CAPTURE}, charges),
        ({LedgerKind.REFUND}, refunds),
        ({LedgerKind.DISPUTE, LedgerKind.DISPUTE_WON}, moves),
    ):
        entries = {reference: n for (kind, reference), n in booked.items() if kind in kinds}
        if set(entries) != known or set(entries.values()) > {1}:
            found.append(f"8: {kinds}: {entries} booked, {known} at the processor")
    if Dispute.objects.count() != len(processor.every("disputes")):
        found.append("8: a dispute has no row")
    return found


def _two_payments() -> list[str]:
    """9: one open payment for a slot, and one paid unless the second goes back."""
    found = []
    for slot in Slot.objects.filter(payments__isnull=False).distinct():
        if slot.payments.filter(state=PaymentState.OPEN).count() > 1:
            found.append(f"9: slot {slot.pk} has two open payments")
        if slot.payments.filter(state=PaymentState.PAID, is_orphan=False).count() > 1:
            found.append(f"9: slot {slot.pk} is paid twice")
    return found


def _waits_too_long(now: datetime) -> list[str]:
    """11: nothing is open or expiring past its limit while the processor answers."""
    slots = Slot.objects.filter(state__in=PENDING_STATES, held_until__lt=now - timedelta(hours=1))
    payments = Payment.objects.filter(
        Q(state=PaymentState.OPEN, expires_at__lt=now - timedelta(hours=1))
    )
    undone = Refund.objects.filter(
        state__in=[RefundState.REQUESTED, RefundState.SUBMITTED],
        created_at__lt=now - timedelta(hours=1),
    )
    return [f"11: {row!r} waits" for rows in (slots, payments, undone) for row in rows]


def _done_twice(processor: Processor) -> list[str]:
    """12: however often it was repeated, each of our rows is one object at the processor."""
    found = []
    pages = Counter(one["client_reference_id"] for one in processor.every("checkout/sessions"))
    ours = Counter(one["metadata"].get("refund", one["id"]) for one in processor.every("refunds"))
    for name, n in (pages | ours).items():
        if n > 1:
            found.append(f"12: {name} is {n} objects")
    return found


def _reports() -> list[str]:
    """16: totals are those of SQL, and the months make the year."""
    year = report(Range(first_on=date(2026, 1, 1), last_on=date(2026, 12, 31)))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(DISTINCT entry.id), coalesce(sum(amount) FILTER"
            " (WHERE account = 'psp_clearing'), 0) FROM payments_ledgerentry entry"
            " JOIN payments_ledgerline line ON line.entry_id = entry.id"
        )
        entries, clearing = cursor.fetchone()
    months = [
        report(Range(first_on=date(2026, month, 1), last_on=_end_of(2026, month))).total
        for month in range(1, 13)
    ]
    found = []
    if (year.total.entries, year.total.clearing) != (entries, clearing):
        found.append(f"16: the report says {year.total}, SQL {entries} entries, {clearing}")
    if sum(month.entries for month in months) != entries:
        found.append("16: the months do not make the year")
    if sum(month.clearing for month in months) != clearing:
        found.append("16: the months do not sum to the year")
    return found


def _documents() -> list[str]:
    """17: receipts have no gap, and every refund has a credit note."""
    missing = proof.first_missing_document()
    found = [f"17: {missing}"] if missing else []
    for kind, document in (
        (LedgerKind.CAPTURE, "receipt"),
        (LedgerKind.REFUND, "credit_note"),
        (LedgerKind.REFUND_FAILED, "reversal"),
    ):
        entries = set(LedgerEntry.objects.filter(kind=kind).values_list("id", flat=True))
        documents = Document.objects.filter(kind=document).values_list("entry", flat=True)
        if entries != set(documents):
            found.append(f"17: {kind} entries and documents differ")
    return found


def _by_zone(rows: Any, zone: str, currency: str, amount: str) -> dict[tuple[int, str], int]:
    sums = rows.order_by().values_list(zone, currency).annotate(total=Sum(amount))
    return {(zone_id, code): total for zone_id, code, total in sums}


def _back(payment: Payment) -> int:
    alive = payment.refunds.exclude(state__in=DEAD_REFUND_STATES)
    return alive.aggregate(total=Sum("amount"))["total"] or 0


def _end_of(year: int, month: int) -> date:
    following = date(year + month // 12, month % 12 + 1, 1)
    return following - timedelta(days=1)
