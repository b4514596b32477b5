"""The same three spots in four formats and three coordinate systems."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.contrib.gis.gdal import CoordTransform, SpatialReference
from django.contrib.gis.geos import Point

from parking.imports import Noun, Report
from parking.models import Spot
from tests.parking.imports.conftest import COLUMNS, Import, spot_rows
from tests.parking.imports.files import (
    point,
    write_csv,
    write_geojson,
    write_geopackage,
    write_shapefile,
)

GEOMETRY = COLUMNS.replace('[place]\nlongitude = "lon"\nlatitude = "lat"\n', "")
ROWS = spot_rows(3, street="Käsityöläiskatu")


def places(srid: int = 4326) -> list[tuple[float, float]]:
    """Return the rows' places in a coordinate system."""
    turn = CoordTransform(SpatialReference(4326), SpatialReference(srid))
    found = []
    for row in ROWS:
        place = Point(float(row["lon"]), float(row["lat"]), srid=4326)
        place.transform(turn)
        found.append((place.x, place.y))
    return found


def properties() -> list[dict[str, str]]:
    """Return the rows without their places."""
    return [{key: row[key] for key in ("id", "zone", "no", "street")} for row in ROWS]


def assert_the_three_spots(report: Report) -> None:
    """Check what every format must give."""
    assert not report.refused
    assert report.counts[Noun.SPOTS].created == 3
    found = Spot.objects.order_by("number")
    assert [(spot.external_id, spot.number, spot.street) for spot in found] == [
        (f"test:s{place}", f"K-{place}", "Käsityöläiskatu") for place in (1, 2, 3)
    ]
    for spot, row in zip(found, ROWS, strict=True):
        assert spot.location.x == pytest.approx(float(row["lon"]), abs=2e-7)
        assert spot.location.y == pytest.approx(float(row["lat"]), abs=2e-7)
        assert spot.zone.code == "kamppi"
        assert spot.light is not None


def test_csv_with_longitude_and_latitude(run: Import, tmp_path: Path) -> None:
    assert_the_three_spots(run(write_csv(tmp_path / "spots.csv", ROWS)))


def test_csv_in_any_coordinate_system(run: Import, tmp_path: Path) -> None:
    rows = [{**row, "x": x, "y": y} for row, (x, y) in zip(properties(), places(3067), strict=True)]
    mapping = GEOMETRY + '[file]\ncrs = "EPSG:3067"\n[place]\nx = "x"\ny = "y"\n'
    assert_the_three_spots(run(write_csv(tmp_path / "spots.csv", rows), mapping))


def test_csv_with_wkt(run: Import, tmp_path: Path) -> None:
    rows = [
        {**row, "shape": f"POINT ({x} {y})"}
        for row, (x, y) in zip(properties(), places(), strict=True)
    ]
    mapping = GEOMETRY + '[place]\nwkt = "shape"\n'
    assert_the_three_spots(run(write_csv(tmp_path / "spots.csv", rows), mapping))


@pytest.mark.parametrize(
    ("srid", "crs"), [(4326, ""), (3067, "EPSG::3067"), (25835, "EPSG::25835")]
)
def test_geojson(run: Import, tmp_path: Path, srid: int, crs: str) -> None:
    features: list[tuple[Any, dict[str, Any]]] = [
        (point(x, y), row) for (x, y), row in zip(places(srid), properties(), strict=True)
    ]
    assert_the_three_spots(
        run(write_geojson(tmp_path / "spots.geojson", features, crs=crs), GEOMETRY)
    )


def shapefile(folder: Path, srid: int = 3067, **options: Any) -> Path:
    """Write the three spots as a shapefile."""
    rows = [
        (place, list(row.values())) for place, row in zip(places(srid), properties(), strict=True)
    ]
    options.setdefault("wkt", SpatialReference(srid).wkt)
    return write_shapefile(folder / "spots.shp", rows, ("id", "zone", "no", "street"), **options)


def test_shapefile(run: Import, tmp_path: Path) -> None:
    assert_the_three_spots(run(shapefile(tmp_path), GEOMETRY))


def test_shapefile_in_the_encoding_of_the_mapping(run: Import, tmp_path: Path) -> None:
    path = shapefile(tmp_path, encoding="cp1252")
    path.with_suffix(".cpg").unlink()
    assert_the_three_spots(run(path, GEOMETRY + '[file]\nencoding = "cp1252"\n'))


def test_shapefile_without_a_coordinate_system_takes_that_of_the_mapping(
    run: Import, tmp_path: Path
) -> None:
    path = shapefile(tmp_path, wkt="")
    assert_the_three_spots(run(path, GEOMETRY + '[file]\ncrs = "EPSG:3067"\n'))


@pytest.mark.parametrize("folder", ["", "Parking 2026/"])
def test_zipped_shapefile(run: Import, tmp_path: Path, folder: str) -> None:
    shapefile(tmp_path)
    archive = tmp_path / "spots.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        for part in tmp_path.glob("spots.[!z]*"):
            zipped.write(part, f"{folder}{part.name}")
        zipped.writestr(f"{folder}readme.md", "nothing to read here")
    assert_the_three_spots(run(archive, GEOMETRY))


@pytest.mark.parametrize("srid", [4326, 3067])
def test_geopackage(run: Import, tmp_path: Path, srid: int) -> None:
    rows = list(zip(places(srid), properties(), strict=True))
    path = write_geopackage(tmp_path / "city.gpkg", {"spots": rows}, srid=srid)
    assert_the_three_spots(run(path, GEOMETRY))


def test_the_layer_of_a_geopackage_with_several_is_named(run: Import, tmp_path: Path) -> None:
    rows = list(zip(places(), properties(), strict=True))
    path = write_geopackage(tmp_path / "city.gpkg", {"trees": rows[:1], "spots": rows})
    assert_the_three_spots(run(path, GEOMETRY + '[file]\nlayer = "spots"\n'))


def test_the_mapping_overrules_a_coordinate_system_that_is_wrong(
    run: Import, tmp_path: Path
) -> None:
    """GeoJSON without “crs” is said to be in degrees, and often is not."""
    features: list[tuple[Any, dict[str, Any]]] = [
        (point(x, y), row) for (x, y), row in zip(places(3067), properties(), strict=True)
    ]
    path = write_geojson(tmp_path / "spots.geojson", features)
    report = run(path, GEOMETRY + '[file]\ncrs = "EPSG:3067"\n')
    assert_the_three_spots(report)
    assert any("WGS 84" in remark.text and "EPSG:3067" in remark.text for remark in report.remarks)
