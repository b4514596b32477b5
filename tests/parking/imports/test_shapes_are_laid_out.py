"""Bays of a shape: inside it, evenly along its longer side, in a stable order."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from django.contrib.gis.geos import GEOSGeometry, LineString, MultiPolygon, Point, Polygon

from parking.imports.errors import RowRefused
from parking.imports.layout import Bay, bays
from parking.imports.places import Plane

HERE = Plane(24.935, 60.168)


def turned(points: list[tuple[float, float]], bearing: float) -> list[tuple[float, float]]:
    """Return points of metres (along, across) in degrees, along the bearing."""
    angle = math.radians(bearing)
    return [
        HERE.degrees(
            along * math.sin(angle) + across * math.cos(angle),
            along * math.cos(angle) - across * math.sin(angle),
        )
        for along, across in points
    ]


def kerb(length: float, width: float, bearing: float) -> Polygon:
    """Return a rectangle."""
    corners = [(0, 0), (length, 0), (length, width), (0, width), (0, 0)]
    return Polygon(turned([(float(x), float(y)) for x, y in corners], bearing))


def gaps(found: list[Bay]) -> list[float]:
    """Return the metres between neighbours."""
    flat = [HERE.metres(bay.longitude, bay.latitude) for bay in found]
    return [math.dist(one, other) for one, other in pairwise(flat)]


@pytest.mark.parametrize("bearing", [0, 10, 45, 89, 90, 91, 135, 179])
def test_a_rectangle_is_cut_along_its_longer_side(bearing: int) -> None:
    shape = kerb(24, 2, bearing)
    found = bays(shape, 4)
    assert gaps(found) == pytest.approx([6, 6, 6], abs=0.05)
    assert all(shape.contains(Point(bay.longitude, bay.latitude)) for bay in found)
    assert {(bay.bearing - bearing) % 180 for bay in found if bay.bearing is not None} <= {
        0,
        1,
        179,
    }
    middle = [HERE.metres(bay.longitude, bay.latitude) for bay in found]
    first, last = middle[0], middle[-1]
    assert math.dist(first, last) == pytest.approx(18, abs=0.05)


@pytest.mark.parametrize("bearing", [10, 100, 190, 280])
def test_the_order_does_not_depend_on_where_the_drawing_began(bearing: int) -> None:
    corners = turned([(0.0, 0.0), (24.0, 0.0), (24.0, 2.0), (0.0, 2.0)], bearing)
    found = [
        bays(Polygon([*corners[start:], *corners[:start], corners[start]]), 3) for start in range(4)
    ]
    found.append(bays(Polygon([*corners[::-1], corners[-1]]), 3))
    assert len({tuple(round(bay.latitude, 6) for bay in order) for order in found}) == 1
    latitudes = [bay.latitude for bay in found[0]]
    assert latitudes == sorted(latitudes)  # from south to north


def test_bays_of_a_bent_kerb_lie_on_it_and_not_beside() -> None:
    outer = [(15 * math.cos(t / 10), 15 * math.sin(t / 10)) for t in range(25)]
    inner = [(13 * math.cos(t / 10), 13 * math.sin(t / 10)) for t in reversed(range(25))]
    shape = Polygon(turned([*outer, *inner, outer[0]], 30))
    found = bays(shape, 5)
    assert len(found) == 5
    assert all(shape.contains(Point(bay.longitude, bay.latitude)) for bay in found)


def test_a_line_is_cut_along_its_length() -> None:
    line = LineString(turned([(0.0, 0.0), (12.0, 0.0), (12.0, 12.0)], 0))
    found = bays(line, 4)
    assert [bay.bearing for bay in found] == [0, 0, 90, 90]
    assert gaps(found) == pytest.approx([6, math.sqrt(18), 6], abs=0.05)


def test_a_point_is_one_bay_without_a_bearing() -> None:
    assert bays(Point(24.935, 60.168), None) == [Bay(24.935, 60.168, None)]


def test_a_shape_without_a_number_is_one_bay() -> None:
    assert len(bays(MultiPolygon(kerb(5, 2, 10)), None)) == 1


@pytest.mark.parametrize(
    ("shape", "count", "why"),
    [
        ("POINT(24.9 60.1)", 2, "a point cannot hold 2 spots"),
        ("POLYGON((24.9 60.1, 24.9 60.1, 24.9 60.1, 24.9 60.1))", 1, "has no area"),
        ("LINESTRING(24.9 60.1, 24.9 60.1)", 1, "has no length"),
        ("MULTIPOINT(24.9 60.1, 24.9 60.2)", 2, "not “MultiPoint”"),
        ("GEOMETRYCOLLECTION(POINT(24.9 60.1))", 1, "not “GeometryCollection”"),
    ],
)
def test_what_cannot_hold_spots_is_refused(shape: str, count: int, why: str) -> None:
    with pytest.raises(RowRefused, match=why):
        bays(GEOSGeometry(shape), count)


def test_a_polygon_that_crosses_itself_is_laid_out_all_the_same() -> None:
    crossed = Polygon(
        turned([(0.0, 0.0), (24.0, 0.0), (24.0, 2.0), (20.0, -1.0), (0.0, 2.0), (0.0, 0.0)], 20)
    )
    assert not crossed.valid
    assert len(bays(crossed, 4)) == 4
