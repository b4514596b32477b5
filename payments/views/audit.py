"""The auditor's desk: figures, lines, totals, comparison, chain. Nothing here changes money."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Max
from django.http import HttpRequest, HttpResponse

from parking import formatting
from parking.what_if import charts
from payments import audit_tables, ledger, proof
from payments.audit_tables import LINES, comparison
from payments.models import (
    LedgerCheck,
    LedgerEntry,
    MoneyException,
    Reconciliation,
    ReconciliationKind,
)
from payments.reports import Range, Report, Sums, report
from payments.views.audit_nav import LinesForm, asked, reading, show

PER_PAGE = 50
_MOST_SHOWN = 200  # of a table on a page; the file has all
_MOST_COLUMNS = 62


@reading
def overview(request: HttpRequest) -> HttpResponse:
    """Show the figures of a range as charts and tables; this month's where none is asked for."""
    form = asked(request)
    if not form.is_valid():
        return show(request, "payments/audit/overview.html", {}, form=form, status=400)
    ledger.seal()
    figures = report(form.covered())
    is_long = (figures.range.last_on - figures.range.first_on).days >= _MOST_COLUMNS
    times = figures.by_month() if is_long else figures.by_day()
    context = {
        "figures": figures,
        "times": [(time, sums) for time, sums in times.items()],
        "is_long": is_long,
        "chart": _chart(figures, is_long=is_long),
        "time_table": audit_tables.BY_MONTH if is_long else audit_tables.BY_DAY,
        "zone_table": audit_tables.BY_ZONE,
        "kind_table": audit_tables.BY_KIND,
        "zones": _barred(figures.by_zone(), "revenue"),
        "kinds": _barred(figures.by_kind(), "clearing"),
        "standing": proof.standing(),
        "troubles": MoneyException.objects.filter(closed_at__isnull=True).count(),
    }
    return show(request, "payments/audit/overview.html", context, form=form)


@reading
def lines(request: HttpRequest) -> HttpResponse:
    """Show the lines of a range, page after page."""
    form = asked(request, LinesForm)
    if not form.is_valid():
        return show(request, "payments/audit/lines.html", {}, form=form, status=400)
    ledger.seal()
    covered = form.covered()
    count = LINES.count(covered)
    pages = max(1, -(-count // PER_PAGE))
    asked_page = request.GET.get("page", "1")
    number = int(asked_page) if asked_page.isascii() and asked_page.isdecimal() else 1
    number = min(max(number, 1), pages)
    rows = LINES.page(covered, limit=PER_PAGE, offset=(number - 1) * PER_PAGE)
    context = {
        "rows": [{**row, "ids": _ids(row)} for row in rows],
        "count": count,
        "number": number,
        "pages_count": pages,
        "before": number - 1,
        "after": number + 1 if number < pages else 0,
        "table": LINES,
    }
    return show(request, "payments/audit/lines.html", context, form=form)


@reading
def totals(request: HttpRequest) -> HttpResponse:
    """Show the sums by kind, zone and day or month, and that they tie to opening and closing."""
    form = asked(request)
    if not form.is_valid():
        return show(request, "payments/audit/totals.html", {}, form=form, status=400)
    ledger.seal()
    covered = form.covered()
    context = {
        "figures": report(covered),
        "gaps": _gaps(),
        "tables": [
            _shown(table, covered)
            for table in (audit_tables.MONTHS, audit_tables.DAYS, audit_tables.ACCOUNTS)
        ],
    }
    return show(request, "payments/audit/totals.html", context, form=form)


@reading
def compare(request: HttpRequest) -> HttpResponse:
    """Show bookings, ledger, processor and payouts beside each other, and every difference."""
    form = asked(request)
    if not form.is_valid():
        return show(request, "payments/audit/comparison.html", {}, form=form, status=400)
    covered = form.covered()
    context = {
        "sums": comparison.compare(covered),
        "different": _shown(audit_tables.DIFFERENCES, covered),
        "paid_out": _shown(audit_tables.PAYOUTS, covered),
        "reconciled": Reconciliation.objects.filter(
            kind=ReconciliationKind.BALANCE, reached_at__isnull=False
        ).first(),
    }
    return show(request, "payments/audit/comparison.html", context, form=form)


@reading
def chain(request: HttpRequest) -> HttpResponse:
    """Show how far the chain is known to hold, and the series of documents."""
    form = asked(request)
    if not form.is_valid():
        return show(request, "payments/audit/chain.html", {}, form=form, status=400)
    ledger.seal()
    covered = form.covered()
    head = LedgerEntry.objects.filter(number__isnull=False).order_by("-number").first()
    context = {
        "standing": proof.standing(),
        "head": head,
        "head_hash": bytes(head.hash).hex() if head and head.hash else "",
        "waiting": LedgerEntry.objects.filter(number=None).count(),
        "last_walk": LedgerCheck.objects.aggregate(at=Max("at"))["at"],
        "tables": [_shown(table, covered) for table in (audit_tables.SERIES, audit_tables.CHECKS)],
    }
    return show(request, "payments/audit/chain.html", context, form=form)


def _ids(row: dict[str, Any]) -> list[str]:
    """Return what the processor calls the things behind a line, each once."""
    names = (
        "payment_intent",
        "charge",
        "refund",
        "dispute",
        "balance_transaction",
        "payout",
    )
    return list(dict.fromkeys(row[name] for name in names if row[name]))


def _shown(table: audit_tables.Table, covered: Range) -> dict[str, Any]:
    rows = table.rows(covered, limit=_MOST_SHOWN + 1)
    return {
        "table": table,
        "rows": rows[:_MOST_SHOWN],
        "has_more": len(rows) > _MOST_SHOWN,
        "most": _MOST_SHOWN,
    }


def _chart(figures: Report, *, is_long: bool) -> charts.Chart:
    """Lay out the revenue of each day of the range, or of each month where it is long."""
    if is_long:
        columns = [
            (formatting.month_short(month), s.revenue) for month, s in figures.by_month().items()
        ]
    else:
        by_day, first = figures.by_day(), figures.range.first_on
        length = (figures.range.last_on - first).days + 1
        days = [first + timedelta(days=n) for n in range(length)]
        columns = [(formatting.number(day.day), by_day.get(day, Sums()).revenue) for day in days]
    return charts.two_way([(label, max(sum_, 0), max(-sum_, 0)) for label, sum_ in columns])


def _barred(groups: dict[str, Sums], figure: str) -> list[tuple[str, Sums, int, bool]]:
    """Return each group with the length of its bar, in thousandths, and whether it is negative."""
    most = max((abs(getattr(sums, figure)) for sums in groups.values()), default=0) or 1
    return [
        (name, sums, round(1000 * abs(getattr(sums, figure)) / most), getattr(sums, figure) < 0)
        for name, sums in groups.items()
    ]


def _gaps() -> int:
    """Return how many numbers are missing between the first entry and the last."""
    last = LedgerEntry.objects.aggregate(last=Max("number"))["last"] or 0
    return int(last - LedgerEntry.objects.filter(number__isnull=False).count())
