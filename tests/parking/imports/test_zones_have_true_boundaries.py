"""Boundaries drawn around spots, kept as operators drew them, or read from polygons."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest
from django.contrib.gis.geos import MultiPolygon, Point, Polygon

from parking.imports import ImportFailed, Kind, Noun
from parking.imports.outlines import around
from parking.models import Spot, Zone
from tests.parking.imports.conftest import COLUMNS, Import, spot_rows
from tests.parking.imports.files import box, write_csv, write_geojson

POLYGONS = COLUMNS.replace(
    'code = "zone"', '[zone.polygons]\nfile = "zones.geojson"\ncode = "CODE"\nname = "NAME"'
)


def metres_east(metres: float) -> float:
    """Return degrees of longitude at the latitude of Helsinki."""
    return metres / (111_195 * math.cos(math.radians(60.168)))


@pytest.mark.parametrize(("margin", "bridge"), [(15, 80), (1, 0), (1, 1_000), (500, 10), (20, 400)])
@pytest.mark.parametrize("seed", range(4))
def test_a_boundary_covers_its_spots_and_not_much_more(
    margin: float, bridge: float, seed: int
) -> None:
    dice = random.Random(seed)
    points = [
        (24.93 + metres_east(dice.uniform(0, 900)), 60.168 + dice.uniform(0, 0.006))
        for _spot in range(60)
    ]
    boundary = around(points, margin_m=margin, bridge_m=bridge)
    assert boundary.valid
    assert boundary.srid == 4326
    spots = [Point(point, srid=4326) for point in points]
    assert all(boundary.covers(spot) for spot in spots)
    # no point of the outline is further from every spot than the margin and the bridge allow
    flat = boundary.transform(3067, clone=True)
    near = MultiPolygon(
        [spot.transform(3067, clone=True).buffer(margin * 1.1 + bridge) for spot in spots]
    ).unary_union
    assert near.covers(flat)


def test_far_spots_get_islands_and_the_outline_never_runs_across_the_city() -> None:
    street = [(24.93 + metres_east(7 * place), 60.168) for place in range(20)]
    stray = (24.93, 60.178)  # a kilometre off
    boundary = around([*street, stray], margin_m=15, bridge_m=80)
    assert len(boundary) == 2
    assert not boundary.covers(Point(24.93, 60.173, srid=4326))
    area = boundary.transform(3067, clone=True).area
    assert area == pytest.approx(133 * 30 + 2 * math.pi * 15**2, rel=0.15)


def test_one_spot_makes_a_zone(run: Import, tmp_path: Path) -> None:
    run(write_csv(tmp_path / "spots.csv", spot_rows(1)))
    boundary = Zone.objects.get().boundary
    assert boundary.valid
    assert boundary.covers(Spot.objects.get().location)


def test_a_boundary_that_an_operator_drew_stays_until_a_spot_lies_outside(
    run: Import, tmp_path: Path
) -> None:
    run(write_csv(tmp_path / "spots.csv", spot_rows(3)))
    drawn = MultiPolygon(Polygon.from_bbox((24.934, 60.167, 24.937, 60.169)), srid=4326)
    Zone.objects.update(boundary=drawn, name="Kamppi, as drawn")
    report = run(write_csv(tmp_path / "spots.csv", spot_rows(4)))
    zone = Zone.objects.get()
    assert (zone.boundary, zone.name) == (drawn, "Kamppi, as drawn")
    assert report.counts[Noun.ZONES].unchanged == 1
    report = run(write_csv(tmp_path / "spots.csv", spot_rows(30)))
    zone.refresh_from_db()
    assert report.counts[Noun.ZONES].changed == 1
    assert zone.boundary.covers(drawn)
    assert all(zone.boundary.covers(spot.location) for spot in Spot.objects.all())
    assert run(write_csv(tmp_path / "spots.csv", spot_rows(30))).changes == 0


def test_zones_come_from_polygons_and_spots_join_the_one_they_stand_in(
    run: Import, tmp_path: Path
) -> None:
    write_geojson(
        tmp_path / "zones.geojson",
        [
            (box(24.930, 60.16, 24.93513, 60.17), {"CODE": "west", "NAME": "Länsi"}),
            (box(24.93517, 60.16, 24.940, 60.17), {"CODE": "east", "NAME": "Itä"}),
            (box(24.950, 60.16, 24.960, 60.17), {"CODE": "east", "NAME": "Itä"}),
            (box(25.000, 60.16, 25.010, 60.17), {"CODE": "", "NAME": "nameless"}),
            (None, {"CODE": "north", "NAME": ""}),
        ],
    )
    rows = spot_rows(5)
    rows[3]["lon"] = "24.955"  # in the second part of the east
    rows[4]["lon"] = "24.970"  # in none
    path = write_csv(tmp_path / "spots.csv", rows)
    report = run(path, POLYGONS)
    assert {remark.row: remark.text for remark in report.refused} == {6: "stands in no zone"}
    found = dict(Spot.objects.values_list("external_id", "zone__code"))
    assert found == {"test:s1": "west", "test:s2": "east", "test:s3": "east", "test:s4": "east"}
    east = Zone.objects.get(code="east")
    assert (east.name, len(east.boundary)) == ("Itä", 2)
    assert [remark.subject for remark in report.of(Kind.NOTE)] == ["polygon 4", "polygon 5"]
    assert run(path, POLYGONS).changes == 0

    write_geojson(
        tmp_path / "zones.geojson",
        [(box(24.930, 60.16, 24.980, 60.17), {"CODE": "west", "NAME": "Länsi"})],
    )
    report = run(path, POLYGONS)
    assert report.counts[Noun.ZONES].changed == 1
    assert set(Spot.objects.values_list("zone__code", flat=True)) == {"west"}
    assert Zone.objects.filter(code="east").exists()  # nothing is ever deleted


def test_a_spot_just_outside_joins_the_nearest_zone_in_reach(run: Import, tmp_path: Path) -> None:
    edge = 24.935 - metres_east(8)
    write_geojson(
        tmp_path / "zones.geojson",
        [
            (box(24.9, 60.16, edge, 60.17), {"CODE": "west", "NAME": ""}),
            (box(24.935 + metres_east(5), 60.16, 25, 60.17), {"CODE": "east", "NAME": ""}),
        ],
    )
    rows = spot_rows(1, lon="24.935")
    assert not run(write_csv(tmp_path / "spots.csv", rows), POLYGONS).refused
    assert Spot.objects.get().zone.code == "east"
    narrow = POLYGONS.replace('name = "NAME"', "reach_m = 4")
    report = run(write_csv(tmp_path / "spots.csv", rows), narrow)
    assert report.refused[0].text == "stands in no zone"


def test_polygons_without_the_columns_of_the_mapping_are_refused(
    run: Import, tmp_path: Path
) -> None:
    write_geojson(tmp_path / "zones.geojson", [(box(24, 60, 25, 61), {"CODES": "a", "NAME": ""})])
    with pytest.raises(ImportFailed, match=r"zone\.polygons\.code: .*“CODE”; did you mean “CODES”"):
        run(write_csv(tmp_path / "spots.csv", spot_rows()), POLYGONS)
    write_geojson(tmp_path / "zones.geojson", [(None, {"CODE": "a", "NAME": ""})])
    with pytest.raises(ImportFailed, match="has no usable polygon"):
        run(write_csv(tmp_path / "spots.csv", spot_rows()), POLYGONS)
