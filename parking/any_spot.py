"""Any free spot of a zone will do: pick one that nobody else is picking, and hold it.

Everybody who asks at once is handed another spot (`SKIP LOCKED`), so that a zone with room refuses
nobody. Whoever does not ask for a bay that is set aside does not get one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.contrib.gis.geos import Point
from django.db import connection, transaction

from parking import holds, refusals, stay_rules
from parking.availability import BUSY
from parking.models import Feature, Slot, StayRules
from parking.terms import SpotUnknown, StayRefused, rules_of_zone

SET_ASIDE = frozenset({Feature.ACCESSIBLE, Feature.LOADING, Feature.MOTORCYCLE})
# A spot whose booking was committed between our look and our lock is tried in vain.
_TRIES = 20


class NothingFree(refusals.BookingError):
    """No spot of the zone with these features is free in that time."""


_PICK = f"""
SELECT spot.id FROM parking_spot spot
WHERE spot.zone_id = %(zone)s AND spot.is_active
  AND spot.features @> %(features)s::varchar[]
  AND NOT spot.features && %(unwanted)s::varchar[]
  AND spot.id <> ALL (%(tried)s)
  AND spot.id NOT IN ({BUSY})
ORDER BY spot.location <-> ST_GeomFromEWKT(%(near)s), spot.id
LIMIT 1
FOR NO KEY UPDATE SKIP LOCKED
"""  # noqa: S608 (no value is spliced in)


def hold_any(
    *,
    zone_id: int,
    start: datetime,
    end: datetime,
    now: datetime,
    features: Collection[str] = (),
    near: Point | None = None,
    **who: Any,
) -> Slot:
    """Hold a free spot of the zone that has the features; the nearest to `near` (WGS 84), if given.

    `who` is what `holds.hold` wants to know besides.

    Raises:
        NothingFree: see there.
        refusals.Busy: the database was too busy to answer.
        parking.terms.SpotUnknown: no such zone in use.
        parking.terms.StayRefused, NotPriced; parking.pricing.QuoteError: as for a single spot.
    """
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if start >= end:
        raise StayRefused([stay_rules.backwards()])
    rules = StayRules.objects.filter(zone=zone_id, zone__is_active=True).first()
    if rules is None:
        raise SpotUnknown(zone_id)
    counts = rules_of_zone(rules).count_others
    tried: list[int] = []
    while len(tried) < _TRIES:
        with _picking(locked=not counts):
            spot_id = _pick(zone_id, start, end, features, near, tried)
            if spot_id is None:
                raise NothingFree
            try:
                return holds.hold(spot_id=spot_id, start=start, end=end, now=now, **who)
            except refusals.SpotTaken:
                tried.append(spot_id)
    raise NothingFree


@contextmanager
def _picking(*, locked: bool) -> Iterator[None]:
    """Keep the picked spot locked while it is held.

    Not where a rule counts what others hold: its locks come before the spot's, and then the pick
    is only a proposal.
    """
    if not locked:
        yield
        return
    with refusals.contended(), transaction.atomic():
        yield


def _pick(
    zone_id: int,
    start: datetime,
    end: datetime,
    features: Collection[str],
    near: Point | None,
    tried: list[int],
) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(
            _PICK,
            {
                "zone": zone_id,
                "start": start,
                "end": end,
                "features": list(features),
                "unwanted": sorted(SET_ASIDE - set(features)),
                "tried": tried,
                "near": near.ewkt if near is not None else None,
            },
        )
        row = cursor.fetchone()
    return row[0] if row else None
