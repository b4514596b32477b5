"""The auditor's figures: from the ledger only, one query, every total a sum of the same cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from django.conf import settings
from django.db import connection

from parking.models import Zone
from payments import ledger
from payments.models import LedgerKind

Key = TypeVar("Key")


@dataclass(frozen=True, kw_only=True)
class Range:
    """What a report covers: business days, both included, of one zone or of all.

    Lines can be asked for by kind of entry and by booking, too.
    """

    first_on: date
    last_on: date
    zone: Zone | None = None
    kind: str = ""
    booking: str = ""

    def parameters(self) -> dict[str, Any]:
        """Return it as a manifest and a query name it."""
        return {
            "from": self.first_on.isoformat(),
            "to": self.last_on.isoformat(),
            "zone": self.zone.code if self.zone else None,
            "kind": self.kind or None,
            "booking": self.booking.upper() or None,
        }

    @classmethod
    def read(cls, parameters: Mapping[str, Any]) -> Range:
        """Read what `parameters` wrote.

        Raises:
            Zone.DoesNotExist: the zone has gone.
        """
        zone = parameters["zone"]
        return cls(
            first_on=date.fromisoformat(parameters["from"]),
            last_on=date.fromisoformat(parameters["to"]),
            zone=Zone.objects.get(code=zone) if zone else None,
            kind=parameters["kind"] or "",
            booking=parameters["booking"] or "",
        )


@dataclass(frozen=True, kw_only=True)
class Sums:
    """Amounts of some entries, in minor units.

    `clearing` is what the processor holds for the city; revenue and tax are shown as they are
    earned, fees as they are paid. `other` is the rest, so that nothing is left out:
    clearing + fees = revenue + tax + other.
    """

    entries: int = 0
    clearing: int = 0
    revenue: int = 0
    tax: int = 0
    fees: int = 0
    other: int = 0

    def __add__(self, more: Sums) -> Sums:
        return Sums(
            **{
                name: getattr(self, name) + getattr(more, name)
                for name in self.__dataclass_fields__
            }
        )


@dataclass(frozen=True, kw_only=True)
class Cell:
    """The sums of one business day, zone and kind of entry."""

    day: date
    zone: str
    kind: LedgerKind
    sums: Sums


@dataclass(frozen=True, kw_only=True)
class Clearing:
    """The processor's account: opening + movements = closing."""

    opening: int
    movements: int
    closing: int


@dataclass(frozen=True, kw_only=True)
class Report:
    """All figures of a range, in the city's currency.

    `first_number` and `last_number` are 0 where it is empty; `foreign` entries moved money in
    another currency and are in no sum.
    """

    range: Range
    cells: list[Cell] = field(repr=False)
    clearing: Clearing
    first_number: int
    last_number: int
    unsealed: int
    foreign: int

    @property
    def total(self) -> Sums:
        """The sum of everything."""
        return sum((cell.sums for cell in self.cells), Sums())

    def by_kind(self) -> dict[str, Sums]:
        """Sum by kind of entry, named for people."""
        return self._by(lambda cell: str(cell.kind.label))

    def by_zone(self) -> dict[str, Sums]:
        """Sum by the zone's name; entries without a zone stand under an empty name."""
        return self._by(lambda cell: cell.zone)

    def by_day(self) -> dict[date, Sums]:
        """Sum by business day."""
        return self._by(lambda cell: cell.day)

    def by_month(self) -> dict[date, Sums]:
        """Sum by month, each under its first day."""
        return self._by(lambda cell: cell.day.replace(day=1))

    def _by(self, key: Callable[[Cell], Key]) -> dict[Key, Sums]:
        groups: dict[Key, Sums] = {}
        for cell in self.cells:
            groups[key(cell)] = groups.get(key(cell), Sums()) + cell.sums
        return groups


