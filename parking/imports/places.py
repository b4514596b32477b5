"""Where a row stands: from any coordinate system to longitude and latitude."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from django.conf import settings
from django.contrib.gis.gdal import CoordTransform, GDALException, SpatialReference
from django.contrib.gis.geos import GEOSException, GEOSGeometry, Point, WKTReader
from django.utils.translation import gettext as _

from parking.imports.errors import ImportFailed, RowRefused
from parking.imports.mapping import FileRules, PlaceRules, Value
from parking.imports.rows import Row, Source

METRES_PER_DEGREE = 111_195.0  # of latitude, on the mean sphere
_FAR_KM = 300.0  # further from its own centre lies no city
DECIMALS = 7  # a centimetre; two runs of two PROJ versions agree that far


@dataclass(frozen=True, slots=True)
class Plane:
    """A flat metric plane around a point: distances within a city are right to half a percent."""

    longitude: float
    latitude: float

    @property
    def _metres_east(self) -> float:
        return METRES_PER_DEGREE * math.cos(math.radians(self.latitude))

    def metres(self, longitude: float, latitude: float) -> tuple[float, float]:
        """Return metres east and north of the plane's origin."""
        return (
            (longitude - self.longitude) * self._metres_east,
            (latitude - self.latitude) * METRES_PER_DEGREE,
        )

    def degrees(self, east: float, north: float) -> tuple[float, float]:
        """Return the longitude and latitude of a point of the plane, rounded to a centimetre."""
        return (
            round(self.longitude + east / self._metres_east, DECIMALS),
            round(self.latitude + north / METRES_PER_DEGREE, DECIMALS),
        )


class Locator:
    """Turns rows into geometries in longitude and latitude."""

    def __init__(self, *, place: PlaceRules, file: FileRules, source: Source, path: Path) -> None:
        self._place = place
        self.notes: list[str] = []
        self._transform: CoordTransform | None = None
        if not place.degrees:
            self._transform = CoordTransform(
                self._system(file, source, path), SpatialReference(4326)
            )

    def _system(self, file: FileRules, source: Source, path: Path) -> SpatialReference:
        if file.crs:
            stated = _system_of(file.crs)
            if source.srs is not None and source.srs.wkt != stated.wkt:
                self.notes.append(
                    _("the file says %(file)s; the mapping's %(mapping)s is taken")
                    % {"file": source.srs.name, "mapping": file.crs}
                )
            return stated
        if source.srs is not None:
            return source.srs
        if self._place.wkt is not None:
            return SpatialReference(4326)
        if self._place.x is None and source.has_geometry:
            raise ImportFailed(
                _("%(file)s: names no coordinate system; set file.crs") % {"file": path}
            )
        raise ImportFailed(
            _(
                "%(file)s: has no geometry; set place.longitude and place.latitude, "
                "place.x and place.y, or place.wkt"
            )
            % {"file": path}
        )

    def locate(self, row: Row) -> GEOSGeometry:
        """Return the row's geometry in longitude and latitude.

        Raises:
            RowRefused: it has none, or it lies nowhere on Earth.
        """
        geometry = self._given(row)
        if self._transform is not None:
            try:
                geometry.transform(self._transform)
            except (GDALException, GEOSException) as error:
                raise RowRefused(
                    _("its coordinates do not exist in the file's coordinate system")
                ) from error
        geometry.srid = 4326
        west, south, east, north = _extent(geometry)
        if not all(map(math.isfinite, (west, south, east, north))):
            raise RowRefused(_("its coordinates are no numbers"))
        if not (west >= -180 and east <= 180 and south >= -90 and north <= 90):
            swapped = west >= -90 and east <= 90 and south >= -180 and north <= 180
            text = _("%(x)g, %(y)g is no longitude and latitude")
            if swapped:
                text = _(
                    "%(x)g, %(y)g is no longitude and latitude; longitude and latitude seem to be "
                    "swapped"
                )
            raise RowRefused(text % {"x": west, "y": south})
        return geometry

    def _given(self, row: Row) -> GEOSGeometry:
        place = self._place
        if place.x is not None and place.y is not None:
            x, y = place.x.of(row.values), place.y.of(row.values)
            if not x or not y:
                names = " / ".join((*place.x.columns, *place.y.columns))
                raise RowRefused(_("has no position: %(columns)s is empty") % {"columns": names})
            return Point(_coordinate(place.x, x), _coordinate(place.y, y))
        if place.wkt is not None:
            text = place.wkt.of(row.values)
            if not text:
                raise RowRefused(_("has no geometry that can be read"))
            try:
                geometry: GEOSGeometry = WKTReader().read(text)
            except (GEOSException, ValueError) as error:
                raise RowRefused(_("“%(text)s” is no WKT") % {"text": text[:40]}) from error
        elif row.geometry is None:
            raise RowRefused(_("has no geometry that can be read"))
        else:
            geometry = row.geometry
        if geometry.empty:
            raise RowRefused(_("has no geometry that can be read"))
        return geometry


