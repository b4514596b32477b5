"""Which spots are free, when: the questions that the map, the list, the API and the feeds ask."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils.translation import get_language

from parking.local_names import column

BBox = tuple[float, float, float, float]  # west, south, east, north; degrees

# A spot is busy where a live slot or a closure shares a moment with the period `start`, `end`;
# where its zone keeps minutes free between bookings and they would not be; and where an event
# leaves only shorter stays. The second part is a function of the database (migration 0006): it
# keeps its plan, and ends at once in a city without such minutes.
BUSY = """
SELECT slot.spot_id FROM parking_slot slot
WHERE slot.period && tstzrange(%(start)s, %(end)s)
  AND slot.state IN ('held', 'expiring', 'confirmed')
UNION
SELECT parking_kept_free(%(start)s, %(end)s)
UNION
SELECT spot.id FROM parking_closure closure
JOIN parking_spot spot ON spot.zone_id = closure.zone_id
 AND (closure.spot_id IS NULL OR closure.spot_id = spot.id)
 AND closure.street IN ('', spot.street)
WHERE closure.period && tstzrange(%(start)s, %(end)s)
  AND (closure.longest_stay_min IS NULL
       OR closure.longest_stay_min * interval '1 minute' < %(end)s - %(start)s)
"""

BUSY_IN_VIEW = f"""
SELECT spot.id FROM parking_spot spot
WHERE spot.is_active
  AND spot.location && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4326)
  AND spot.id IN ({BUSY})
ORDER BY spot.id
"""  # noqa: S608 (no value is spliced in)


def busy_spot_ids(*, bbox: BBox, start: datetime, end: datetime) -> list[int]:
    """Return the ids of the spots in view that cannot be had in all of `[start, end)`."""
    west, south, east, north = bbox
    with connection.cursor() as cursor:
        cursor.execute(
            BUSY_IN_VIEW,
            {
                "west": west,
                "south": south,
                "east": east,
                "north": north,
                "start": start,
                "end": end,
            },
        )
        return [spot_id for (spot_id,) in cursor.fetchall()]


def is_free(*, spot_id: int, start: datetime, end: datetime) -> bool:
    """Say whether nobody has the spot, and nothing closes it, in all of `[start, end)`."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT NOT EXISTS (SELECT 1 FROM ({BUSY}) busy WHERE busy.spot_id = %(spot)s)",  # noqa: S608
            {"spot": spot_id, "start": start, "end": end},
        )
        return bool(cursor.fetchone()[0])


# An event that leaves only shorter stays ends this one when both have begun and it is that long.
_FREE_UNTIL = """
SELECT min(limits.moment) FROM parking_spot spot
JOIN parking_stayrules rules ON rules.zone_id = spot.zone_id
CROSS JOIN LATERAL (
  SELECT lower(slot.period) - rules.buffer_min * interval '1 minute' AS moment
  FROM parking_slot slot
  WHERE slot.spot_id = spot.id AND slot.state IN ('held', 'expiring', 'confirmed')
    AND slot.period && tstzrange(%(end)s, %(latest)s + rules.buffer_min * interval '1 minute')
  UNION ALL
  SELECT greatest(lower(closure.period),
                  %(start)s + closure.longest_stay_min * interval '1 minute')
  FROM parking_closure closure
  WHERE closure.zone_id = spot.zone_id AND (closure.spot_id IS NULL OR closure.spot_id = spot.id)
    AND closure.street IN ('', spot.street)
    AND closure.period && tstzrange(%(start)s, %(latest)s)
) limits
WHERE spot.id = %(spot)s
"""


def free_until(*, spot_id: int, start: datetime, end: datetime, latest: datetime) -> datetime:
    """Return how long the spot, free in `[start, end)`, could be had from `start`: to `latest`?"""
    with connection.cursor() as cursor:
        cursor.execute(_FREE_UNTIL, {"spot": spot_id, "start": start, "end": end, "latest": latest})
        (moment,) = cursor.fetchone()
    return latest if moment is None else max(end, min(latest, moment))


@dataclass(frozen=True, kw_only=True)
class FreeSpot:
    """A free spot near some place."""

    id: int
    number: str
    street: str
    zone_id: int
    zone_name: str
    features: list[str]
    distance_m: int


