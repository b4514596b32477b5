"""Cells of the auditor's tables, written for people."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import template

from parking import formatting
from payments.audit_tables import Column, Kind
from payments.models import DocumentKind, LedgerKind
from payments.proof import Broken
from payments.proof_words import broken_words

register = template.Library()
_KINDS = {**dict(LedgerKind.choices), **dict(DocumentKind.choices)}
NOTHING = "–"
register.filter(broken_words)


@register.filter
def cell(row: dict[str, Any], column: Column) -> str:
    """Write the value of a raw row in this column."""
    value = row[column.name]
    if value is None or value == "":
        return NOTHING
    if column.name == "problem":
        return broken_words(Broken(row["broken_number"], value))
    if column.name == "kind":
        return str(_KINDS.get(value, value))
    match column.kind:
        case Kind.MONEY:
            return formatting.money(value, row["currency"])
        case Kind.WHOLE:
            return str(value) if column.name == "year" else formatting.number(value)
        case Kind.DAY:
            return formatting.day(value)
        case Kind.LOCAL:
            return formatting.moment(value)
        case _:
            return str(value)


@register.filter
def shown(columns: Any) -> list[Column]:
    """Leave out what a page need not repeat: the same moment in UTC, the one currency."""
    return [column for column in columns if column.kind != Kind.UTC and column.name != "currency"]


@register.filter
def utc(moment: datetime) -> str:
    """Write a moment in UTC, as files do."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


@register.filter
def kind_name(value: str) -> str:
    """Name a kind of entry or document."""
    return str(_KINDS.get(value, value))


@register.filter
def in_currency(value: int | None, row: dict[str, Any]) -> str:
    """Write an amount of a raw row, or a dash where there is none."""
    return NOTHING if value is None else formatting.money(value, row["currency"])
