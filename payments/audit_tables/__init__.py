"""Every table that auditors read and take along: one description for the page and for the file."""

from __future__ import annotations

from payments.audit_tables.comparison import DIFFERENCES
from payments.audit_tables.lines import LINES
from payments.audit_tables.records import CHECKS, EXCEPTIONS, FILES, PAYOUTS, PERIODS, SERIES
from payments.audit_tables.table import Column, Kind, Table
from payments.audit_tables.totals import ACCOUNTS, BY_DAY, BY_KIND, BY_MONTH, BY_ZONE, DAYS, MONTHS

TABLES: dict[str, Table] = {
    table.key: table
    for table in (
        LINES,
        DAYS,
        MONTHS,
        BY_DAY,
        BY_MONTH,
        BY_ZONE,
        BY_KIND,
        ACCOUNTS,
        DIFFERENCES,
        FILES,
        CHECKS,
        SERIES,
        EXCEPTIONS,
        PERIODS,
        PAYOUTS,
    )
}

__all__ = [
    "ACCOUNTS",
    "BY_DAY",
    "BY_KIND",
    "BY_MONTH",
    "BY_ZONE",
    "CHECKS",
    "DAYS",
    "DIFFERENCES",
    "EXCEPTIONS",
    "FILES",
    "LINES",
    "MONTHS",
    "PAYOUTS",
    "PERIODS",
    "SERIES",
    "TABLES",
    "Column",
    "Kind",
    "Table",
]
