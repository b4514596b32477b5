"""Files that were cut short, or are something else than their name says."""

from __future__ import annotations

from pathlib import Path

import pytest

from parking.imports import ImportFailed, Report
from parking.models import Spot, Zone
from tests.parking.imports.conftest import COLUMNS, Import, spot_rows
from tests.parking.imports.files import (
    point,
    write_csv,
    write_geojson,
    write_geopackage,
    write_shapefile,
)

GEOMETRY = COLUMNS.replace('[place]\nlongitude = "lon"\nlatitude = "lat"\n', "")
NAMES = ("id", "zone", "no", "street")


def features(count: int) -> list[tuple[dict[str, object], dict[str, str]]]:
    """Return GeoJSON features of a few spots."""
    return [
        (point(float(row["lon"]), float(row["lat"])), {name: row[name] for name in NAMES})
        for row in spot_rows(count)
    ]


def test_geojson_that_was_cut_short(run: Import, tmp_path: Path) -> None:
    path = write_geojson(tmp_path / "spots.geojson", features(50))
    path.write_bytes(path.read_bytes()[:-700])
    with pytest.raises(ImportFailed, match=r"is not JSON: .*line 1 column"):
        run(path, GEOMETRY)
    assert not Zone.objects.exists()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("[]", "no GeoJSON FeatureCollection"),
        ('{"type": "Topology"}', "no GeoJSON FeatureCollection"),
        ('{"type": "FeatureCollection"}', "no list of features"),
    ],
)
def test_json_that_is_no_geojson(run: Import, tmp_path: Path, content: str, why: str) -> None:
    path = tmp_path / "spots.json"
    path.write_text(content)
    with pytest.raises(ImportFailed, match=why):
        run(path, GEOMETRY)


def test_features_without_geometry_or_with_a_broken_one(run: Import, tmp_path: Path) -> None:
    rows: list[tuple[object, dict[str, str]]] = list(features(4))
    rows[0] = (None, rows[0][1])
    rows[1] = ({"type": "Polygon", "coordinates": [[[24.9, 60.1], [24.8, 60.2]]]}, rows[1][1])
    rows[2] = ({"type": "Point", "coordinates": ["east", "north"]}, rows[2][1])
    report: Report = run(write_geojson(tmp_path / "spots.geojson", rows), GEOMETRY)
    assert [remark.row for remark in report.refused] == [1, 2, 3]
    assert report.refused[0].text == "has no geometry that can be read"
    assert Spot.objects.get().external_id == "test:s4"


def test_a_shapefile_that_was_cut_short_gives_what_is_whole(run: Import, tmp_path: Path) -> None:
    rows = [
        ((float(row["lon"]), float(row["lat"])), [row[name] for name in NAMES])
        for row in spot_rows(5)
    ]
    path = write_shapefile(tmp_path / "spots.shp", rows, NAMES)
    path.write_bytes(path.read_bytes()[:-40])
    report = run(path, GEOMETRY)
    assert [remark.row for remark in report.refused] == [4, 5]
    assert all(remark.text for remark in report.refused)
    assert Spot.objects.count() == 3


@pytest.mark.parametrize("suffix", [".shx", ".dbf"])
def test_a_shapefile_with_a_part_missing(run: Import, tmp_path: Path, suffix: str) -> None:
    path = write_shapefile(tmp_path / "spots.shp", [((24.9, 60.1), ["1", "a", "1", ""])], NAMES)
    path.with_suffix(suffix).unlink()
    with pytest.raises(ImportFailed):
        run(path, GEOMETRY)


def test_a_shapefile_without_a_coordinate_system(run: Import, tmp_path: Path) -> None:
    path = write_shapefile(
        tmp_path / "spots.shp", [((385_000.0, 6_672_000.0), ["1", "a", "1", ""])], NAMES, wkt=""
    )
    with pytest.raises(ImportFailed, match=r"names no coordinate system; set file\.crs"):
        run(path, GEOMETRY)


def test_a_geopackage_that_is_none(run: Import, tmp_path: Path) -> None:
    path = write_geopackage(tmp_path / "city.gpkg", {"spots": [((24.9, 60.1), {"id": "1"})]})
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ImportFailed, match="is no GeoPackage"):
        run(path, GEOMETRY)
    path.write_text("id,zone")
    with pytest.raises(ImportFailed, match="is no GeoPackage"):
        run(path, GEOMETRY)


def test_a_geopackage_with_several_layers_or_without_the_one(run: Import, tmp_path: Path) -> None:
    row = [((24.9, 60.1), {"id": "1"})]
    path = write_geopackage(tmp_path / "city.gpkg", {"spots": row, "trees": row})
    with pytest.raises(ImportFailed, match="choose one with --layer: spots, trees"):
        run(path, GEOMETRY)
    with pytest.raises(ImportFailed, match="no layer “cars”; it has spots, trees"):
        run(path, GEOMETRY + '[file]\nlayer = "cars"\n')


def test_an_unknown_format(run: Import, tmp_path: Path) -> None:
    path = tmp_path / "spots.dwg"
    path.write_bytes(b"AC1032")
    with pytest.raises(ImportFailed, match=r"unknown format; known are \.csv \.geojson"):
        run(path)


def test_a_csv_file_without_any_place_in_the_mapping(run: Import, tmp_path: Path) -> None:
    with pytest.raises(ImportFailed, match=r"set place\.longitude"):
        run(write_csv(tmp_path / "spots.csv", spot_rows()), GEOMETRY)


def test_a_column_that_the_file_does_not_have_is_named_with_those_it_has(
    run: Import, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "spots.csv", spot_rows())
    mapping = COLUMNS.replace('street = "street"', 'street = "strett"')
    with pytest.raises(ImportFailed) as failed:
        run(path, mapping)
    text = str(failed.value)
    assert (
        "mapping.toml: spot.street: the file has no column “strett”; did you mean “street”?" in text
    )
    assert "columns of the file: id, zone, no, street, lon, lat" in text
