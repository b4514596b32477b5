"""Which files may be read, and by which reader. Nothing here follows a path out of the file."""

from __future__ import annotations

import sqlite3
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

import orjson
from django.utils.translation import gettext as _

from parking.imports.csv_rows import open_csv
from parking.imports.errors import ImportFailed
from parking.imports.gdal_rows import open_with_gdal
from parking.imports.mapping import FileRules
from parking.imports.rows import Source

_DRIVERS = {
    ".geojson": "GeoJSON",
    ".json": "GeoJSON",
    ".shp": "ESRI Shapefile",
    ".gpkg": "GPKG",
}
_TEXT = frozenset({".csv", ".tsv", ".txt"})
_BESIDE_A_SHAPEFILE = frozenset({".shx", ".dbf", ".prj", ".cpg"})
_LARGEST_UNPACKED = 2 * 1024**3


@contextmanager
def open_rows(path: Path, rules: FileRules) -> Iterator[Source]:
    """Open a city's file by its ending: .geojson .json .csv .tsv .txt .shp .gpkg, or one in a .zip.

    Raises:
        ImportFailed: it is no plain file of these, or cannot be read as one.
    """
    path = checked(path)
    if path.suffix.lower() != ".zip":
        with _open(path, rules) as source:
            yield source
        return
    with tempfile.TemporaryDirectory(prefix="curblight-import-") as folder:
        with _open(_unpacked(path, Path(folder)), rules) as source:
            yield source


def checked(path: Path) -> Path:
    """Return the real path of a plain file.

    Raises:
        ImportFailed: it is an address, one of GDAL's virtual paths, a folder, a device, or a link
            that leads out of its folder.
    """
    text = str(path)
    if "/vsi" in text.lower() or text.lower().startswith("vsi"):
        raise ImportFailed(_("%(file)s: virtual paths are not read") % {"file": text})
    if "://" in text or ":/" in text:
        raise ImportFailed(
            _("%(file)s: addresses are not read; download it first") % {"file": text}
        )
    try:
        real = path.resolve(strict=True)
        folder = path.parent.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a zero in the name
        raise ImportFailed(_("%(file)s: no such file") % {"file": text}) from error
    if not real.is_relative_to(folder):
        raise ImportFailed(_("%(file)s: is a link that leads out of its folder") % {"file": text})
    if not real.is_file():
        raise ImportFailed(_("%(file)s: is not a file") % {"file": text})
    return real


@contextmanager
def _open(path: Path, rules: FileRules) -> Iterator[Source]:
    suffix = path.suffix.lower()
    if suffix in _TEXT:
        yield open_csv(path, rules)
        return
    driver = _DRIVERS.get(suffix)
    if driver is None:
        known = " ".join(sorted({*_TEXT, *_DRIVERS, ".zip"}))
        raise ImportFailed(
            _("%(file)s: unknown format; known are %(known)s") % {"file": path, "known": known}
        )
    if driver == "GeoJSON":
        _check_geojson(path)
    elif driver == "GPKG":
        _check_geopackage(path)
    else:
        for beside in path.parent.glob(f"{path.stem}.*"):
            checked(beside)
    with open_with_gdal(path, driver, rules) as source:
        yield source


def _unpacked(path: Path, folder: Path) -> Path:
    """Unpack the one data file of an archive, with what stands beside a shapefile."""
    known = {*_DRIVERS, *_TEXT}
    try:
        with zipfile.ZipFile(path) as archive:
            members = [
                member
                for member in archive.infolist()
                if not member.is_dir() and not member.filename.startswith("__MACOSX/")
            ]
            found = [m for m in members if PurePosixPath(m.filename).suffix.lower() in known]
            if len(found) != 1:
                names = ", ".join(member.filename for member in found) or _("none")
                raise ImportFailed(
                    _("%(file)s: must hold one data file; it holds %(names)s")
                    % {"file": path, "names": names}
                )
            wanted = [m for m in members if m is found[0] or _stands_beside(m, found[0])]
            if sum(member.file_size for member in wanted) > _LARGEST_UNPACKED:
                raise ImportFailed(_("%(file)s: is too large when unpacked") % {"file": path})
            for member in wanted:
                if stat.S_ISLNK(member.external_attr >> 16):
                    raise ImportFailed(_("%(file)s: holds a link") % {"file": path})
                target = folder / f"data{PurePosixPath(member.filename).suffix.lower()}"
                # zipfile checks the declared size and the CRC while it reads
                target.write_bytes(archive.read(member))
            return folder / f"data{PurePosixPath(found[0].filename).suffix.lower()}"
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        raise ImportFailed(f"{path}: {error}") from error


def _stands_beside(member: zipfile.ZipInfo, main: zipfile.ZipInfo) -> bool:
    path, other = PurePosixPath(member.filename), PurePosixPath(main.filename)
    if path.suffix.lower() not in _BESIDE_A_SHAPEFILE:
        return False
    return path.with_suffix("") == other.with_suffix("")


def _check_geojson(path: Path) -> None:
    """Refuse what is no GeoJSON, and coordinate systems that GDAL would fetch from an address."""
    try:
        document = orjson.loads(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise ImportFailed(
            _("%(file)s: is not JSON: %(why)s") % {"file": path, "why": error}
        ) from error
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        raise ImportFailed(_("%(file)s: is no GeoJSON FeatureCollection") % {"file": path})
    features = document.get("features")
    if not isinstance(features, list):
        raise ImportFailed(_("%(file)s: has no list of features") % {"file": path})
    _check_crs(path, document)
    for feature in features:
        if isinstance(feature, dict):
            _check_crs(path, feature)
            _check_geometry_crs(path, feature.get("geometry"))


def _check_geometry_crs(path: Path, geometry: Any) -> None:
    if not isinstance(geometry, dict):
        return
    _check_crs(path, geometry)
    inner = geometry.get("geometries")
    for part in inner if isinstance(inner, list) else ():
        _check_geometry_crs(path, part)


def _check_crs(path: Path, owner: dict[str, Any]) -> None:
    crs = owner.get("crs")
    if isinstance(crs, dict) and str(crs.get("type")).lower() not in {"name", "epsg"}:
        raise ImportFailed(
            _("%(file)s: its coordinate system is a link; set file.crs and remove “crs”")
            % {"file": path}
        )


def _check_geopackage(path: Path) -> None:
    """Refuse layers that are not plain tables: a view may call whatever GDAL gives to SQL."""
    try:
        address = f"file:{quote(str(path))}?mode=ro&immutable=1"
        with closing(sqlite3.connect(address, uri=True)) as database:
            rows = database.execute(
                "SELECT contents.table_name, thing.type, thing.sql FROM gpkg_contents contents "
                "LEFT JOIN sqlite_master thing ON thing.name = contents.table_name"
            ).fetchall()
    except sqlite3.Error as error:
        raise ImportFailed(
            _("%(file)s: is no GeoPackage: %(why)s") % {"file": path, "why": error}
        ) from error
    for name, kind, sql in rows:
        if kind != "table" or "VIRTUAL" in str(sql).upper().split("(")[0]:
            raise ImportFailed(
                _("%(file)s: layer “%(layer)s” is no plain table; export it as one")
                % {"file": path, "layer": name}
            )
