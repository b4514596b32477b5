"""The desk's questions: asked, claimed by one worker at a time, answered or given up.

A worker that runs one says so about every second. Where it falls silent for `SILENT`, the next one
takes the question over from the beginning; after `MOST_ATTEMPTS` it has failed. Only the latest
claim of a run can write to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Q

from parking.models import OPEN_STATES, SimulationState, TariffSimulation, TariffVersion
from parking.what_if.figures import Figures

SILENT = timedelta(minutes=3)  # reading some tens of millions of stays tells nothing meanwhile
MOST_ATTEMPTS = 3


class Lost(Exception):
    """Another worker has taken the run over; what this one finds is not wanted."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A claimed question as plain data."""

    id: int
    attempt: int
    zone_id: int
    document: Mapping[str, Any]
    start_on: date
    end_on: date


def ask(
    *, version: TariffVersion, start_on: date, end_on: date, by: User | None, now: datetime
) -> TariffSimulation:
    """Write a question about the local days `[start_on, end_on)` down; a task answers it."""
    return TariffSimulation.objects.create(
        version=version,
        document=version.document,
        sha256=version.sha256,
        start_on=start_on,
        end_on=end_on,
        asked_by=by,
        asked_at=now,
    )


def claim(*, now: datetime) -> Run | None:
    """Take the oldest open question; None while there is none, or another one is running.

    One runs at a time, on all machines together: the site's own work needs the cores too.
    """
    alive = Q(state=SimulationState.RUNNING, beat_at__gt=now - SILENT)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('what_if.claim'))")
        questions = TariffSimulation.objects.filter(state__in=OPEN_STATES)
        if questions.filter(alive).exists():
            return None
        questions.filter(attempts__gte=MOST_ATTEMPTS).update(
            state=SimulationState.FAILED, ended_at=now
        )
        found = questions.select_related("version").order_by("id").first()
        if found is None:
            return None
        found.attempts += 1
        TariffSimulation.objects.filter(pk=found.pk).update(
            state=SimulationState.RUNNING,
            attempts=found.attempts,
            beat_at=now,
            done=0,
            total=None,
        )
    return Run(
        id=found.pk,
        attempt=found.attempts,
        zone_id=found.version.zone_id,
        document=found.document,
        start_on=found.start_on,
        end_on=found.end_on,
    )


def progress(*, run: Run, done: int, total: int, now: datetime) -> None:
    """Say that the run is alive, and how far it is.

    Raises:
        Lost: see there.
    """
    _write(run, done=done, total=total, beat_at=now)


def finish(*, run: Run, figures: Figures, now: datetime) -> None:
    """Store the answer, unless another worker has taken the run over."""
    total = figures.total.stays + figures.unsold_total.stays
    total += sum(apart.stays for apart in figures.left_out.values())
    try:
        _write(
            run,
            state=SimulationState.DONE,
            result=figures.as_json(),
            done=total,
            total=total,
            ended_at=now,
        )
    except Lost:
        return


def give_back(*, run: Run, now: datetime) -> None:
    """Let the run be tried again; where it was tried often enough, it has failed."""
    try:
        if run.attempt >= MOST_ATTEMPTS:
            _write(run, state=SimulationState.FAILED, ended_at=now)
        else:
            _write(run, state=SimulationState.QUEUED)
    except Lost:
        return


def ahead_of(simulation: TariffSimulation) -> int:
    """Return how many open questions come before this one."""
    return TariffSimulation.objects.filter(state__in=OPEN_STATES, pk__lt=simulation.pk).count()


def _write(run: Run, **values: Any) -> None:
    mine = TariffSimulation.objects.filter(
        pk=run.id, state=SimulationState.RUNNING, attempts=run.attempt
    )
    if not mine.update(**values):
        raise Lost(run.id)
