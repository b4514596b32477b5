"""Lay out the spots of a drawn shape: evenly, along its longer side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.contrib.gis.geos import (
    GeometryCollection,
    GEOSGeometry,
    LineString,
    MultiLineString,
    MultiPoint,
    MultiPolygon,
    Point,
    Polygon,
)
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from parking.imports.errors import RowRefused
from parking.imports.places import Plane

MOST_SPOTS = 1_000
_Vector = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Bay:
    """A place for one vehicle. `bearing`: of the kerb, degrees clockwise from north, 0 to 179."""

    longitude: float
    latitude: float
    bearing: int | None


def bays(shape: GEOSGeometry, count: int | None) -> list[Bay]:
    """Return `count` bays (one where the file gives no number) of a shape in degrees.

    A point holds one bay; lines and polygons hold theirs along their length, in a stable order.

    Raises:
        RowRefused: the shape cannot hold them.
    """
    if count is not None and not 1 <= count <= MOST_SPOTS:
        text = ngettext(
            "%(count)s spot: must be 1 to %(most)s",
            "%(count)s spots: must be 1 to %(most)s",
            count,
        )
        raise RowRefused(text % {"count": count, "most": MOST_SPOTS})
    wanted = 1 if count is None else count
    if isinstance(shape, MultiPoint | MultiLineString | MultiPolygon) and len(shape) == 1:
        shape = shape[0]
    if isinstance(shape, Point):
        if wanted != 1:
            text = ngettext(
                "a point cannot hold %(count)s spot",
                "a point cannot hold %(count)s spots",
                wanted,
            )
            raise RowRefused(text % {"count": wanted})
        middle = Plane(shape.x, shape.y)
        return [Bay(*middle.degrees(0, 0), None)]
    if isinstance(shape, LineString):
        return _along_line(shape, wanted)
    if isinstance(shape, Polygon):
        return _along_polygon(shape, wanted)
    raise RowRefused(
        _("a spot is a point, a line or a polygon, not “%(shape)s”") % {"shape": shape.geom_type}
    )


def _flat(shape: GEOSGeometry, points: Sequence[tuple[float, ...]]) -> tuple[Plane, list[_Vector]]:
    west, south, east, north = shape.extent
    plane = Plane((west + east) / 2, (south + north) / 2)
    return plane, [plane.metres(point[0], point[1]) for point in points]


def _along_line(line: LineString, count: int) -> list[Bay]:
    plane, points = _flat(line, line.coords)
    path = LineString(points)
    if path.length < 0.1:
        raise RowRefused(_("its line has no length"))
    step = path.length / count
    found = []
    for place in range(count):
        middle = path.interpolate((place + 0.5) * step)
        before, after = path.interpolate(place * step), path.interpolate((place + 1) * step)
        heading = (after.x - before.x, after.y - before.y)
        found.append(Bay(*plane.degrees(middle.x, middle.y), _bearing(heading)))
    return found


def _along_polygon(polygon: Polygon, count: int) -> list[Bay]:
    plane, points = _flat(polygon, polygon.exterior_ring.coords)
    area: GEOSGeometry = Polygon(points)
    if area.area < 0.5:
        raise RowRefused(_("its polygon has no area"))
    if not area.valid:
        area = area.buffer(0)
    origin, axis, length, width = _smallest_rectangle(points)
    across = (-axis[1], axis[0])
    found = []
    for place in range(count):
        station = (place + 0.5) * length / count
        foot = (origin[0] + axis[0] * station, origin[1] + axis[1] * station)
        # The rectangle's middle line leaves a bent polygon: take the middle of the cut instead.
        cut = area.intersection(
            LineString(
                (foot[0] - across[0], foot[1] - across[1]),
                (foot[0] + across[0] * (width + 1), foot[1] + across[1] * (width + 1)),
            )
        )
        pieces = list(cut) if isinstance(cut, GeometryCollection) else [cut]
        widest = max(pieces, key=lambda piece: piece.length)
        middle = area.point_on_surface if widest.empty else widest.centroid
        found.append(Bay(*plane.degrees(middle.x, middle.y), _bearing(axis)))
    return found


def _smallest_rectangle(points: list[_Vector]) -> tuple[_Vector, _Vector, float, float]:
    """Return corner, unit vector of the longer side, length and width of the rectangle around.

    The smallest rectangle shares a side with the convex hull, so each side of it is tried.
    """
    around = MultiPoint([Point(point) for point in points]).convex_hull
    hull = around.exterior_ring.coords if isinstance(around, Polygon) else ()
    best: tuple[float, _Vector, _Vector, float, float] | None = None
    for start, end in pairwise(hull):
        side = math.hypot(end[0] - start[0], end[1] - start[1])
        if side < 1e-6:
            continue
        axis = ((end[0] - start[0]) / side, (end[1] - start[1]) / side)
        along = [x * axis[0] + y * axis[1] for x, y in hull]
        across = [y * axis[0] - x * axis[1] for x, y in hull]
        length, width = max(along) - min(along), max(across) - min(across)
        if best is None or length * width < best[0] - 1e-6:
            corner = (
                min(along) * axis[0] - min(across) * axis[1],
                min(along) * axis[1] + min(across) * axis[0],
            )
            best = (length * width, corner, axis, length, width)
    if best is None:
        raise RowRefused(_("its polygon has no area"))
    _area, corner, axis, length, width = best
    if length < width:  # turn it, so that the axis is the longer side
        corner = (corner[0] - axis[1] * width, corner[1] + axis[0] * width)
        axis, length, width = (axis[1], -axis[0]), width, length
    if (round(axis[1], 6), round(axis[0], 6)) < (0, 0):  # northwards, so that numbers are stable
        far = (
            corner[0] + axis[0] * length - axis[1] * width,
            corner[1] + axis[1] * length + axis[0] * width,
        )
        corner, axis = far, (-axis[0], -axis[1])
    return corner, axis, length, width


def _bearing(heading: _Vector) -> int:
    return round(math.degrees(math.atan2(heading[0], heading[1]))) % 180
