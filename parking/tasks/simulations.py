"""Answer what the desk asks about tariffs."""

from __future__ import annotations

import logging
import time

from celery import shared_task
from django.utils import timezone

from parking.tasks.nudges import nudge
from parking.what_if import runs
from parking.what_if.crew import WorkerDied
from parking.what_if.simulate import simulate

logger = logging.getLogger(__name__)

TELL_EVERY_S = 1.0


def nudge_simulations() -> bool:
    """Have what waits run now; False, never an error, while Redis is away. Call it after commit."""
    return nudge(run_simulations)


@shared_task(name="parking.run_simulations")
def run_simulations() -> int:
    """Run what waits, one after the other, and what a dead worker left; return how many."""
    ran = 0
    while run := runs.claim(now=timezone.now()):
        _run(run)
        ran += 1
    return ran


def _run(run: runs.Run) -> None:
    told = 0.0

    def on_progress(done: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told >= TELL_EVERY_S:
            told = time.monotonic()
            runs.progress(run=run, done=done, total=total, now=timezone.now())

    try:
        figures = simulate(
            zone_id=run.zone_id,
            document=run.document,
            start_on=run.start_on,
            end_on=run.end_on,
            on_progress=on_progress,
        )
    except runs.Lost:
        logger.warning("what if %s: another worker has taken it over", run.id)
    except WorkerDied as death:
        logger.warning("what if %s: a process ended, %s", run.id, death)
        runs.give_back(run=run, now=timezone.now())
    else:
        runs.finish(run=run, figures=figures, now=timezone.now())
