"""Rows of a query as a file: CSV streamed by COPY, XLSX for what a spreadsheet can hold.

Knows no model. Everything is read in one snapshot, so that a file agrees with the totals that
are taken in the same snapshot.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, cast

import xlsxwriter
from django.db import connection, transaction
from django.db.backends.postgresql.operations import DatabaseOperations

MOST_XLSX_ROWS = 100_000
_CHUNK = 1 << 16


class TooManyRows(Exception):
    """More rows than a spreadsheet should be asked to open."""


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


class CsvFile:
    """A CSV file as it is sent: its chunks, and then its length, rows and hash."""

    def __init__(self, query: str, parameters: Mapping[str, Any]) -> None:
        self._query, self._parameters = query, parameters
        self._hash = hashlib.sha256()
        self.rows = -1  # the heading is no row

    @property
    def sha256(self) -> str:
        """The hash of what has been sent so far, in hex."""
        return self._hash.hexdigest()

    def chunks(self) -> Iterator[bytes]:
        """Yield the file. Call it inside a snapshot."""
        with connection.cursor() as cursor:
            copy = cast(DatabaseOperations, connection.ops).compose_sql(
                self._query, self._parameters
            )
            with cursor.copy(f"COPY ({copy}) TO STDOUT (FORMAT csv, HEADER)") as rows:
                buffer = bytearray()
                for row in rows:  # COPY sends each line as a piece of its own
                    self.rows += 1
                    buffer += row
                    if len(buffer) >= _CHUNK:
                        yield self._count(buffer)
                        buffer.clear()
                yield self._count(buffer)

    def _count(self, buffer: bytearray) -> bytes:
        chunk = bytes(buffer)
        self._hash.update(chunk)
        return chunk


def xlsx(query: str, parameters: Mapping[str, Any]) -> tuple[io.BytesIO, int]:
    """Return a workbook with the rows of a query, and how many. Call it inside a snapshot.

    Raises:
        TooManyRows: see there.
    """
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        names = [column.name for column in cursor.description]
        rows = cursor.fetchmany(MOST_XLSX_ROWS + 1)
    if len(rows) > MOST_XLSX_ROWS:
        raise TooManyRows
    file = io.BytesIO()
    workbook = xlsxwriter.Workbook(
        file,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "remove_timezone": True,
            "default_date_format": "yyyy-mm-dd",
        },
    )
    sheet = workbook.add_worksheet()
    heading = workbook.add_format({"bold": True, "bottom": 1})
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(names) - 1, 18)
    sheet.write_row(0, 0, names, heading)
    for index, row in enumerate(rows, start=1):
        sheet.write_row(index, 0, [_cell(value) for value in row])
    sheet.autofilter(0, 0, len(rows), len(names) - 1)
    workbook.close()
    file.seek(0)
    return file, len(rows)


def _cell(value: Any) -> Any:
    # A spreadsheet keeps 15 digits; more than that is a name, not a number.
    if isinstance(value, int | Decimal) and len(str(abs(value))) > 15:
        return str(value)
    return value
