"""On what terms may a stay be had: its price, its rules, its tariff version. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from functools import lru_cache
from typing import cast
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.gis.geos import GEOSGeometry, Point
from django.db import connection

from parking import stay_rules
from parking.models import Spot, TariffState, TariffVersion, Zone
from parking.pricing import Quote, Tariff, quote


class SpotUnknown(Exception):
    """No such spot, or it is out of use."""


class StayRefused(Exception):
    """The stay breaks rules; `failures` lists all of them."""

    def __init__(self, failures: list[stay_rules.Failure]) -> None:
        super().__init__("; ".join(failure.message for failure in failures))
        self.failures = failures


class NotPriced(Exception):
    """The zone has no tariff in force at the start of the stay: it is not on sale."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """A priced, allowed stay on one spot; the spot has its zone with it."""

    spot: Spot
    tariff_id: int
    quote: Quote


# One round trip for everything that a hold must know. By hand: this is the hottest query of
# the site, and building it through the ORM costs more than running it.
_SPOT = ("id", "zone_id", "meter_id", "number", "street", "location")
_ZONE = ("id", "code", "name")
_RULES = (
    *("longest_stay_min", "shortest_stay_min", "slot_step_min", "book_ahead_days"),
    *("bookable_from", "bookable_to"),
)
_TERMS = f"""
SELECT {", ".join(f"spot.{name}" for name in _SPOT[:-1])}, ST_AsEWKB(spot.location),
       {", ".join(f"zone.{name}" for name in _ZONE)},
       {", ".join(f"rules.{name}" for name in _RULES)},
       tariff.id, tariff.sha256,
       ARRAY(SELECT closure.reason FROM parking_closure closure
             WHERE closure.zone_id = spot.zone_id
               AND (closure.spot_id IS NULL OR closure.spot_id = spot.id)
               AND closure.period && tstzrange(%(start)s, %(end)s)
             ORDER BY lower(closure.period))
FROM parking_spot spot
JOIN parking_zone zone ON zone.id = spot.zone_id AND zone.is_active
JOIN parking_stayrules rules ON rules.zone_id = spot.zone_id
LEFT JOIN parking_tariffversion tariff
  ON tariff.zone_id = spot.zone_id AND tariff.state = 'approved'
 AND tariff.in_force @> %(start)s
WHERE spot.id = %(spot)s AND spot.is_active
"""  # noqa: S608 (names of columns)


def terms(
    *, spot_id: int, start: datetime, end: datetime, now: datetime, vehicle_class: str = ""
) -> Terms:
    """Price the stay `[start, end)` on the spot, or say why it cannot be had.

    Raises:
        SpotUnknown: no such spot in use.
        StayRefused: with every broken rule.
        NotPriced: no tariff in force at `start`.
        parking.pricing.QuoteError: the tariff does not sell this stay.
    """
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if start >= end:  # PostgreSQL has no range for it
        raise StayRefused([stay_rules.backwards()])
    with connection.cursor() as cursor:
        cursor.execute(_TERMS, {"spot": spot_id, "start": start, "end": end})
        row = cursor.fetchone()
    if row is None:
        raise SpotUnknown(spot_id)
    after_spot, after_zone = len(_SPOT), len(_SPOT) + len(_ZONE)
    *rules, tariff_id, sha256, closures = row[after_zone:]
    wish = stay_rules.Wish(start=start, end=end, now=now, closures=closures)
    if broken := stay_rules.failures(rules_of(*rules), wish):
        raise StayRefused(broken)
    if tariff_id is None:
        raise NotPriced(spot_id)
    spot = Spot.from_db(None, _SPOT, [*row[: after_spot - 1], _point(row[after_spot - 1])])
    spot.zone = Zone.from_db(None, _ZONE, row[after_spot:after_zone])
    price = quote(
        tariff=tariff_of(tariff_id, sha256),
        start=start,
        end=end,
        vehicle_class=vehicle_class or None,
    )
    return Terms(spot=spot, tariff_id=tariff_id, quote=price)


def _point(ewkb: bytes) -> Point:
    return cast(Point, GEOSGeometry(memoryview(ewkb)))


def tariff_in_force(*, zone_id: int, at: datetime) -> Tariff | None:
    """Return the tariff by which stays that start at the moment are priced, if there is one."""
    version = (
        TariffVersion.objects.filter(
            zone_id=zone_id, state=TariffState.APPROVED, in_force__contains=at
        )
        .values_list("id", "sha256")
        .first()
    )
    return tariff_of(*version) if version else None


def tariff_of(tariff_id: int, sha256: str) -> Tariff:
    """Return the parsed tariff of an approved version; approved documents never change."""
    known = _parsed.get(sha256)
    return known if known is not None else tariffs_of({tariff_id: sha256})[tariff_id]


def tariffs_of(versions: Mapping[int, str]) -> dict[int, Tariff]:
    """Return the parsed tariffs of approved versions, by id, from their hashes by id.

    Those that this process has not met yet are read in one query.
    """
    known = _parsed.copy()  # another thread may clear it meanwhile
    found = {sha256: known[sha256] for sha256 in versions.values() if sha256 in known}
    unmet = [tariff_id for tariff_id, sha256 in versions.items() if sha256 not in found]
    if unmet:
        rows = TariffVersion.objects.filter(id__in=unmet).values_list("sha256", "document")
        fresh = {sha256: Tariff.parse(document) for sha256, document in rows}
        found |= fresh
        if len(_parsed) + len(fresh) > _PARSED_AT_MOST:
            _parsed.clear()
        _parsed.update(fresh)
    return {tariff_id: found[sha256] for tariff_id, sha256 in versions.items()}


_PARSED_AT_MOST = 1024
_parsed: dict[str, Tariff] = {}  # by hash: equal documents of many zones are one tariff


@lru_cache(maxsize=1024)
def rules_of(
    longest: int, shortest: int, step: int, ahead: int, opens: time | None, closes: time | None
) -> stay_rules.Rules:
    """Return a zone's rules from its row: lengths in minutes, days, local hours."""
    return stay_rules.Rules(
        longest_stay_min=longest,
        shortest_stay_min=shortest,
        slot_step_min=step,
        book_ahead_days=ahead,
        bookable_from=opens,
        bookable_to=closes,
        time_zone=ZoneInfo(settings.CITY_TIME_ZONE),
    )
