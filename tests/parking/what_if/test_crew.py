"""Workers: as many as wanted, the same answer; one that dies, and a question that is dropped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from parking.what_if import crew
from tests import cast
from tests.parking.what_if.situations import Stay, a_spool

BLOCKS: list[list[Stay]] = [
    [(cast.at(5 * number + 60 * block), 30 + number % 200, 150, "") for number in range(200)]
    for block in range(10)
]


def children() -> list[int]:
    """Return the workers of this process that are alive."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = status.read_text().rpartition(")")[2].split()[:2]
            line = (status.parent / "cmdline").read_bytes()
        except OSError:  # ended meanwhile
            continue
        if int(parent) == os.getpid() and state != "Z" and b"what_if.worker" in line:
            found.append(int(status.parent.name))
    return found


def test_any_number_of_workers_finds_the_same() -> None:
    answers = []
    for processes in (1, 3):
        told: list[int] = []
        with a_spool(BLOCKS) as spool:
            answers.append(
                crew.price(
                    spool=spool,
                    document=cast.TWO_EURO_AN_HOUR,
                    processes=processes,
                    on_rows=told.append,
                )
            )
        assert sum(told) == 2000

    assert answers[0].as_json() == answers[1].as_json()
    assert answers[0].total.stays == 2000
    assert children() == []


def test_no_stays_are_no_figures() -> None:
    with a_spool([]) as spool:
        figures = crew.price(
            spool=spool, document=cast.TWO_EURO_AN_HOUR, processes=2, on_rows=lambda rows: None
        )

    assert figures.cells == {}


def test_a_worker_that_is_killed_is_told_and_leaves_no_other_behind() -> None:
    killed: list[int] = []

    def kill_one(rows: int) -> None:
        if not killed:
            killed.append(children()[0])
            os.kill(killed[0], signal.SIGKILL)

    with a_spool(BLOCKS * 20) as spool, pytest.raises(crew.WorkerDied, match="-9"):
        crew.price(spool=spool, document=cast.TWO_EURO_AN_HOUR, processes=2, on_rows=kill_one)

    assert len(killed) == 1
    assert children() == []


def test_who_stops_in_the_middle_leaves_no_worker_behind() -> None:
    def interrupt(rows: int) -> None:
        assert len(children()) == 2
        raise KeyboardInterrupt

    with a_spool(BLOCKS * 20) as spool, pytest.raises(KeyboardInterrupt):
        crew.price(spool=spool, document=cast.TWO_EURO_AN_HOUR, processes=2, on_rows=interrupt)

    assert children() == []


def test_a_worker_starts_without_the_site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    loaded = "import parking.what_if.worker, sys; print('django' in sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True
    )

    assert said.stdout == "False\n"


def test_a_stay_that_gets_cheaper_is_a_winner() -> None:
    # Half an hour at two euro an hour.
    stay: Stay = (cast.NOW + timedelta(days=1), 30, 150, "")
    with a_spool([[stay]]) as spool:
        figures = crew.price(
            spool=spool, document=cast.TWO_EURO_AN_HOUR, processes=1, on_rows=lambda rows: None
        )

    total = figures.total
    assert (total.old, total.new, total.winners, total.losers, total.saved) == (150, 100, 1, 0, 50)
