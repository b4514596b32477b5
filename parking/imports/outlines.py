"""The boundaries of zones: drawn around their spots, or read from a file of polygons."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.contrib.gis.geos import (
    GeometryCollection,
    GEOSGeometry,
    MultiPoint,
    MultiPolygon,
    Point,
    Polygon,
)
from django.contrib.gis.geos.prepared import PreparedGeometry
from django.utils.translation import gettext as _

from parking.imports.errors import ImportFailed, RowRefused
from parking.imports.files import open_rows
from parking.imports.mapping import OutlineRules, PlaceRules
from parking.imports.places import DECIMALS, METRES_PER_DEGREE, Locator, Plane
from parking.imports.rows import check_columns

_QUARTER = 4  # points to a quarter circle: round enough for a map


def around(
    points: Sequence[tuple[float, float]], *, margin_m: float, bridge_m: float
) -> MultiPolygon:
    """Return a boundary around points in degrees, `margin_m` wide, filling gaps under `bridge_m`.

    The discs around the points are grown, joined and shrunk again: the outline follows the
    streets, strays far away get an island of their own, and it never runs across the city.
    """
    west, east = min(p[0] for p in points), max(p[0] for p in points)
    south, north = min(p[1] for p in points), max(p[1] for p in points)
    plane = Plane((west + east) / 2, (south + north) / 2)
    # One point stands for its neighbours in a square that its own margin covers.
    square = margin_m / 2
    flat = {
        (round(x / square), round(y / square)): Point(x, y)
        for x, y in (plane.metres(*point) for point in points)
    }
    half = bridge_m / 2
    # The discs are polygons: their sides, not their corners, must lie this far out.
    radius = (margin_m + half) / math.cos(math.pi / 4 / _QUARTER)
    grown = MultiPoint(list(flat.values())).buffer(radius, quadsegs=_QUARTER)
    shrunk = grown.buffer(-half, quadsegs=_QUARTER) if half else grown
    simple = shrunk.simplify(margin_m / 15, preserve_topology=True)
    return multi_polygon(_turned(simple, plane.degrees))


def grown_to(
    boundary: MultiPolygon,
    points: Sequence[tuple[float, float]],
    *,
    margin_m: float,
    bridge_m: float,
) -> MultiPolygon:
    """Return the boundary itself if it covers the points, else joined with one around them all.

    So a boundary that an operator drew stays as drawn for as long as it is true.
    """
    prepared = boundary.prepared
    if all(prepared.covers(Point(point, srid=4326)) for point in points):
        return boundary
    return multi_polygon(boundary.union(around(points, margin_m=margin_m, bridge_m=bridge_m)))


def multi_polygon(shape: GEOSGeometry) -> MultiPolygon:
    """Return the valid areas of a shape, in degrees; empty where it has none."""
    if not shape.valid:
        shape = shape.make_valid()
    return MultiPolygon(_polygons(shape), srid=4326)


def _polygons(shape: GEOSGeometry) -> list[Polygon]:
    if isinstance(shape, Polygon):
        return [] if shape.empty else [shape]
    if isinstance(shape, GeometryCollection):
        return [polygon for part in shape for polygon in _polygons(part)]
    return []


Turn = Callable[[float, float], tuple[float, float]]


def _turned(shape: GEOSGeometry, turn: Turn) -> MultiPolygon:
    """Return the areas of a shape with every point turned by a function."""
    return MultiPolygon(
        [
            Polygon(
                *(
                    [turn(point[0], point[1]) for point in polygon[ring].coords]
                    for ring in range(polygon.num_interior_rings + 1)
                )
            )
            for polygon in _polygons(shape)
        ],
        srid=4326,
    )


@dataclass(frozen=True)
class Outline:
    """One zone's polygon from a file."""

    code: str
    name: str
    boundary: MultiPolygon
    prepared: PreparedGeometry
    extent: tuple[float, float, float, float]


class Outlines:
    """The zones' polygons of a file; says which of them holds a point."""

    def __init__(self, rules: OutlineRules) -> None:
        self.refused: list[tuple[int, str]] = []
        self._reach_degrees = rules.reach_m / METRES_PER_DEGREE
        self._all = self._read(rules)
        if not self._all:
            raise ImportFailed(_("%(file)s: has no usable polygon") % {"file": rules.path})

    def _read(self, rules: OutlineRules) -> list[Outline]:
        shapes: dict[str, tuple[str, GEOSGeometry]] = {}
        with open_rows(rules.path, rules.file) as source:
            for value in (rules.code, rules.name):
                if value is not None:
                    check_columns(dict.fromkeys(value.columns, value.path), source, rules.path)
            place = PlaceRules(x=None, y=None, wkt=None, degrees=False, within_km=0)
            locator = Locator(place=place, file=rules.file, source=source, path=rules.path)
            for row in source.rows:
                try:
                    if row.problem:
                        raise RowRefused(row.problem)
                    code, shape = rules.code.of(row.values), locator.locate(row)
                    if not code:
                        raise RowRefused(_("%(key)s is empty") % {"key": rules.code.path})
                    if not multi_polygon(shape):
                        raise RowRefused(_("is no polygon"))
                    name = rules.name.of(row.values, zone=code) if rules.name else ""
                except RowRefused as refused:
                    self.refused.append((row.number, str(refused)))
                    continue
                before = shapes.get(code)
                shapes[code] = (
                    (name, shape) if before is None else (before[0], before[1].union(shape))
                )
        found = []
        for code, (name, shape) in shapes.items():
            area = multi_polygon(_turned(multi_polygon(shape), _rounded))
            found.append(Outline(code, name, area, area.prepared, area.extent))
        return found

    def holding(self, longitude: float, latitude: float) -> Outline:
        """Return the outline that covers a point, or else the nearest within reach.

        Raises:
            RowRefused: it lies outside of all of them.
        """
        point = Point(longitude, latitude, srid=4326)
        reach = self._reach_degrees * 3  # a degree of longitude is short in the north
        near = []
        for outline in self._all:
            west, south, east, north = outline.extent
            if not (
                west - reach <= longitude <= east + reach
                and south - reach <= latitude <= north + reach
            ):
                continue
            if outline.prepared.covers(point):
                return outline
            near.append(outline)
        plane = Plane(longitude, latitude)
        away = [(_distance(plane, outline.boundary), outline) for outline in near]
        metres, nearest = min(away, key=lambda item: item[0], default=(None, None))
        if nearest is None or metres is None or metres > self._reach_degrees * METRES_PER_DEGREE:
            raise RowRefused(_("stands in no zone"))
        return nearest


def _distance(plane: Plane, boundary: MultiPolygon) -> float:
    return float(_turned(boundary, plane.metres).distance(Point(0, 0, srid=4326)))


def _rounded(longitude: float, latitude: float) -> tuple[float, float]:
    return (round(longitude, DECIMALS), round(latitude, DECIMALS))
