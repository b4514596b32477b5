"""Esslingen's own file: polygons in EPSG:25832, each with a number of spaces."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from django.contrib.gis.geos import GEOSGeometry

from parking.imports import Kind, Noun, import_file, read_mapping
from parking.models import Feature, Spot, TariffVersion, Zone
from tests.cast import NOW
from tests.parking.imports.conftest import city_file

MAPPING = Path(__file__).parent / "esslingen.toml"


@pytest.mark.django_db
def test_every_space_of_a_chosen_polygon_becomes_a_spot_inside_it() -> None:
    mapping, path = read_mapping(MAPPING), city_file("esslingen.geojson")
    report = import_file(path=path, mapping=mapping, now=NOW)
    assert report.rows == 250
    assert len(report.of(Kind.SKIPPED)) == 155
    assert not report.refused
    assert Spot.objects.count() == report.counts[Noun.SPOTS].created == 233
    assert set(Zone.objects.values_list("code", flat=True)) == {"a", "b", "md", "mitte", "r"}
    # the polygon of fid 2, by another tool's numbers: four spaces along 22 m of kerb
    four = Spot.objects.filter(external_id__startswith="esslingen-strasse:2:").order_by("number")
    assert [spot.number for spot in four] == ["2-1", "2-2", "2-3", "2-4"]
    area = GEOSGeometry(
        "SRID=25832;POLYGON((522512.15450819634 5398865.945914397,"
        "522520.9498165761 5398867.595484109,522534.1098836254 5398869.290237775,"
        "522534.3502696366 5398867.338931423,522521.28739999974 5398865.705699522,"
        "522512.4862539472 5398864.014551123,522512.15450819634 5398865.945914397))"
    )
    flat = [spot.location.transform(25832, clone=True) for spot in four]
    assert all(area.contains(point) for point in flat)
    gaps = [one.distance(other) for one, other in pairwise(flat)]
    assert gaps == pytest.approx([5.5] * 3, abs=0.2)
    assert {spot.bearing for spot in four} <= set(range(78, 86))

    accessible = Spot.objects.filter(features__contains=[Feature.ACCESSIBLE])
    assert accessible.count() == 22
    bands = TariffVersion.objects.get(zone__code="r").document["bands"]
    assert bands == [
        {
            "days": ["mon", "tue", "wed", "thu", "fri", "sat"],
            "from": "09:00",
            "to": "19:00",
            "tiers": [{"per_hour": 150}],
        }
    ]

    second = import_file(path=path, mapping=mapping, now=NOW)
    assert second.changes == 0
    assert second.counts[Noun.SPOTS].unchanged == 233


@pytest.mark.django_db
def test_a_polygon_without_corners_is_refused_by_its_row() -> None:
    whole = replace(read_mapping(MAPPING), filters=())
    report = import_file(path=city_file("esslingen.geojson"), mapping=whole, now=NOW)
    assert [remark.row for remark in report.refused] == [93, 95, 96, 97, 98, 99]
    assert {remark.text for remark in report.refused} == {"has no geometry that can be read"}
    assert report.counts[Noun.SPOTS].created > 600
