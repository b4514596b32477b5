"""Write small city files in each format, byte by byte, as a city's own tools would."""

from __future__ import annotations

import csv
import json
import sqlite3
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.contrib.gis.gdal import SpatialReference
from django.contrib.gis.geos import GEOSGeometry

Place = tuple[float, float]
WGS84_WKT = SpatialReference(4326).wkt


def write_csv(
    path: Path, rows: Sequence[dict[str, Any]], *, delimiter: str = ",", encoding: str = "utf-8"
) -> Path:
    """Write a CSV file with a header."""
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_geojson(
    path: Path, features: Sequence[tuple[Any, dict[str, Any]]], *, crs: str = ""
) -> Path:
    """Write a FeatureCollection of (geometry or None, properties)."""
    document: dict[str, Any] = {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "geometry": geometry, "properties": properties}
            for geometry, properties in features
        ],
    }
    if crs:
        document["crs"] = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:{crs}"}}
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return path


def point(longitude: float, latitude: float) -> dict[str, Any]:
    """Return a GeoJSON point."""
    return {"type": "Point", "coordinates": [longitude, latitude]}


def box(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    """Return a GeoJSON polygon."""
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def write_shapefile(
    path: Path,
    rows: Sequence[tuple[Place, Sequence[str]]],
    columns: Sequence[str],
    *,
    wkt: str = WGS84_WKT,
    encoding: str = "utf-8",
) -> Path:
    """Write a shapefile of points: .shp, .shx, .dbf, .cpg, and .prj where `wkt` is given."""
    xs, ys = [x for (x, _y), _r in rows], [y for (_x, y), _r in rows]
    extent = struct.pack("<8d", min(xs), min(ys), max(xs), max(ys), 0, 0, 0, 0)

    def head(words: int) -> bytes:
        return struct.pack(">7i", 9994, 0, 0, 0, 0, 0, words) + struct.pack("<2i", 1000, 1) + extent

    shapes = b"".join(
        struct.pack(">2i", number, 10) + struct.pack("<i2d", 1, x, y)
        for number, ((x, y), _row) in enumerate(rows, 1)
    )
    offsets = b"".join(struct.pack(">2i", 50 + 14 * place, 10) for place in range(len(rows)))
    path.write_bytes(head(50 + len(shapes) // 2) + shapes)
    path.with_suffix(".shx").write_bytes(head(50 + len(offsets) // 2) + offsets)
    width = 40
    fields = b"".join(
        struct.pack("<11sc4xBB14x", name.encode(encoding)[:10], b"C", width, 0) for name in columns
    )
    record = 1 + width * len(columns)
    table = struct.pack("<B3BIHH20x", 3, 126, 1, 1, len(rows), 33 + len(fields), record)
    cells = b"".join(
        b" " + b"".join(value.encode(encoding).ljust(width) for value in row)
        for _place, row in rows
    )
    path.with_suffix(".dbf").write_bytes(table + fields + b"\r" + cells + b"\x1a")
    path.with_suffix(".cpg").write_text(encoding)
    if wkt:
        path.with_suffix(".prj").write_text(wkt)
    return path


def write_geopackage(
    path: Path,
    layers: dict[str, Sequence[tuple[Place | None, dict[str, str]]]],
    *,
    srid: int = 4326,
) -> Path:
    """Write a GeoPackage of point layers; all rows of a layer have the same columns."""
    with sqlite3.connect(path) as database:
        database.executescript(
            """
            PRAGMA application_id = 1196444487;
            PRAGMA user_version = 10300;
            CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY,
              organization TEXT NOT NULL, organization_coordsys_id INTEGER NOT NULL,
              definition TEXT NOT NULL, description TEXT);
            CREATE TABLE gpkg_contents (table_name TEXT PRIMARY KEY, data_type TEXT NOT NULL,
              identifier TEXT UNIQUE, description TEXT DEFAULT '', last_change DATETIME,
              min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER);
            CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL,
              geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL, z TINYINT, m TINYINT);
            """
        )
        definition = SpatialReference(srid).wkt
        database.execute(
            "INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, 'EPSG', ?, ?, '')",
            (f"EPSG:{srid}", srid, srid, definition),
        )
        for name, rows in layers.items():
            columns = list(rows[0][1])
            typed = "".join(f', "{column}" TEXT' for column in columns)
            database.execute(f'CREATE TABLE "{name}" (fid INTEGER PRIMARY KEY, geom POINT{typed})')
            database.execute(
                "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) "
                "VALUES (?, 'features', ?, ?)",
                (name, name, srid),
            )
            database.execute(
                "INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', 'POINT', ?, 0, 0)",
                (name, srid),
            )
            marks = ", ".join("?" * (len(columns) + 1))
            quoted = "".join(f', "{column}"' for column in columns)
            database.executemany(
                f'INSERT INTO "{name}" (geom{quoted}) VALUES ({marks})',
                [(_blob(place, srid), *row.values()) for place, row in rows],
            )
    database.close()
    return path


def _blob(place: Place | None, srid: int) -> bytes | None:
    if place is None:
        return None
    wkb = bytes(GEOSGeometry(f"POINT({place[0]!r} {place[1]!r})").wkb)
    return b"GP\x00\x01" + struct.pack("<i", srid) + wkb
