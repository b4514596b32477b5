"""A still map of some places, over the streets and zones around them. No script is needed."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, radians
from typing import Any, NamedTuple

from django.contrib.gis.geos import Point, Polygon

from parking.models import Street, Zone

WIDTH, TALLEST = 640.0, 900.0  # units of the drawing
MARGIN = 0.0015  # degrees around the outermost places
MOST_STREETS = 2_000


class Mark(NamedTuple):
    """A place: its number in the list beside the map, and where it lies on it."""

    number: int
    x: float
    y: float


class Drawing(NamedTuple):
    """What the template draws."""

    width: float
    height: float
    zones: str  # path data
    streets: str
    marks: list[Mark]


def drawn(places: Sequence[Point]) -> Drawing | None:
    """Draw the places, numbered from 1 in their order; None where there are none."""
    if not places:
        return None
    west, east = min(p.x for p in places) - MARGIN, max(p.x for p in places) + MARGIN
    south, north = min(p.y for p in places) - MARGIN, max(p.y for p in places) + MARGIN
    shrink = cos(radians((south + north) / 2))
    scale = min(WIDTH / ((east - west) * shrink), TALLEST / (north - south))
    around = Polygon.from_bbox((west, south, east, north))
    around.srid = 4326

    def place(x: float, y: float) -> tuple[float, float]:
        return round((x - west) * shrink * scale, 1), round((north - y) * scale, 1)

    def trace(points: Any) -> str:
        return "M" + "L".join("{},{}".format(*place(x, y)) for x, y, *_ in points)

    streets = Street.objects.filter(geometry__bboverlaps=around)[:MOST_STREETS]
    zones = Zone.objects.filter(boundary__bboverlaps=around, is_active=True)
    return Drawing(
        width=round((east - west) * shrink * scale, 1),
        height=round((north - south) * scale, 1),
        zones=" ".join(
            f"{trace(ring)}Z" for zone in zones for part in zone.boundary.coords for ring in part
        ),
        streets=" ".join(trace(line) for street in streets for line in street.geometry.coords),
        marks=[Mark(n, *place(p.x, p.y)) for n, p in enumerate(places, 1)],
    )
