"""A city's file is a file: no address, no virtual path, no link, nothing inside that leads out."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from pathlib import Path

import pytest

from parking.imports import ImportFailed
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
FEATURE = (point(24.935, 60.168), {"id": "1", "zone": "a", "no": "1", "street": ""})


@pytest.mark.parametrize(
    "path",
    [
        "/vsicurl/http://127.0.0.1:1/spots.geojson",
        "/vsizip//etc/spots.zip/spots.shp",
        "/vsistdin/",
        "http://127.0.0.1:1/spots.geojson",
        "PG:dbname=curblight",
        "GPKG:/etc/passwd:spots",
        "/dev/stdin",
        "/etc",
        "no-such-file.csv",
        "spots\0.csv",
    ],
)
def test_what_is_no_plain_file(run: Import, path: str) -> None:
    with pytest.raises(ImportFailed):
        run(Path(path))


def test_a_link_out_of_its_folder_but_not_one_within(run: Import, tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    write_csv(outside / "secret.csv", spot_rows())
    (inside / "spots.csv").symlink_to(outside / "secret.csv")
    with pytest.raises(ImportFailed, match="link that leads out"):
        run(inside / "spots.csv")
    write_csv(inside / "edition-7.csv", spot_rows())
    (inside / "latest.csv").symlink_to("edition-7.csv")
    run(inside / "latest.csv")
    assert Spot.objects.count() == 3


def test_a_table_beside_a_shapefile_that_is_a_link_out(run: Import, tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    shape = write_shapefile(
        inside / "spots.shp", [((24.9, 60.1), ["1", "a", "1", ""])], ["id", "zone", "no", "street"]
    )
    shape.with_suffix(".dbf").rename(tmp_path / "elsewhere.dbf")
    shape.with_suffix(".dbf").symlink_to(tmp_path / "elsewhere.dbf")
    with pytest.raises(ImportFailed, match="link that leads out"):
        run(shape, GEOMETRY)


@pytest.mark.parametrize("suffix", [".geojson", ".shp", ".gpkg", ".csv", ".vrt", ".xml"])
def test_a_virtual_layer_under_any_name(run: Import, tmp_path: Path, suffix: str) -> None:
    """GDAL would know it by its content, and open whatever it names."""
    secret = write_geojson(tmp_path / "secret.json", [FEATURE])
    path = tmp_path / f"spots{suffix}"
    path.write_text(
        "<OGRVRTDataSource><OGRVRTLayer name='secret'>"
        f"<SrcDataSource>{secret}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
    )
    with pytest.raises(ImportFailed):
        run(path, GEOMETRY)
    assert not Spot.objects.exists()


def test_a_coordinate_system_that_is_an_address(run: Import, tmp_path: Path) -> None:
    link = {"type": "link", "properties": {"href": "http://127.0.0.1:1/crs", "type": "proj4"}}
    path = write_geojson(tmp_path / "spots.geojson", [FEATURE])
    whole = json.loads(path.read_text())
    for owner in (whole, whole["features"][0], whole["features"][0]["geometry"]):
        owner["crs"] = link
        path.write_text(json.dumps(whole))
        with pytest.raises(ImportFailed, match="coordinate system is a link"):
            run(path, GEOMETRY)
        del owner["crs"]
    path.write_text(json.dumps(whole))
    run(path, GEOMETRY)
    assert Spot.objects.count() == 1


def test_a_view_of_a_geopackage(run: Import, tmp_path: Path) -> None:
    path = write_geopackage(tmp_path / "city.gpkg", {"spots": [((24.9, 60.1), FEATURE[1])]})
    with sqlite3.connect(path) as database:
        database.execute("ALTER TABLE spots RENAME TO hidden")
        database.execute("CREATE VIEW spots AS SELECT * FROM hidden")
    database.close()
    with pytest.raises(ImportFailed, match="no plain table"):
        run(path, GEOMETRY)


def test_an_archive_with_a_link_two_files_or_none(run: Import, tmp_path: Path) -> None:
    archive = tmp_path / "spots.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        entry = zipfile.ZipInfo("spots.csv")
        entry.external_attr = 0o120777 << 16
        zipped.writestr(entry, "/etc/passwd")
    with pytest.raises(ImportFailed, match="holds a link"):
        run(archive)
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("a.csv", "id\n")
        zipped.writestr("../../b.csv", "id\n")
    with pytest.raises(ImportFailed, match=r"it holds a\.csv, \.\./\.\./b\.csv"):
        run(archive)
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("readme.md", "")
    with pytest.raises(ImportFailed, match="it holds none"):
        run(archive)
    archive.write_bytes(archive.read_bytes()[:-9])
    with pytest.raises(ImportFailed):
        run(archive)
