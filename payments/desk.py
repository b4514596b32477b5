"""What the desk shows of money: today's takings from the ledger, and what waits for a person."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from parking import formatting
from parking.desk import Figure
from parking.models import Zone
from payments.models import LedgerLine, MoneyException

REVENUE = "parking_revenue:"


def figures(*, zones: QuerySet[Zone], whole_city: bool, now: datetime) -> list[Figure]:
    """Return today's net takings of the zones and the open exceptions; two queries.

    Exceptions that belong to no payment are shown to who sees the whole city.
    """
    today = timezone.localtime(now).date()
    lines = LedgerLine.objects.filter(
        account__startswith=REVENUE,
        entry__business_on=today,
        entry__zone__in=zones.values("pk"),
    )
    taken = -(lines.aggregate(sum=Sum("amount"))["sum"] or 0)  # revenue is on the credit side
    concerned = Q(payment__slot__spot__zone__in=zones.values("pk"))
    if whole_city:
        concerned |= Q(payment__isnull=True)
    waiting = MoneyException.objects.filter(concerned, closed_at__isnull=True).count()
    return [
        Figure(
            value=formatting.money(taken),
            label=_("taken today, refunds deducted"),
            page="payments_payment",
        ),
        Figure(
            value=formatting.number(waiting),
            label=_("money matters to look at"),
            page="payments_moneyexception",
            query="open=yes",
            needs_attention=waiting > 0,
        ),
    ]
