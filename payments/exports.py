"""Rows of a query as a file: CSV streamed by COPY, also packed, and XLSX.

Knows no model. Everything is read in one snapshot, so that a file agrees with the totals that
are taken in the same snapshot. The same rows make the same bytes, whenever a file is made.
"""

from __future__ import annotations

import hashlib
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

import xlsxwriter
from django.db import connection, transaction
from django.db.backends.postgresql.operations import DatabaseOperations

MOST_XLSX_ROWS = 1_048_575  # a sheet has one more, for the heading
CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "csv.gz": "application/gzip",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_CHUNK = 1 << 16
_FETCHED = 2000
_GZIP = 31  # a gzip header without a name or a time
# A workbook bears the moment at which it was made; one for all keeps equal files equal.
_MADE = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)


class TooManyRows(Exception):
    """More rows than a sheet has."""


@contextmanager
def snapshot() -> Iterator[None]:
    """Read everything inside as it is at the first question, and write nothing.

    Inside an open transaction (of a test, say) that transaction's own view is kept.
    """
    nested = connection.in_atomic_block
    with transaction.atomic():
        if not nested:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


class File:
    """A file as it is sent: its chunks, and then its rows, length and hash.

    `on_rows` is told now and then how many rows are done, and may raise to end the work.
    """

    def __init__(
        self,
        query: str,
        parameters: Mapping[str, Any],
        *,
        kind: str,
        on_rows: Callable[[int], None] | None = None,
    ) -> None:
        self._query, self._parameters = query, parameters
        self._write = {"csv": self._csv, "csv.gz": self._packed, "xlsx": self._workbook}[kind]
        self._on_rows = on_rows or (lambda rows: None)
        self._hash = hashlib.sha256()
        self.rows = 0

    @property
    def sha256(self) -> str:
        """The hash of what has been sent so far, in hex."""
        return self._hash.hexdigest()

    def chunks(self) -> Iterator[bytes]:
        """Yield the file. Call it inside a snapshot.

        Raises:
            TooManyRows: see there.
        """
        for chunk in self._write():
            self._hash.update(chunk)
            yield chunk

    def _csv(self) -> Iterator[bytes]:
        copy = cast(DatabaseOperations, connection.ops).compose_sql(self._query, self._parameters)
        lines = -1  # the heading is no row
        with connection.cursor() as cursor:
            with cursor.copy(f"COPY ({copy}) TO STDOUT (FORMAT csv, HEADER)") as rows:
                pieces: list[bytes] = []
                size = 0
                for row in rows:  # COPY sends each line as a piece of its own
                    pieces.append(row)
                    size += len(row)
                    if size >= _CHUNK:
                        lines += len(pieces)
                        self.rows = lines
                        self._on_rows(lines)
                        yield b"".join(pieces)
                        pieces.clear()
                        size = 0
                self.rows = lines + len(pieces)
                yield b"".join(pieces)

    def _packed(self) -> Iterator[bytes]:
        packer = zlib.compressobj(level=6, wbits=_GZIP)
        for chunk in self._csv():
            if packed := packer.compress(chunk):
                yield packed
        yield packer.flush()

    def _workbook(self) -> Iterator[bytes]:
        with tempfile.TemporaryDirectory() as folder:
            with tempfile.TemporaryFile(dir=folder) as file:
                self._fill(file, folder)
                file.seek(0)
                yield from iter(lambda: file.read(_CHUNK), b"")

    def _fill(self, file: Any, folder: str) -> None:
        workbook = xlsxwriter.Workbook(
            file,
            {
                "constant_memory": True,
                "tmpdir": folder,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "remove_timezone": True,
                "default_date_format": "yyyy-mm-dd",
            },
        )
        workbook.set_properties({"created": _MADE})
        sheet = workbook.add_worksheet()
        heading = workbook.add_format({"bold": True, "bottom": 1})
        sheet.freeze_panes(1, 0)
        with connection.chunked_cursor() as cursor:
            cursor.execute(self._query, dict(self._parameters))
            while rows := cursor.fetchmany(_FETCHED):
                if not self.rows:
                    self._head(sheet, cursor, heading)
                for row in rows:
                    self.rows += 1
                    if self.rows > MOST_XLSX_ROWS:
                        raise TooManyRows
                    sheet.write_row(self.rows, 0, map(_cell, row))
                self._on_rows(self.rows)
            if not self.rows:
                self._head(sheet, cursor, heading)
            width = len(cursor.description or ())
        sheet.autofilter(0, 0, self.rows, width - 1)
        workbook.close()

    @staticmethod
    def _head(sheet: Any, cursor: Any, form: Any) -> None:
        names = [column.name for column in cursor.description]
        sheet.set_column(0, len(names) - 1, 18)
        sheet.write_row(0, 0, names, form)


def _cell(value: Any) -> Any:
    # A spreadsheet keeps 15 digits; more than that is a name, not a number.
    if isinstance(value, int | Decimal) and len(str(abs(value))) > 15:
        return str(value)
    return value
