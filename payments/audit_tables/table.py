"""A table as SQL with named columns: raw values for a page, plain and harmless text for a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.functional import Promise

from parking.money import currencies, exponent
from payments.reports import Range

_LOCAL = "YYYY-MM-DD HH24:MI:SS"
_UTC = 'YYYY-MM-DD"T"HH24:MI:SS"Z"'


class Kind(Enum):
    """What a column holds; it decides how the value is written."""

    TEXT = auto()  # may begin with anything
    CODE = auto()  # made by us or the processor's, never by a person
    WHOLE = auto()
    MONEY = auto()  # minor units of the row's `currency`
    PERCENT = auto()
    DAY = auto()
    LOCAL = auto()  # a moment in the city's time
    UTC = auto()


@dataclass(frozen=True)
class Column:
    """One column: its name in files, its heading on pages, where it comes from."""

    name: str
    heading: str | Promise
    sql: str
    kind: Kind = Kind.CODE

    @property
    def is_number(self) -> bool:
        """Say whether its cells stand at the end of their column."""
        return self.kind in {Kind.WHOLE, Kind.MONEY, Kind.PERCENT}

    def written(self) -> str:
        """Return the SQL that writes the value into a file."""
        match self.kind:
            case Kind.TEXT:  # a spreadsheet must not take it for a formula
                return (
                    f"CASE WHEN rows.{self.name} ~ '^[=+@\\t\\r\\n-]' THEN '''' || rows.{self.name}"
                    f" ELSE rows.{self.name} END"
                )
            case Kind.MONEY:
                return f"rows.{self.name} * {_unit('rows.currency')}"
            case Kind.LOCAL:
                return f"to_char(rows.{self.name} AT TIME ZONE %(time_zone)s, '{_LOCAL}')"
            case Kind.UTC:
                return f"to_char(rows.{self.name} AT TIME ZONE 'UTC', '{_UTC}')"
            case _:
                return f"rows.{self.name}"


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of the desk. `source` is everything from FROM on, without its order.

    `page_only` columns help a page; files leave them out. `counted` is a cheaper source with as
    many rows.
    """

    key: str
    title: str | Promise
    columns: Sequence[Column]
    source: str
    order: str
    counted: str = ""
    is_of_the_ledger: bool = True

    def query(self, covered: Range) -> tuple[str, dict[str, Any]]:
        """Return the query of a file, and its parameters."""
        written = ", ".join(f"{column.written()} AS {column.name}" for column in self.columns)
        return (
            f"SELECT {written} FROM ({self._rows()}) rows ORDER BY {self.order}",  # noqa: S608
            parameters(covered),
        )

    def rows(self, covered: Range, *, limit: int) -> list[dict[str, Any]]:
        """Return the first raw rows by column name, in the order of the file."""
        return self._fetch(
            f"SELECT rows.* FROM ({self._rows()}) rows"  # noqa: S608 (constants)
            f" ORDER BY {self.order} LIMIT %(limit)s",
            {**parameters(covered), "limit": limit},
        )

    def page(self, covered: Range, *, limit: int, offset: int) -> list[dict[str, Any]]:
        """Return raw rows of a table that is ordered by `number` alone, somewhere in the middle.

        The rows before them are passed over by their numbers, without being made.
        """
        return self._fetch(
            f"SELECT rows.* FROM ({self._rows()}) rows JOIN"  # noqa: S608 (constants)
            f" (SELECT entry.number AS wanted {self.counted} ORDER BY 1"
            " LIMIT %(limit)s OFFSET %(offset)s) chosen ON chosen.wanted = rows.number"
            " ORDER BY number",
            {**parameters(covered), "limit": limit, "offset": offset},
        )

    def count(self, covered: Range) -> int:
        """Return how many rows a file will have."""
        source = self.counted or f"FROM ({self._rows()}) rows"
        counted = self._fetch(f"SELECT count(*) AS rows {source}", parameters(covered))
        return int(counted[0]["rows"])

    def _rows(self) -> str:
        columns = ", ".join(f"{column.sql} AS {column.name}" for column in self.columns)
        return f"SELECT {columns} {self.source}"

    @staticmethod
    def _fetch(query: str, values: dict[str, Any]) -> list[dict[str, Any]]:
        with connection.cursor() as cursor:
            cursor.execute(query, values)
            names = [column.name for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def parameters(covered: Range) -> dict[str, Any]:
    """Return what every query of a table may ask for."""
    return {
        **covered.parameters(),
        "time_zone": settings.CITY_TIME_ZONE,
        "currency": settings.CITY_CURRENCY,
    }


def _unit(currency: str) -> str:
    """Return what one minor unit is worth; exact, as a decimal of the currency's places."""
    by_places: dict[int, list[str]] = {}
    for code in currencies():
        by_places.setdefault(exponent(code), []).append(code)
    city = settings.CITY_CURRENCY
    cases = [f"WHEN {currency} = '{city}' THEN {_one(exponent(city))}"] + [
        f"WHEN {currency} = ANY ('{{{','.join(codes)}}}') THEN {_one(places)}"
        for places, codes in by_places.items()
    ]
    return f"CASE {' '.join(cases)} END"


def _one(places: int) -> str:
    return f"0.{'0' * (places - 1)}1" if places else "1::numeric"
