"""What every reader gives: the columns of a file and its rows, as text."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from django.contrib.gis.gdal import SpatialReference
from django.contrib.gis.geos import GEOSGeometry
from django.utils.translation import gettext as _

from parking.imports.errors import ImportFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the file, numbered as people count it.

    `number`: in a CSV file the header is row 1, as in a spreadsheet; elsewhere the first feature
    is 1. `values`: column → text, stripped, empty for null. `geometry`: in the file's own
    coordinates. `problem`: why the row cannot be used at all; then the rest is empty.
    """

    number: int
    values: Mapping[str, str] = field(default_factory=dict)
    geometry: GEOSGeometry | None = None
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Source:
    """An open file. `total` is the number of rows where it is known without reading them."""

    columns: tuple[str, ...]
    rows: Iterator[Row]
    total: int | None
    srs: SpatialReference | None
    has_geometry: bool


def check_columns(wanted: Mapping[str, str], source: Source, path: Path) -> None:
    """Refuse a mapping (column → its key) that names columns which the file does not have.

    Raises:
        ImportFailed: with every such key, what may have been meant, and what the file has.
    """
    problems = []
    for column, key in wanted.items():
        if column in source.columns:
            continue
        near = difflib.get_close_matches(column, source.columns, n=1)
        values = {"key": key, "column": column, "near": "".join(near)}
        text = _("%(key)s: the file has no column “%(column)s”") % values
        if near:
            text = (
                _("%(key)s: the file has no column “%(column)s”; did you mean “%(near)s”?") % values
            )
        problems.append(f"{path}: {text}")
    if problems:
        names = ", ".join(source.columns) or _("none")
        problems.append(_("columns of the file: %(names)s") % {"names": names})
        raise ImportFailed("\n".join(problems))
