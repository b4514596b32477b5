"""The map's unchanging layers, in columns: all spots; zones and streets. Each has a version.

A version is what changes when the layer does, so that a browser keeps the body until then.
"""

from __future__ import annotations

from typing import Any, Final

from django.db import connection
from django.utils.translation import get_language

from parking.local_names import column
from parking.models import Feature

# Bit n of a spot's features stands for the nth of these; the order is part of the layer.
FEATURE_BITS: Final = tuple(Feature.values)
_MICRO: Final = 1_000_000  # coordinates are sent as whole millionths of a degree, 0.1 m

_SPOTS_VERSION = """
SELECT count(*), coalesce(max(spot.updated_at), 'epoch'),
       (SELECT count(*) FROM parking_spot)
FROM parking_spot spot JOIN parking_zone zone ON zone.id = spot.zone_id
WHERE spot.is_active AND zone.is_active
"""

_SPOTS = f"""
SELECT spot.id, round(ST_X(spot.location) * %(micro)s)::int,
       round(ST_Y(spot.location) * %(micro)s)::int,
       spot.zone_id, spot.number, {column("spot.street_names", "spot.street")},
       spot.features, spot.bearing
FROM parking_spot spot JOIN parking_zone zone ON zone.id = spot.zone_id
WHERE spot.is_active AND zone.is_active
ORDER BY spot.id
"""  # noqa: S608 (no value is spliced in)

_GROUND_VERSION = """
SELECT (SELECT md5(string_agg(md5(ST_AsBinary(geometry)) || name || names || width_m, ','
                              ORDER BY id))
        FROM parking_street),
       (SELECT md5(string_agg(id || code || updated_at, ',' ORDER BY id))
        FROM parking_zone WHERE is_active)
"""

_ZONES = f"""
SELECT id, code, {column("names", "name")}, ST_AsGeoJSON(boundary, 6)::json -> 'coordinates',
       ST_X(centre), ST_Y(centre)
FROM parking_zone, LATERAL ST_PointOnSurface(boundary) centre
WHERE is_active ORDER BY id
"""  # noqa: S608 (no value is spliced in)

_STREETS = f"""
SELECT {column("names", "name")}, width_m, ST_AsGeoJSON(geometry, 6)::json -> 'coordinates'
FROM parking_street ORDER BY id
"""  # noqa: S608 (no value is spliced in)


def spots_version() -> str:
    """Return the version of the layer of spots."""
    with connection.cursor() as cursor:
        cursor.execute(_SPOTS_VERSION)
        active, latest, total = cursor.fetchone()
    return f"{active:x}-{total:x}-{round(latest.timestamp() * _MICRO):x}"


def spots_layer() -> dict[str, Any]:
    """Return the spots in use as columns of one length.

    `lon` and `lat` are millionths of a degree, `street` points into `streets`, `features` are
    bits by the order of `feature_names`, `bearing` is in degrees.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SPOTS, {"micro": _MICRO, "language": get_language()})
        rows = cursor.fetchall()
    ids, lon, lat, zones, numbers, street_names, features, bearings = (
        [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(8)]
    )
    streets = {name: place for place, name in enumerate(dict.fromkeys(street_names))}
    return {
        "id": ids,
        "lon": lon,
        "lat": lat,
        "zone": zones,
        "number": numbers,
        "street": [streets[name] for name in street_names],
        "streets": list(streets),
        "features": [_bits(names) for names in features],
        "feature_names": FEATURE_BITS,
        "bearing": bearings,
    }


def ground_version() -> str:
    """Return the version of the drawing of zones and streets."""
    with connection.cursor() as cursor:
        cursor.execute(_GROUND_VERSION)
        streets, zones = cursor.fetchone()
    return f"{(streets or '0')[:12]}-{(zones or '0')[:12]}"


def ground_layer() -> dict[str, Any]:
    """Return zones (code, name, polygons, where a label stands) and streets (name, width, lines).

    Coordinates are GeoJSON's: longitude, latitude, in degrees.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ZONES, {"language": get_language()})
        zones = [
            {"id": row[0], "code": row[1], "name": row[2], "polygons": row[3], "at": row[4:6]}
            for row in cursor.fetchall()
        ]
        cursor.execute(_STREETS, {"language": get_language()})
        streets = [
            {"name": name, "width": width, "lines": lines}
            for name, width, lines in cursor.fetchall()
        ]
    return {"zones": zones, "streets": streets}


def _bits(features: list[str]) -> int:
    return sum(1 << FEATURE_BITS.index(name) for name in features if name in FEATURE_BITS)