def _extent(geometry: GEOSGeometry) -> tuple[float, float, float, float]:
    if isinstance(geometry, Point):  # the envelope of a point costs more than the point
        x, y = geometry.x, geometry.y
        return x, y, x, y
    west, south, east, north = geometry.extent
    return west, south, east, north


def _system_of(crs: str) -> SpatialReference:
    try:
        return SpatialReference(crs)
    except GDALException as error:
        raise ImportFailed(_("file.crs: %(crs)s is not known to PROJ") % {"crs": crs}) from error


def _coordinate(value: Value, text: str) -> float:
    if "," in text and "." not in text:
        text = text.replace(",", ".")  # a decimal comma
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise RowRefused(_("%(key)s: “%(text)s” is no number") % {"key": value.path, "text": text})
    return number


@dataclass(frozen=True)
class Middle:
    """The middle of all rows of a file, by which a row far off is known."""

    longitude: float
    latitude: float
    within_km: float

    @classmethod
    def of(cls, points: Sequence[tuple[float, float]], *, within_km: float) -> Middle:
        """Return the middle of longitudes and latitudes; medians, so that strays do not move it."""
        return cls(
            median(longitude for longitude, _latitude in points),
            median(latitude for _longitude, latitude in points),
            within_km,
        )

    def check(self, longitude: float, latitude: float) -> None:
        """Refuse a point that lies too far from the others.

        Raises:
            RowRefused: with the distance, and a hint where the coordinates are swapped.
        """
        away = kilometres(self.longitude, self.latitude, longitude, latitude)
        if away <= self.within_km:
            return
        swapped = (
            abs(longitude) <= 90
            and kilometres(self.longitude, self.latitude, latitude, longitude) <= self.within_km
        )
        text = _("%(x)g, %(y)g lies %(km)d km from the rest of the file")
        if swapped:
            text = _(
                "%(x)g, %(y)g lies %(km)d km from the rest of the file; longitude and latitude are "
                "swapped in this row"
            )
        raise RowRefused(text % {"x": longitude, "y": latitude, "km": away})

    def doubt(self) -> str:
        """Say what is odd about the whole file's place, or nothing."""
        centre = settings.CITY_CENTRE
        away = kilometres(centre[0], centre[1], self.longitude, self.latitude)
        if away <= _FAR_KM:
            return ""
        text = _("the file lies %(km)d km from the city's centre (CITY_CENTRE)")
        if (
            abs(self.longitude) <= 90
            and kilometres(centre[0], centre[1], self.latitude, self.longitude) <= _FAR_KM
        ):
            text = _(
                "the file lies %(km)d km from the city's centre (CITY_CENTRE); its longitudes and "
                "latitudes seem to be swapped"
            )
        return text % {"km": away}


def kilometres(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> float:
    """Return the distance of two points on the mean sphere."""
    a, b = math.radians(lat_a), math.radians(lat_b)
    chord = (
        math.sin((b - a) / 2) ** 2
        + math.cos(a) * math.cos(b) * math.sin(math.radians(lon_b - lon_a) / 2) ** 2
    )
    return 2 * math.asin(min(1.0, math.sqrt(chord))) * METRES_PER_DEGREE * 180 / math.pi / 1000