_NEAREST = f"""
SELECT spot.id, spot.number, {column("spot.street_names", "spot.street")}, zone.id,
       {column("zone.names", "zone.name")}, spot.features,
       round(ST_Distance(spot.location::geography, here.location::geography))::int AS distance_m
FROM parking_spot here, parking_spot spot JOIN parking_zone zone ON zone.id = spot.zone_id
WHERE here.id = %(spot)s AND spot.id <> here.id AND spot.is_active AND zone.is_active
  AND ST_DWithin(spot.location::geography, here.location::geography, %(within_m)s)
  AND spot.location && ST_Expand(here.location, %(within_m)s / 20000.0)
  AND spot.features @> %(features)s::varchar[]
  AND NOT spot.features && %(without)s::varchar[]
  AND (NOT %(same_zone)s OR spot.zone_id = here.zone_id)
  AND spot.id NOT IN ({BUSY})
ORDER BY distance_m, spot.id
LIMIT %(limit)s
"""  # noqa: S608


def nearest_free(
    *,
    spot_id: int,
    start: datetime,
    end: datetime,
    features: Collection[str] = (),
    without: Collection[str] = (),
    same_zone: bool = False,
    within_m: int = 500,
    limit: int = 5,
) -> list[FreeSpot]:
    """Return the free spots nearest to a spot, at most `within_m` metres away, nearest first.

    They have all of `features` and none of `without`.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _NEAREST,
            {
                "spot": spot_id,
                "start": start,
                "end": end,
                "features": list(features),
                "without": list(without),
                "same_zone": same_zone,
                "within_m": within_m,
                "limit": limit,
                "language": get_language(),
            },
        )
        return [
            FreeSpot(
                id=row[0],
                number=row[1],
                street=row[2],
                zone_id=row[3],
                zone_name=row[4],
                features=row[5],
                distance_m=row[6],
            )
            for row in cursor.fetchall()
        ]


MOST_FEATURES = 2_000

# The whole answer is put together by PostgreSQL: the rows never become Python objects. Numbers
# are written by the format, text by to_json, so the result is JSON whatever a name holds.
GEOJSON = f"""
WITH view AS MATERIALIZED (
  SELECT spot.id, spot.location, spot.number, spot.street, spot.features, spot.zone_id
  FROM parking_spot spot
  WHERE spot.is_active
    AND spot.location && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4326)
    AND spot.features @> %(features)s::varchar[]
  ORDER BY spot.id
  LIMIT {MOST_FEATURES + 1}
), busy AS MATERIALIZED ({BUSY})
SELECT count(*), string_agg(
  format('{{"type":"Feature","id":%%s,"geometry":{{"type":"Point","coordinates":[%%s,%%s]}},'
         '"properties":{{"number":%%s,"street":%%s,"zone":%%s,"features":%%s,"free":%%s}}}}',
         view.id, round(ST_X(view.location)::numeric, 6), round(ST_Y(view.location)::numeric, 6),
         to_json(view.number), to_json(view.street), to_json(zone.code),
         to_json(view.features),
         to_json(view.id NOT IN (SELECT spot_id FROM busy))),
  ',' ORDER BY view.id) FILTER (WHERE view.nth <= {MOST_FEATURES})
FROM (SELECT *, row_number() OVER (ORDER BY id) AS nth FROM view) view
JOIN parking_zone zone ON zone.id = view.zone_id AND zone.is_active
"""  # noqa: S608


def spots_geojson(
    *, bbox: BBox, start: datetime, end: datetime, features: Collection[str] = ()
) -> bytes:
    """Return the spots in view as a GeoJSON FeatureCollection, each free or not in the period.

    At most 2,000, in the order of their ids; `truncated` says whether there are more.
    """
    west, south, east, north = bbox
    with connection.cursor() as cursor:
        cursor.execute(
            GEOJSON,
            {
                "west": west,
                "south": south,
                "east": east,
                "north": north,
                "start": start,
                "end": end,
                "features": list(features),
            },
        )
        count, body = cursor.fetchone()
    truncated = "true" if count > MOST_FEATURES else "false"
    return (
        f'{{"type":"FeatureCollection","truncated":{truncated},"features":[{body or ""}]}}'
    ).encode()
