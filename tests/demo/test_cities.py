"""The demo cities on paper: geometry that could be, prices that can be read."""

from __future__ import annotations

from itertools import combinations
from math import cos, dist, radians

import pytest
from django.contrib.gis.geos import LineString, Point, Polygon

from config.demo import CITIES
from config.demo.plan import City, Place
from parking.pricing import Tariff

cities = pytest.mark.parametrize("city", CITIES.values(), ids=CITIES.keys())


def _metres(city: City, place: Place) -> tuple[float, float]:
    east = (place[0] - city.centre[0]) * cos(radians(city.centre[1]))
    return east * 111_320, (place[1] - city.centre[1]) * 111_320


@cities
def test_a_city_has_six_zones_sixty_meters_and_eight_spots_at_each(city: City) -> None:
    meters = [meter for zone in city.zones for meter in city.meters_of(zone)]

    assert len(city.zones) == 6
    assert len(meters) == 60
    assert {len(meter.spots) for meter in meters} == {8}


@cities
def test_zones_are_whole_and_do_not_overlap(city: City) -> None:
    areas = {
        zone.code: Polygon([_metres(city, place) for place in (*zone.boundary, zone.boundary[0])])
        for zone in city.zones
    }

    assert all(area.valid and area.area > 50_000 for area in areas.values())
    for one, other in combinations(areas, 2):
        assert areas[one].intersection(areas[other]).area < 1, (one, other)


@cities
def test_spots_lie_in_their_zone_apart_from_each_other_and_clear_of_the_roadway(
    city: City,
) -> None:
    lines = {
        street.name: (LineString([_metres(city, place) for place in street.line]), street.width_m)
        for street in city.streets
    }
    taken: list[tuple[float, float]] = []

    for zone in city.zones:
        area = Polygon([_metres(city, place) for place in (*zone.boundary, zone.boundary[0])])
        for meter in city.meters_of(zone):
            for spot in meter.spots:
                here = _metres(city, spot.place)
                line, width = lines[spot.street]
                assert area.contains(Point(here)), spot
                assert width / 2 - 1.5 < line.distance(Point(here)) < width / 2, spot
                assert 0 <= spot.bearing < 360
                taken.append(here)
    assert min(dist(one, other) for one, other in combinations(taken, 2)) > 5.5


@cities
def test_a_meter_stands_beside_its_spots(city: City) -> None:
    for zone in city.zones:
        for meter in city.meters_of(zone):
            pole = _metres(city, meter.place)
            assert max(dist(pole, _metres(city, spot.place)) for spot in meter.spots) < 30


@cities
def test_prices_can_be_read_and_are_the_citys_own(city: City) -> None:
    for zone in city.zones:
        for document in zone.tariffs:
            tariff = Tariff.parse(document)
            assert tariff.currency == city.currency
            assert str(tariff.time_zone) == city.time_zone


@cities
def test_the_drawing_is_the_same_every_time(city: City) -> None:
    fresh = City(**{name: getattr(city, name) for name in City.__dataclass_fields__})

    for zone in city.zones:
        assert fresh.meters_of(zone) == city.meters_of(zone)


def test_too_many_meters_for_the_streets_of_a_zone_are_refused() -> None:
    city = CITIES["helsinki"]
    crowded = type(city.zones[0])(
        **{
            **{name: getattr(city.zones[0], name) for name in city.zones[0].__dataclass_fields__},
            "meters": 1000,
        }
    )

    with pytest.raises(ValueError, match="kamppi: room for"):
        city.meters_of(crowded)