# What an entry moved on each class of account. Revenue, tax and the rest are credits: negated.
AMOUNTS = f"""
  coalesce(sum(line.amount)
    FILTER (WHERE line.account = '{ledger.CLEARING}'), 0)::bigint AS clearing,
  -coalesce(sum(line.amount)
    FILTER (WHERE line.account LIKE 'parking_revenue:%%'), 0)::bigint AS revenue,
  -coalesce(sum(line.amount)
    FILTER (WHERE line.account LIKE '{ledger.TAX}%%'), 0)::bigint AS tax,
  coalesce(sum(line.amount)
    FILTER (WHERE line.account = '{ledger.FEES}'), 0)::bigint AS fees,
  -coalesce(sum(line.amount) FILTER (WHERE line.account NOT IN
    ('{ledger.CLEARING}', '{ledger.FEES}') AND line.account NOT LIKE 'parking_revenue:%%'
    AND line.account NOT LIKE '{ledger.TAX}%%'), 0)::bigint AS other
"""
IN_RANGE = """
  entry.business_on BETWEEN %(from)s AND %(to)s
  AND (%(zone)s::text IS NULL OR zone.code = %(zone)s)
  AND (%(kind)s::text IS NULL OR entry.kind = %(kind)s)
  AND (%(booking)s::text IS NULL OR entry.booking_reference = %(booking)s)
"""
# Entries and lines are summed apart and then joined, which a database does in one pass of each.
_CELLS = f"""
WITH asked AS NOT MATERIALIZED (
  SELECT entry.id, entry.business_on, coalesce(zone.name, '') AS zone, entry.kind, entry.number
  FROM payments_ledgerentry entry LEFT JOIN parking_zone zone ON zone.id = entry.zone_id
  WHERE {IN_RANGE}
), counted AS (
  SELECT business_on, zone, kind, count(*) AS entries, min(number) AS first, max(number) AS last,
         count(*) FILTER (WHERE number IS NULL) AS unsealed
  FROM asked GROUP BY business_on, zone, kind
), moved AS (
  SELECT business_on, zone, kind, {AMOUNTS}
  FROM asked JOIN payments_ledgerline line ON line.entry_id = asked.id
  WHERE line.currency = %(currency)s
  GROUP BY business_on, zone, kind
)
SELECT business_on, zone, kind, entries, coalesce(clearing, 0), coalesce(revenue, 0),
       coalesce(tax, 0), coalesce(fees, 0), coalesce(other, 0), first, last, unsealed
FROM counted LEFT JOIN moved USING (business_on, zone, kind)
ORDER BY business_on, zone = '', zone, kind
"""  # noqa: S608 (constants)
_FOREIGN = f"""
SELECT count(*) FROM payments_ledgerentry entry
LEFT JOIN parking_zone zone ON zone.id = entry.zone_id
WHERE {IN_RANGE} AND entry.id IN (
  SELECT entry_id FROM payments_ledgerline WHERE currency <> %(currency)s)
"""  # noqa: S608 (constants)
_OPENING = f"""
SELECT coalesce(sum(line.amount), 0)::bigint
FROM payments_ledgerline line
JOIN payments_ledgerentry entry ON entry.id = line.entry_id
LEFT JOIN parking_zone zone ON zone.id = entry.zone_id
WHERE line.account = '{ledger.CLEARING}' AND line.currency = %(currency)s
  AND entry.business_on < %(from)s
  AND (%(zone)s::text IS NULL OR zone.code = %(zone)s)
"""  # noqa: S608 (constants)


def report(covered: Range) -> Report:
    """Return the figures of a range, as the ledger has them now."""
    with connection.cursor() as cursor:
        asked = {**covered.parameters(), "currency": settings.CITY_CURRENCY}
        cursor.execute(_CELLS, asked)
        rows = cursor.fetchall()
        cursor.execute(_OPENING, asked)
        opening: int = cursor.fetchone()[0]
        cursor.execute(_FOREIGN, asked)
        foreign: int = cursor.fetchone()[0]
    cells = [
        Cell(
            day=day,
            zone=zone,
            kind=LedgerKind(kind),
            sums=Sums(
                entries=entries,
                clearing=clearing,
                revenue=revenue,
                tax=tax,
                fees=fees,
                other=other,
            ),
        )
        for day, zone, kind, entries, clearing, revenue, tax, fees, other, *_ in rows
    ]
    movements = sum(cell.sums.clearing for cell in cells)
    return Report(
        range=covered,
        cells=cells,
        clearing=Clearing(opening=opening, movements=movements, closing=opening + movements),
        first_number=min(_numbers(row[9] for row in rows), default=0),
        last_number=max(_numbers(row[10] for row in rows), default=0),
        unsealed=sum(row[11] for row in rows),
        foreign=foreign,
    )


def _numbers(found: Iterable[int | None]) -> list[int]:
    return [number for number in found if number is not None]
