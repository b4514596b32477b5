"""The auditor's files: the lines of a range as CSV or XLSX, each with its manifest."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from datetime import datetime

from django.contrib.auth.models import User

from payments import exports, ledger, manifests
from payments.report_lines import lines
from payments.reports import Range, report


def file_name(covered: Range, extension: str) -> str:
    """Return a name that says what the file covers."""
    zone = f"-{covered.zone.code}" if covered.zone else ""
    return f"curblight-ledger-{covered.first_on}-{covered.last_on}{zone}.{extension}"


def as_csv(*, covered: Range, user: User, now: datetime) -> Iterator[bytes]:
    """Yield the CSV file of a range; its log line is written first, its manifest last.

    A reader who goes away in the middle leaves a log line without a manifest.
    """
    ledger.seal()
    log = manifests.begin(user=user, covered=covered, name=file_name(covered, "csv"), now=now)
    file = exports.CsvFile(*lines(covered))
    with exports.snapshot():
        yield from file.chunks()
        figures, head = report(covered), manifests.head()
    manifests.complete(
        log=log, rows=file.rows, sha256=file.sha256, figures=figures, ledger_head=head
    )


def as_xlsx(*, covered: Range, user: User, now: datetime) -> io.BytesIO:
    """Return the workbook of a range, logged and with its manifest.

    Raises:
        payments.exports.TooManyRows: take the CSV file.
    """
    ledger.seal()
    with exports.snapshot():
        file, rows = exports.xlsx(*lines(covered))
        figures, head = report(covered), manifests.head()
    log = manifests.begin(user=user, covered=covered, name=file_name(covered, "xlsx"), now=now)
    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    manifests.complete(log=log, rows=rows, sha256=sha256, figures=figures, ledger_head=head)
    return file
