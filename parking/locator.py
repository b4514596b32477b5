"""A small drawing of where a spot is: the streets and spots around it, in metres."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from math import atan2, cos, degrees, hypot, radians
from typing import Any, Final

from django.db import connection
from django.utils.translation import get_language

from parking.local_names import column
from parking.models import Spot

REACH_M: Final = 90
_METRES_PER_DEGREE: Final = 111_320

_AROUND = f"""
SELECT 'street', {column("street.names", "street.name")}, street.width_m,
       ST_AsGeoJSON(ST_ClipByBox2D(street.geometry, box.shape), 7), 0, street.id
FROM parking_street street, ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4326)
     AS box(shape)
WHERE street.geometry && box.shape
UNION ALL
SELECT 'spot', spot.number, 0, ST_AsGeoJSON(spot.location, 7), spot.bearing, spot.id
FROM parking_spot spot, ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4326)
     AS box(shape)
WHERE spot.location && box.shape AND spot.is_active
"""  # noqa: S608 (no value is spliced in)


@dataclass(frozen=True)
class StreetLine:
    """A street as an SVG path, and its name where it is longest. Metres, y down."""

    name: str
    path: str
    width: int
    x: float
    y: float
    angle: float  # degrees clockwise, readable from the south
    names_itself: bool


@dataclass(frozen=True)
class SpotMark:
    """A spot at x, y metres east and south of the drawn one; its kerb's angle in degrees."""

    x: float
    y: float
    angle: float
    is_here: bool


@dataclass(frozen=True)
class Locator:
    """Everything within `REACH_M` metres of a spot, for a square drawing around it."""

    streets: list[StreetLine]
    spots: list[SpotMark]


def locate(spot: Spot) -> Locator:
    """Draw the surroundings of a spot; one query."""
    lon, lat = spot.lon_lat
    per_lat = _METRES_PER_DEGREE
    per_lon = _METRES_PER_DEGREE * max(cos(radians(lat)), 0.01)
    box: dict[str, Any] = {
        "language": get_language(),
        "west": lon - REACH_M / per_lon,
        "east": lon + REACH_M / per_lon,
        "south": lat - REACH_M / per_lat,
        "north": lat + REACH_M / per_lat,
    }
    with connection.cursor() as cursor:
        cursor.execute(_AROUND, box)
        rows = cursor.fetchall()

    def place(point: list[float]) -> tuple[float, float]:
        return round((point[0] - lon) * per_lon, 1), round((lat - point[1]) * per_lat, 1)

    streets, spots = [], []
    for noun, name, width, geometry, bearing, row_id in rows:
        shape = json.loads(geometry)
        if noun == "street":
            lines = [[place(point) for point in line] for line in _lines(shape)]
            if lines:
                streets.append(_street(name, width, lines))
        else:
            x, y = place(shape["coordinates"])
            spots.append(SpotMark(x, y, bearing - 90, row_id == spot.pk))
    spots.sort(key=lambda mark: mark.is_here)  # drawn last, so on top
    return Locator(streets, spots)


def _lines(shape: dict[str, Any]) -> list[list[list[float]]]:
    if shape["type"] == "LineString":
        return [shape["coordinates"]] if shape["coordinates"] else []
    if shape["type"] == "MultiLineString":
        return list(shape["coordinates"])
    return []


def _street(name: str, width: int, lines: list[list[tuple[float, float]]]) -> StreetLine:
    path = " ".join("M" + "L".join(f"{x:g} {y:g}" for x, y in line) for line in lines)
    (x1, y1), (x2, y2) = max(
        (pair for line in lines for pair in pairwise(line)),
        key=lambda pair: hypot(pair[1][0] - pair[0][0], pair[1][1] - pair[0][1]),
    )
    angle = degrees(atan2(y2 - y1, x2 - x1))
    if not -90 < angle <= 90:
        angle -= 180 if angle > 0 else -180
    long_enough = hypot(x2 - x1, y2 - y1) > 5 * len(name)
    return StreetLine(
        name,
        path,
        width,
        round((x1 + x2) / 2, 1),
        round((y1 + y2) / 2, 1),
        round(angle, 1),
        long_enough,
    )
