"""Read GeoJSON, shapefiles and GeoPackages with GDAL, by these drivers and no other."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import c_char_p
from pathlib import Path

from django.contrib.gis.gdal import DataSource, Driver, GDALException, SpatialReference
from django.contrib.gis.gdal.feature import Feature
from django.contrib.gis.gdal.layer import Layer
from django.contrib.gis.gdal.prototypes import ds as capi
from django.contrib.gis.geos import GEOSException, GEOSGeometry
from django.utils.translation import gettext as _

from parking.imports.errors import ImportFailed
from parking.imports.mapping import FileRules
from parking.imports.rows import Row, Source

_OPEN_VECTOR_FOR_READING = capi.GDAL_OF_READONLY | capi.GDAL_OF_VECTOR


class _Said(logging.Handler):
    """Keep what GDAL says: it is the reason that a person needs, and no line for the log."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.last = str(record.args[-1]) if isinstance(record.args, tuple) else record.getMessage()
        if self.last.startswith("b'"):
            self.last = self.last[2:-1]

    def take(self, otherwise: str) -> str:
        """Return the last thing said, once."""
        said, self.last = self.last or otherwise, ""
        return said


@contextmanager
def _listening() -> Iterator[_Said]:
    logger = logging.getLogger("django.contrib.gis")
    said, propagate = _Said(), logger.propagate
    logger.addHandler(said)
    logger.propagate = False
    try:
        yield said
    finally:
        logger.removeHandler(said)
        logger.propagate = propagate


@contextmanager
def open_with_gdal(path: Path, driver: str, rules: FileRules) -> Iterator[Source]:
    """Open one layer of a file with one driver.

    Raises:
        ImportFailed: the driver cannot read the file, or the layer is not named clearly.
    """
    with _listening() as said:
        source = _open(path, driver, rules, said)
        layer = _layer(path, source, rules)
        columns = tuple(layer.fields)
        srs = layer.srs
        yield Source(
            columns=columns,
            rows=_rows(path, layer, columns, said, reads_ahead=driver == "GeoJSON"),
            total=layer.num_feat,
            srs=SpatialReference(srs.wkt) if srs is not None else None,
            has_geometry=True,
        )


def _open(path: Path, driver: str, rules: FileRules, said: _Said) -> DataSource:
    allowed = (c_char_p * 2)(driver.encode(), None)
    options = []
    if rules.encoding and driver == "ESRI Shapefile":
        options.append(f"ENCODING={rules.encoding}".encode())
    try:
        # Django's DataSource(path) asks every driver, also those that follow links out of a file.
        Driver.ensure_registered()
        pointer = capi.open_ds(
            str(path).encode(),
            _OPEN_VECTOR_FOR_READING,
            allowed,
            (c_char_p * (len(options) + 1))(*options, None),
            None,
        )
        return DataSource(pointer, ds_driver=capi.get_dataset_driver(pointer))
    except GDALException as error:
        why = said.take(_("is no %(format)s") % {"format": driver})
        raise ImportFailed(f"{path}: {why}") from error


def _layer(path: Path, source: DataSource, rules: FileRules) -> Layer:
    layers = {layer.name: layer for layer in (source[place] for place in range(len(source)))}
    if rules.layer:
        if rules.layer in layers:
            return layers[rules.layer]
        raise ImportFailed(
            _("%(file)s: no layer “%(layer)s”; it has %(layers)s")
            % {"file": path, "layer": rules.layer, "layers": ", ".join(layers) or _("none")}
        )
    if len(layers) == 1:
        return next(iter(layers.values()))
    if not layers:
        raise ImportFailed(_("%(file)s: has no layer") % {"file": path})
    raise ImportFailed(
        _("%(file)s: has several layers, choose one with --layer: %(layers)s")
        % {"file": path, "layers": ", ".join(layers)}
    )


def _rows(
    path: Path, layer: Layer, columns: tuple[str, ...], said: _Said, *, reads_ahead: bool
) -> Iterator[Row]:
    features = iter(layer)
    number = 0
    while True:
        number += 1
        said.last = ""
        try:
            feature = next(features)
            if reads_ahead:
                said.last = ""  # it may be about any row
        except StopIteration:
            return
        except GDALException as error:
            # GDAL counts the rows from the file's head; a file cut short ends before them.
            raise ImportFailed(
                _("%(file)s: row %(row)s cannot be read: %(why)s")
                % {"file": path, "row": number, "why": said.take(_("the file ends too soon"))}
            ) from error
        yield _row(number, feature, columns, said)


def _row(number: int, feature: Feature, columns: tuple[str, ...], said: _Said) -> Row:
    try:
        values = {
            name: (feature[place].as_string() or "").strip() for place, name in enumerate(columns)
        }
    except UnicodeDecodeError:
        return Row(number=number, problem=_("holds bytes that are not UTF-8; set file.encoding"))
    try:
        geometry: GEOSGeometry | None = GEOSGeometry(feature.geom.wkb)
    except GDALException:
        geometry = None  # GDAL has no other answer for “null”
        if said.last:
            return Row(number=number, problem=said.take(""))
    except GEOSException as error:
        return Row(number=number, problem=_("its geometry is broken: %(why)s") % {"why": error})
    return Row(number=number, values=values, geometry=geometry)
