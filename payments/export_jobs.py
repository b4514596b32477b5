"""Files that a worker makes: asked for, claimed by one worker, written piece by piece, sent later.

A worker that makes one says so with each piece. Where it falls silent for `SILENT`, the next one
takes the file over from the beginning; after `MOST_ATTEMPTS` it has failed. Only the latest claim
can finish it. The pieces stand in the database, so that any machine of the site can send them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, connections, transaction
from django.db.models import Q

from payments import audit_files
from payments.audit_tables import TABLES, Table
from payments.models import OPEN_EXPORT_STATES, ExportJob, ExportLog, ExportPart, ExportState
from payments.reports import Range

SILENT = timedelta(minutes=2)  # a sort of some tens of millions of rows tells nothing meanwhile
MOST_ATTEMPTS = 3
_PIECE = 1 << 20


class Lost(Exception):
    """Another worker has taken the file over; what this one makes is not wanted."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A claimed file as plain data."""

    id: int
    attempt: int
    table: Table
    format: str
    covered: Range
    log: ExportLog


def ask(
    *, table: Table, kind: str, covered: Range, rows: int, user: User, now: datetime
) -> ExportJob:
    """Enter a file in the log and leave it to a worker."""
    with transaction.atomic():
        log = audit_files.enter(table=table, kind=kind, covered=covered, user=user, now=now)
        return ExportJob.objects.create(log=log, table=table.key, format=kind, total=rows)


def claim(*, now: datetime) -> Run | None:
    """Take the oldest open file; None while there is none, or another one is being made.

    One at a time, on all machines together: the site's own work needs the cores too.
    """
    alive = Q(state=ExportState.RUNNING, beat_at__gt=now - SILENT)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('export_jobs.claim'))")
        jobs = ExportJob.objects.filter(state__in=OPEN_EXPORT_STATES)
        if jobs.filter(alive).exists():
            return None
        jobs.filter(attempts__gte=MOST_ATTEMPTS).update(
            state=ExportState.FAILED, ended_at=now, failure="its worker died, again and again"
        )
        found = jobs.select_related("log__user").order_by("id").first()
        if found is None:
            return None
        found.attempts += 1
        ExportJob.objects.filter(pk=found.pk).update(
            state=ExportState.RUNNING, attempts=found.attempts, beat_at=now, done=0
        )
    return Run(
        id=found.pk,
        attempt=found.attempts,
        table=TABLES[found.table],
        format=found.format,
        covered=Range.read(found.log.parameters),
        log=found.log,
    )


class Pieces:
    """Where a run lays its pieces: on a connection of its own, beside the snapshot it reads."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._connection = connections.create_connection("default")
        self._buffer = bytearray()
        self._position = 0

    def __enter__(self) -> Pieces:
        return self

    def __exit__(self, *_: Any) -> None:
        self._connection.close()

    def add(self, chunk: bytes) -> None:
        """Add to the file."""
        self._buffer += chunk
        if len(self._buffer) >= _PIECE:
            self.lay()

    def lay(self) -> None:
        """Store what has gathered as one piece."""
        with self._connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO payments_exportpart (job_id, attempt, position, data)"
                " VALUES (%s, %s, %s, %s)",
                [self._run.id, self._run.attempt, self._position, bytes(self._buffer)],
            )
        self._position += 1
        self._buffer.clear()

    def tell(self, rows: int, now: datetime) -> None:
        """Say that the run is alive, and how far it is.

        Raises:
            Lost: see there.
        """
        with self._connection.cursor() as cursor:
            cursor.execute(
                "UPDATE payments_exportjob SET done = %s, beat_at = %s"
                " WHERE id = %s AND attempts = %s AND state = 'running'",
                [rows, now, self._run.id, self._run.attempt],
            )
            if not cursor.rowcount:
                raise Lost(self._run.id)


def finish(*, run: Run, making: audit_files.Making, now: datetime) -> None:
    """Write the manifest and let the file be fetched.

    Raises:
        Lost: see there.
    """
    with transaction.atomic():
        mine = ExportJob.objects.select_for_update().filter(
            pk=run.id, state=ExportState.RUNNING, attempts=run.attempt
        )
        if not mine.exists():
            raise Lost(run.id)
        making.complete(run.log)
        ExportPart.objects.filter(job=run.id).exclude(attempt=run.attempt).delete()
        mine.update(state=ExportState.DONE, done=making.rows, total=making.rows, ended_at=now)


def fail(*, run: Run, why: str, now: datetime) -> None:
    """Give the file up: trying again would not help."""
    _end(run, state=ExportState.FAILED, failure=why[:200], ended_at=now)


def give_back(*, run: Run, why: str, now: datetime) -> None:
    """Let the file be tried again; where it was tried often enough, it has failed."""
    if run.attempt >= MOST_ATTEMPTS:
        fail(run=run, why=why, now=now)
    else:
        _end(run, state=ExportState.QUEUED)


def pieces(job: ExportJob) -> Iterator[bytes]:
    """Yield the bytes of a finished file."""
    for number in range(job.parts.filter(attempt=job.attempts).count()):
        yield bytes(job.parts.get(attempt=job.attempts, position=number).data)


def ahead_of(job: ExportJob) -> int:
    """Return how many open files come before this one."""
    return ExportJob.objects.filter(state__in=OPEN_EXPORT_STATES, pk__lt=job.pk).count()


def forget(*, now: datetime) -> int:
    """Remove files that were kept long enough; their lines in the log stay."""
    old = ExportJob.objects.filter(
        state=ExportState.DONE, ended_at__lt=now - timedelta(days=settings.EXPORT_KEEP_DAYS)
    )
    with transaction.atomic():
        ids = list(old.select_for_update().values_list("pk", flat=True))
        ExportPart.objects.filter(job__in=ids).delete()
        return ExportJob.objects.filter(pk__in=ids).update(state=ExportState.FORGOTTEN)


def _end(run: Run, **values: Any) -> None:
    with transaction.atomic():
        mine = ExportJob.objects.filter(pk=run.id, state=ExportState.RUNNING, attempts=run.attempt)
        if mine.update(**values):
            ExportPart.objects.filter(job=run.id).delete()
