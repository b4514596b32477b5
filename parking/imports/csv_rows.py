"""Read a CSV file: any encoding, any delimiter, and every row that is not in order by its number.

Python reads CSV here, not GDAL: GDAL's driver does not decode old encodings, and it fills up or
cuts rows of the wrong length in silence, which is how a price ends in the column of the street.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from pathlib import Path

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from parking.imports.errors import ImportFailed
from parking.imports.mapping import FileRules
from parking.imports.rows import Row, Source

_DELIMITERS = (",", ";", "\t", "|")
_LONGEST_FIELD = 1_000_000  # the outline of a zone as WKT may be long
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def open_csv(path: Path, rules: FileRules) -> Source:
    """Open a CSV file whose first line names the columns.

    Raises:
        ImportFailed: it is empty, its header cannot be read, or it is not text.
    """
    encoding = rules.encoding or _encoding(path)
    lines = list(io.StringIO(_text(path, encoding), newline=""))  # only CR and LF end a line
    if not lines or not lines[0].strip():
        raise ImportFailed(_("%(file)s: the first line must name the columns") % {"file": path})
    if _broken(lines[0]):
        raise ImportFailed(
            _("%(file)s: the names of the columns are not %(encoding)s; set file.encoding")
            % {"file": path, "encoding": encoding}
        )
    delimiter = rules.delimiter or _delimiter(lines[0])
    csv.field_size_limit(_LONGEST_FIELD)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        columns = [name.strip() for name in next(reader)]
    except csv.Error as error:
        raise ImportFailed(f"{path}: {error}") from error
    twice = {name for name in columns if name and columns.count(name) > 1}
    if twice:
        raise ImportFailed(
            _("%(file)s: two columns have the name %(names)s")
            % {"file": path, "names": ", ".join(sorted(twice))}
        )
    return Source(
        columns=tuple(columns),
        rows=_rows(path, reader, columns, encoding),
        total=len(lines) - 1,
        srs=None,
        has_geometry=False,
    )


def _rows(
    path: Path, reader: Iterator[list[str]], columns: list[str], encoding: str
) -> Iterator[Row]:
    number = 1
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "unexpected end of data" in str(error) or "field larger" in str(error):
                # The quote swallowed the rows after it: going on would leave them out in silence.
                raise ImportFailed(
                    _("%(file)s: row %(row)s: a quote is opened and never closed")
                    % {"file": path, "row": number}
                ) from error
            yield Row(number=number, problem=_("is not CSV: %(why)s") % {"why": error})
            continue
        if not cells:
            continue  # an empty line is nobody's spot
        if len(cells) != len(columns):
            yield Row(
                number=number,
                problem=ngettext(
                    "has %(cells)s field, the header has %(columns)s",
                    "has %(cells)s fields, the header has %(columns)s",
                    len(cells),
                )
                % {"cells": len(cells), "columns": len(columns)},
            )
        elif any(_broken(cell) for cell in cells):
            yield Row(
                number=number,
                problem=_("holds bytes that are not %(encoding)s; set file.encoding")
                % {"encoding": encoding},
            )
        else:
            cleaned = (cell.strip() for cell in cells)
            yield Row(number=number, values=dict(zip(columns, cleaned, strict=True)))


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(4)
    for mark, encoding in _BYTE_ORDER_MARKS:
        if start.startswith(mark):
            return encoding
    return "utf-8"


def _text(path: Path, encoding: str) -> str:
    data = path.read_bytes()
    try:
        return data.decode(encoding, errors="surrogateescape")
    except (UnicodeError, ValueError) as error:
        raise ImportFailed(
            _("%(file)s: is not %(encoding)s; set file.encoding")
            % {"file": path, "encoding": encoding}
        ) from error


def _broken(text: str) -> bool:
    # An undecodable byte became a lone surrogate; PostgreSQL takes neither that nor a zero.
    if text.isascii():
        return "\0" in text
    return any(sign == "\0" or "\udc80" <= sign <= "\udcff" for sign in text)


def _delimiter(header: str) -> str:
    outside_quotes = "".join(header.split('"')[::2])
    return max(_DELIMITERS, key=outside_quotes.count)
