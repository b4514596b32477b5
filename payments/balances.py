"""What the books say of the processor's movements, of its balance, and of the bank.

All amounts are minor units.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Sum

from payments import ledger
from payments.models import LedgerKind, LedgerLine

# Where each kind of entry has the id of the balance transaction that it books.
_NAMED_BY = {
    "entry__payment__balance_transaction_id": (LedgerKind.CAPTURE, LedgerKind.FEE),
    "entry__refund__balance_transaction_id": (LedgerKind.REFUND,),
    "entry__refund__failure_transaction_id": (LedgerKind.REFUND_FAILED,),
    "entry__provider_reference": (
        LedgerKind.PAYOUT,
        LedgerKind.DISPUTE,
        LedgerKind.DISPUTE_WON,
    ),
}


def booked(ids: Sequence[str] | None = None, *, since: datetime | None = None) -> dict[str, int]:
    """Return what each balance transaction did to clearing by the books, in minor units.

    Either those of `ids`, or all that happened from `since` on.
    """
    on_clearing = LedgerLine.objects.filter(account=ledger.CLEARING)
    if since is not None:
        on_clearing = on_clearing.filter(entry__occurred_at__gte=since)
    found: dict[str, int] = {}
    for name, kinds in _NAMED_BY.items():
        rows = on_clearing.filter(entry__kind__in=kinds)
        if ids is not None:
            rows = rows.filter(**{f"{name}__in": ids})
        sums = rows.order_by().values_list(name).annotate(net=Sum("amount"))
        found.update({movement_id: net for movement_id, net in sums if movement_id})
    return found


def clearing(currency: str) -> int:
    """Return what the processor owes us by the books, in minor units."""
    lines = LedgerLine.objects.filter(account=ledger.CLEARING, currency=currency)
    return lines.aggregate(sum=Sum("amount"))["sum"] or 0


def in_bank(payout_id: str) -> int:
    """Return what a payout brought to the bank by the books, in minor units."""
    lines = LedgerLine.objects.filter(
        account=ledger.BANK, entry__kind=LedgerKind.PAYOUT, entry__reason=payout_id
    )
    return lines.aggregate(sum=Sum("amount"))["sum"] or 0
