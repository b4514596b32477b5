"""What a demo city is made of, and how spots lie along its kerbs. Pure: no clock, no database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from math import atan2, cos, degrees, hypot, radians, sin
from typing import Any

from django.contrib.gis.geos import LineString, MultiLineString, Point, Polygon

Place = tuple[float, float]  # longitude, latitude; degrees
Metres = tuple[float, float]  # east, north of the city's centre

METRES_PER_DEGREE = 111_320.0
SPOT_LENGTH = 6.0  # metres of kerb
SPOTS_PER_METER = 8
CLEAR_OF_CORNERS = 13.0  # metres between a spot and the middle of a crossing street
GAP_BETWEEN_METERS = 9.0


@dataclass(frozen=True)
class StreetPlan:
    """The middle line of a street, and its width in metres."""

    name: str
    line: Sequence[Place]
    width_m: int = 14
    has_parking: bool = True
    names: Mapping[str, str] = field(default_factory=dict)  # by language


@dataclass(frozen=True, kw_only=True)
class ZonePlan:
    """A zone: its boundary, its prices (one document per version, oldest first), its rules."""

    code: str
    name: str
    names: Mapping[str, str] = field(default_factory=dict)  # by language
    prefix: str  # of the numbers painted on the ground
    boundary: Sequence[Place]
    tariffs: Sequence[Mapping[str, Any]]
    meters: int = 10
    rules: Mapping[str, Any] = field(default_factory=dict)
    demand: Mapping[str, int] = field(
        default_factory=dict
    )  # the rule by which prices may follow it


@dataclass(frozen=True)
class SpotPlan:
    """One place at the kerb; `bearing` of the kerb in degrees from north."""

    place: Place
    street: str
    bearing: int


@dataclass(frozen=True)
class MeterPlan:
    """A pole and the eight spots that it serves, in the order of their lamps."""

    place: Place
    spots: tuple[SpotPlan, ...]


@dataclass(frozen=True, kw_only=True)
class City:
    """A demo city: settings that it belongs to, streets, zones, and plates as people have there."""

    name: str
    currency: str
    time_zone: str
    centre: Place
    serials: str
    language: str
    streets: Sequence[StreetPlan]
    zones: Sequence[ZonePlan]
    plate_letters: str
    plate_form: str  # "L" a letter, "D" a digit, all else itself
    refund_limit: int  # minor units that an operator gives back of a booking alone

    def meters_of(self, zone: ZonePlan) -> list[MeterPlan]:
        """Choose the zone's meters, evenly from all places where one could stand.

        Raises:
            ValueError: its streets have no room for so many.
        """
        area = Polygon([self._flat(place) for place in (*zone.boundary, zone.boundary[0])])
        rooms = [
            run
            for run in self._runs
            if all(area.contains(Point(self._flat(spot.place))) for spot in run.spots)
        ]
        if len(rooms) < zone.meters:
            raise ValueError(f"{zone.code}: room for {len(rooms)} meters, not {zone.meters}")
        return [rooms[index * len(rooms) // zone.meters] for index in range(zone.meters)]

    @cached_property
    def _runs(self) -> list[MeterPlan]:
        """All places for a meter with its eight spots, along every kerb of the city."""
        return [
            run
            for street in self.streets
            if street.has_parking
            for side in (-1, 1)
            for run in self._along(street, side)
        ]

    def _along(self, street: StreetPlan, side: int) -> Iterator[MeterPlan]:
        others = MultiLineString(
            [
                LineString([self._flat(place) for place in other.line])
                for other in self.streets
                if other is not street
            ]
        )
        offset = side * (street.width_m / 2 - 1)
        run: list[SpotPlan] = []
        flat: list[Metres] = []
        skip = 0.0
        for middle, bearing in _walk([self._flat(place) for place in street.line]):
            if skip > 0:
                skip -= SPOT_LENGTH
                continue
            across = radians(bearing + 90)
            kerb = (middle[0] + offset * sin(across), middle[1] + offset * cos(across))
            if others.distance(Point(middle)) < CLEAR_OF_CORNERS:
                run, flat = [], []
                continue
            facing = bearing if side > 0 else (bearing + 180) % 360
            run.append(SpotPlan(self._place(kerb), street.name, facing))
            flat.append(kerb)
            if len(run) == SPOTS_PER_METER:
                east = sum(point[0] for point in flat) / len(flat) + side * sin(across)
                north = sum(point[1] for point in flat) / len(flat) + side * cos(across)
                yield MeterPlan(self._place((east, north)), tuple(run))
                run, flat, skip = [], [], GAP_BETWEEN_METERS

    def _flat(self, place: Place) -> Metres:
        shrink = cos(radians(self.centre[1]))
        return (
            (place[0] - self.centre[0]) * METRES_PER_DEGREE * shrink,
            (place[1] - self.centre[1]) * METRES_PER_DEGREE,
        )

    def _place(self, flat: Metres) -> Place:
        shrink = cos(radians(self.centre[1]))
        return (
            round(self.centre[0] + flat[0] / METRES_PER_DEGREE / shrink, 7),
            round(self.centre[1] + flat[1] / METRES_PER_DEGREE, 7),
        )


@dataclass(frozen=True)
class Grid:
    """A street grid that is turned: metres along and across become degrees.

    `along` points to `bearing`, `across` to 90 degrees right of it.
    """

    origin: Place
    bearing: float

    def __call__(self, along: float, across: float) -> Place:
        """Return the place so many metres along and across from the origin."""
        turn = radians(self.bearing)
        east = along * sin(turn) + across * cos(turn)
        north = along * cos(turn) - across * sin(turn)
        shrink = cos(radians(self.origin[1]))
        return (
            self.origin[0] + east / METRES_PER_DEGREE / shrink,
            self.origin[1] + north / METRES_PER_DEGREE,
        )


def _walk(line: Sequence[Metres]) -> Iterator[tuple[Metres, int]]:
    """Step along a line, a spot's length at a time; give each middle and its bearing."""
    for (x0, y0), (x1, y1) in pairwise(line):
        length = hypot(x1 - x0, y1 - y0)
        bearing = round(degrees(atan2(x1 - x0, y1 - y0))) % 360
        for step in range(int(length // SPOT_LENGTH)):
            part = (step + 0.5) * SPOT_LENGTH / length
            yield (x0 + (x1 - x0) * part, y0 + (y1 - y0) * part), bearing
