"""The whole question: the past stays of a zone under a draft."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from parking.what_if import crew, stays
from parking.what_if.figures import Figures

# Told when some stays are done: how many, and of how many.
OnProgress = Callable[[int, int], None]
MOST_PROCESSES = 64


def cores() -> int:
    """Return how many processes this machine runs at once."""
    return min(len(os.sched_getaffinity(0)), MOST_PROCESSES)


def simulate(
    *,
    zone_id: int,
    document: Mapping[str, Any],
    start_on: date,
    end_on: date,
    on_progress: OnProgress,
    processes: int | None = None,
) -> Figures:
    """Price the stays that begin on the local days `[start_on, end_on)`; all cores by default.

    What is a stay, and which are left out: see `parking.what_if.stays`. Writes nothing.

    Raises:
        parking.what_if.crew.WorkerDied: a worker process was killed; the whole can be tried again.
    """
    with stays.spooled(zone_id=zone_id, start_on=start_on, end_on=end_on) as spool:
        rows, done = spool.rows, 0

        def on_rows(more: int) -> None:
            nonlocal done
            done += more
            on_progress(done, rows)

        # A process takes as long to start as some thousand stays to price.
        useful = min(processes or cores(), max(1, len(spool.blocks)))
        return crew.price(spool=spool, document=document, processes=useful, on_rows=on_rows)
