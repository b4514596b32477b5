"""The `[tariff]` table of a mapping."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _

from parking.imports.mapping.model import TariffRules
from parking.imports.mapping.reading import Table
from parking.money import exponent

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ENGLISH = {
    **{day: (day,) for day in WEEK},
    "monday": ("mon",),
    "tuesday": ("tue",),
    "wednesday": ("wed",),
    "thursday": ("thu",),
    "friday": ("fri",),
    "saturday": ("sat",),
    "sunday": ("sun",),
    "daily": WEEK,
}


def tariff_rules(table: Table) -> TariffRules:
    """Read the table; problems are noted in it."""
    hours = table.value("hours")
    pattern = table.regex("pattern", required=hours is not None)
    rate = table.value("rate")
    groups = set(pattern.groupindex) if pattern else set()
    if pattern is not None:
        for group in ("from", "to"):
            if group not in groups:
                table.problem("pattern", _("must name a group (?P<%(name)s>…)") % {"name": group})
        for group in sorted(groups - {"days", "from", "to", "rate", "longest"}):
            table.problem("pattern", _("unknown group %(name)s") % {"name": group})
        if rate is None and "rate" not in groups:
            table.problem("rate", _("is missing, and the pattern has no group (?P<rate>…)"))
    if hours is None and rate is not None:
        table.problem("hours", _("is missing: nobody knows when the rate applies"))
    document = table.raw("document") or {}
    if not isinstance(document, dict):
        table.problem("document", _("must be a table"))
        document = {}
    for key in {"currency", "time_zone"} & document.keys():
        table.problem(f"document.{key}", _("belongs to the city's settings"))
    if hours is not None and "bands" in document:
        table.problem("document.bands", _("come from hours; give one of both"))
    if hours is None and not {"bands", "ladder"} & document.keys():
        table.problem("hours", _("is missing, and document has neither bands nor ladder"))
    rules = TariffRules(
        currency=_currency(table),
        in_force=_moment(table, "in_force"),
        rate=rate,
        rate_unit_min=table.whole("rate_unit_min", 60, low=1, high=1440),
        hours=hours,
        pattern=pattern,
        ignore=table.regex("ignore"),
        days={**_ENGLISH, **_days(table.table("days"), table.raw("days"))},
        document=document,
    )
    table.finish()
    return rules


def _currency(table: Table) -> str:
    currency = table.text("currency")
    if currency:
        try:
            exponent(currency)
        except (KeyError, ValueError):
            table.problem("currency", _("is no currency of ISO 4217, such as EUR"))
    return currency


def _moment(table: Table, key: str) -> datetime | None:
    value = table.raw(key)
    if value is None:
        return None
    city = ZoneInfo(settings.CITY_TIME_ZONE)
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=city)
    if isinstance(value, date):
        return datetime.combine(value, time(), city)
    table.problem(key, _("must be a date without quotes, such as 2026-01-01"))
    return None


def _days(table: Table, raw: Any) -> dict[str, tuple[str, ...]]:
    known: dict[str, tuple[str, ...]] = {}
    for word in raw if isinstance(raw, dict) else ():
        value = table.raw(word)
        days = (value,) if isinstance(value, str) else tuple(table.texts(word))
        if not days or not set(days) <= set(WEEK):
            table.problem(word, _("must be days of %(days)s") % {"days": ", ".join(WEEK)})
        known[word.casefold()] = days
    return known
