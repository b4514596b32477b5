"""Sums of the ledger: by kind, zone and day or month, and account by account."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from payments.audit_tables.table import Column, Kind, Table
from payments.reports import AMOUNTS, IN_RANGE

_SUMS = (
    Column("currency", _("Currency"), "moved.currency"),
    Column("entries", _("Entries"), "count(*)", Kind.WHOLE),
    Column("gross", _("Gross"), "sum(moved.clearing + moved.fees)::bigint", Kind.MONEY),
    Column("revenue", _("Revenue"), "sum(moved.revenue)::bigint", Kind.MONEY),
    Column("tax", _("Tax"), "sum(moved.tax)::bigint", Kind.MONEY),
    Column("other_accounts", _("Other accounts"), "sum(moved.other)::bigint", Kind.MONEY),
    Column("processor_fee", _("Processor's fees"), "sum(moved.fees)::bigint", Kind.MONEY),
    Column("net_after_fee", _("Net after fees"), "sum(moved.clearing)::bigint", Kind.MONEY),
    Column("first_number", _("First number"), "min(entry.number)", Kind.WHOLE),
    Column("last_number", _("Last number"), "max(entry.number)", Kind.WHOLE),
)
_DAY = Column("day", _("Day"), "entry.business_on", Kind.DAY)
_MONTH = Column("month", _("Month"), "to_char(entry.business_on, 'YYYY-MM')")
_ZONE = Column("zone", _("Zone"), "coalesce(nullif(entry.zone_code, ''), zone.code, '')", Kind.TEXT)
_KIND = Column("kind", _("Kind"), "entry.kind")


def _by(key: str, title: str | Promise, *groups: Column) -> Table:
    by = ", ".join(column.sql for column in groups)
    return Table(
        key=key,
        title=title,
        columns=(*groups, *_SUMS),
        source=f"""
FROM payments_ledgerentry entry
LEFT JOIN parking_zone zone ON zone.id = entry.zone_id
JOIN LATERAL (
  SELECT min(line.currency) AS currency, {AMOUNTS}
  FROM payments_ledgerline line WHERE line.entry_id = entry.id
) moved ON true
WHERE {IN_RANGE} AND entry.number IS NOT NULL
GROUP BY {by}, moved.currency""",  # noqa: S608 (constants)
        order=", ".join([*(column.name for column in groups), "currency"]),
    )


DAYS = _by("days", _("Kind, zone and day"), _DAY, _ZONE, _KIND)
MONTHS = _by("months", _("Kind, zone and month"), _MONTH, _ZONE, _KIND)
BY_DAY = _by("by-day", _("By day"), _DAY)
BY_MONTH = _by("by-month", _("By month"), _MONTH)
BY_ZONE = _by("by-zone", _("By zone"), _ZONE)
BY_KIND = _by("by-kind", _("By kind"), _KIND)

_BEFORE = "entry.business_on < %(from)s"
_WITHIN = "entry.business_on >= %(from)s"

ACCOUNTS = Table(
    key="accounts",
    title=_("Account by account"),
    columns=(
        Column("account", _("Account"), "line.account", Kind.TEXT),
        Column("currency", _("Currency"), "line.currency"),
        Column(
            "opening",
            _("Opening"),
            f"coalesce(sum(line.amount) FILTER (WHERE {_BEFORE}), 0)::bigint",
            Kind.MONEY,
        ),
        Column(
            "debit",
            _("Debit"),
            f"coalesce(sum(line.amount) FILTER (WHERE {_WITHIN} AND line.amount > 0), 0)::bigint",
            Kind.MONEY,
        ),
        Column(
            "credit",
            _("Credit"),
            f"coalesce(-sum(line.amount) FILTER (WHERE {_WITHIN} AND line.amount < 0), 0)::bigint",
            Kind.MONEY,
        ),
        Column("closing", _("Closing"), "sum(line.amount)::bigint", Kind.MONEY),
    ),
    source="""
FROM payments_ledgerline line
JOIN payments_ledgerentry entry ON entry.id = line.entry_id
LEFT JOIN parking_zone zone ON zone.id = entry.zone_id
WHERE entry.business_on <= %(to)s AND entry.number IS NOT NULL
  AND (%(zone)s::text IS NULL OR zone.code = %(zone)s)
GROUP BY line.account, line.currency""",
    order="account, currency",
)
