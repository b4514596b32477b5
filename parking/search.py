"""Which spots answer a search, and how many are free in each zone: the list's questions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.translation import get_language

from parking.availability import BUSY, BBox
from parking.local_names import column
from parking.place_names import Word


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is looked for: all of it must hold."""

    start: datetime
    end: datetime
    words: Sequence[Word] = ()
    zones: Collection[int] | None = None  # their ids; None: all
    features: Collection[str] = ()
    bbox: BBox | None = None
    left_out: str = ""  # numbers that no spot there has

    def without_numbers(self) -> Search | None:
        """Return the search without words that are only numbers, of houses perhaps; None if none.

        It keeps a name to look for.
        """
        numbers = [word.text for word in self.words if word.number.isdigit()]
        names = [word for word in self.words if not word.number.isdigit()]
        if not numbers or not names:
            return None
        return replace(self, words=names, left_out=" ".join(numbers))


@dataclass(frozen=True, kw_only=True)
class FoundSpot:
    """A spot that answers the search. `is_free`: nobody has it and nothing closes it."""

    id: int
    zone_id: int
    number: str
    street: str
    features: list[str]
    is_free: bool


@dataclass(frozen=True, kw_only=True)
class ZoneCount:
    """How many spots of a zone answer the search, and how many of these are free."""

    free: int
    total: int


_MATCHING = f"""
FROM parking_spot spot
JOIN parking_zone zone ON zone.id = spot.zone_id
LEFT JOIN ({BUSY}) busy ON busy.spot_id = spot.id
WHERE spot.is_active AND zone.is_active
  AND (%(zones)s::bigint[] IS NULL OR spot.zone_id = ANY(%(zones)s))
  AND spot.features @> %(features)s::varchar[]
  AND (%(west)s::float8 IS NULL OR spot.location
       && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4326))
"""
_WORD = """
  AND (spot.zone_id = ANY(%(zones{nth})s) OR spot.street = ANY(%(streets{nth})s)
       OR translate(lower(spot.number), '٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹', '01234567890123456789')
          LIKE %(number{nth})s)
"""


def _matching(search: Search) -> str:
    return _MATCHING + "".join(_WORD.format(nth=nth) for nth, _ in enumerate(search.words))


def zone_counts(search: Search) -> dict[int, ZoneCount]:
    """Count the spots that answer the search, by zone id; a zone without any is left out."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT zone.id, count(*) FILTER (WHERE busy.spot_id IS NULL), count(*) "
            f"{_matching(search)} GROUP BY zone.id",
            _parameters(search),
        )
        return {
            zone_id: ZoneCount(free=free, total=total) for zone_id, free, total in cursor.fetchall()
        }


def find_spots(
    search: Search, *, only_free_in: Collection[int] | None, limit: int, offset: int = 0
) -> list[FoundSpot]:
    """Return the spots by zone, street and number; with `only_free_in`, the free ones of zones."""
    only_free = (
        ""
        if only_free_in is None
        else ("AND busy.spot_id IS NULL AND zone.id = ANY(%(open_zones)s)")
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT spot.id, zone.id, spot.number, {column('spot.street_names', 'spot.street')}, "
            f"spot.features, busy.spot_id IS NULL {_matching(search)} {only_free} "
            "ORDER BY zone.name, zone.id, spot.street, length(spot.number), spot.number "
            "LIMIT %(limit)s OFFSET %(offset)s",
            {
                **_parameters(search),
                "open_zones": list(only_free_in or ()),
                "limit": limit,
                "offset": offset,
            },
        )
        return [
            FoundSpot(
                id=row[0],
                zone_id=row[1],
                number=row[2],
                street=row[3],
                features=row[4],
                is_free=row[5],
            )
            for row in cursor.fetchall()
        ]


def _parameters(search: Search) -> dict[str, Any]:
    west, south, east, north = search.bbox or (None, None, None, None)
    values: dict[str, Any] = {
        "language": get_language(),
        "start": search.start,
        "end": search.end,
        "zones": None if search.zones is None else list(search.zones),
        "features": list(search.features),
        "west": west,
        "south": south,
        "east": east,
        "north": north,
    }
    for nth, word in enumerate(search.words):
        values[f"zones{nth}"], values[f"streets{nth}"] = word.zones, word.streets
        values[f"number{nth}"] = _pattern(word.number) if word.number else None
    return values


def _pattern(part: str) -> str:
    """Return a LIKE pattern in which the signs of a number have no other meaning."""
    for sign in "\\%_":
        part = part.replace(sign, f"\\{sign}")
    return f"%{part}%"
