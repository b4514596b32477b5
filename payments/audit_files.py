"""The auditor's files: logged before the first byte, with a manifest after the last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User

from payments import exports, ledger, manifests
from payments.audit_tables import Table
from payments.models import ExportLog
from payments.reports import Range, Report, report

_WORKBOOK_TAKES = 10  # times as long as CSV


def file_name(table: Table, covered: Range, kind: str) -> str:
    """Return a name that says what the file covers."""
    parts = [covered.zone.code if covered.zone else "", covered.kind, covered.booking]
    named = "".join(f"-{part}" for part in parts if part)
    return f"curblight-{table.key}-{covered.first_on}-{covered.last_on}{named}.{kind}"


def is_large(*, rows: int, kind: str) -> bool:
    """Return whether a file of so many rows is made by a worker."""
    most: int = settings.EXPORT_DIRECT_ROWS
    return rows > (most // _WORKBOOK_TAKES if kind == "xlsx" else most)


def enter(*, table: Table, kind: str, covered: Range, user: User, now: datetime) -> ExportLog:
    """Write the line of a file into the log."""
    return manifests.begin(
        user=user,
        parameters={"table": table.key, "format": kind, **covered.parameters()},
        name=file_name(table, covered, kind),
        now=now,
    )


class Making:
    """A file on its way: its bytes first, then its manifest.

    `on_rows` is told now and then how many rows are done, and may raise to end the work.
    """

    def __init__(
        self,
        *,
        table: Table,
        kind: str,
        covered: Range,
        on_rows: Callable[[int], None] | None = None,
    ) -> None:
        self._table, self._covered = table, covered
        query, values = table.query(covered)
        self._file = exports.File(query, values, kind=kind, on_rows=on_rows)
        self._figures: Report | None = None
        self._head: dict[str, Any] = {}

    @property
    def rows(self) -> int:
        """How many rows were written so far."""
        return self._file.rows

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes of the file.

        Raises:
            payments.exports.TooManyRows: see there.
        """
        ledger.seal()
        with exports.snapshot():
            yield from self._file.chunks()
            if self._table.is_of_the_ledger:
                self._figures = report(self._covered)
            self._head = manifests.head()

    def complete(self, log: ExportLog) -> None:
        """Write the manifest of the file, now that all of it was sent."""
        manifests.complete(
            log=log,
            rows=self._file.rows,
            sha256=self._file.sha256,
            figures=self._figures,
            ledger_head=self._head,
        )


def send(*, table: Table, kind: str, covered: Range, user: User, now: datetime) -> Iterator[bytes]:
    """Yield the bytes of a file; its line in the log comes before them, its manifest after.

    A reader who goes away in the middle leaves a line without a manifest.

    Raises:
        payments.exports.TooManyRows: see there.
    """
    log = enter(table=table, kind=kind, covered=covered, user=user, now=now)
    making = Making(table=table, kind=kind, covered=covered)
    yield from making.chunks()
    making.complete(log)
