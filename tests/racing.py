"""Calls that run at once, each in a process and on a connection of its own."""

from __future__ import annotations

import multiprocessing
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Barrier
from typing import Any

from django.db import connection, connections, transaction

from parking.models import Slot, Spot

Call = Callable[[], Any]
PATIENCE_S = 30.0
_context = multiprocessing.get_context("fork")


def race(*calls: Call) -> list[str]:
    """Make the calls at the same moment; return of each the name of what it gave or raised."""
    return _Runners(calls, [meeting(len(calls)).wait] * len(calls)).outcomes()


def queue(spot_id: int, *calls: Call) -> list[str]:
    """Let all calls wait for the spot in this order, then free it; return as `race` does."""
    gates = [_context.Event() for _call in calls]
    runners = _Runners(calls, [lambda gate=gate: gate.wait(PATIENCE_S) for gate in gates])
    with transaction.atomic():
        Spot.objects.select_for_update(no_key=True).get(id=spot_id)
        for number, gate in enumerate(gates, start=1):
            gate.set()
            wait_until(lambda number=number: waiting() == number)
    return runners.outcomes()


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait until it is so; fail when it never is."""
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.005)


def meeting(processes: int) -> Barrier:
    """Return a point that so many processes must have reached before any goes on."""
    return _context.Barrier(processes, timeout=PATIENCE_S)


def deadlocks() -> int:
    """Return how many deadlocks the database has resolved so far."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush(), pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


@contextmanager
def changing_tables() -> Iterator[None]:
    """Wait longer for a table than the site waits for a row: a vacuum may be at it."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '30s'")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")


@contextmanager
def without_constraint(name: str) -> Iterator[None]:
    """Take a constraint of the slots away; the slots that were written meanwhile go with them."""
    constraint = next(known for known in Slot._meta.constraints if known.name == name)
    with changing_tables(), connection.schema_editor() as editor:
        editor.remove_constraint(Slot, constraint)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("DELETE FROM parking_bookingevent; DELETE FROM parking_slot")
            cursor.execute("RESET session_replication_role")
        with changing_tables(), connection.schema_editor() as editor:
            editor.add_constraint(Slot, constraint)


class _Runners:
    """Processes that wait for their starts, and what comes of them."""

    def __init__(self, calls: tuple[Call, ...], starts: list[Call]) -> None:
        self._results: Any = _context.Queue()
        connections.close_all()  # a child must not inherit a live connection
        self._processes = [
            _context.Process(target=self._run, args=(number, call, start), daemon=True)
            for number, (call, start) in enumerate(zip(calls, starts, strict=True))
        ]
        for process in self._processes:
            process.start()

    def outcomes(self) -> list[str]:
        found = dict(self._results.get(timeout=2 * PATIENCE_S) for _process in self._processes)
        for process in self._processes:
            process.join(PATIENCE_S)
        return [found[number] for number in range(len(self._processes))]

    def _run(self, number: int, call: Call, start: Call) -> None:
        outcome = "never started"
        try:
            connection.ensure_connection()
            start()
            outcome = type(call()).__name__
        except Exception as error:  # noqa: BLE001 (the test looks at its name)
            outcome = type(error).__name__
            traceback.print_exc()  # shown when the test fails
        finally:
            connections.close_all()
            self._results.put((number, outcome))


def waiting() -> int:
    """Return how many connections of this database wait for another one's lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0"
        )
        return int(cursor.fetchone()[0])
