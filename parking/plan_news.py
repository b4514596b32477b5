"""Who waits for a meter's next plan is told the moment it is committed.

PostgreSQL itself tells (a trigger, `NOTIFY`), over one connection for the whole process: no path
through the code can forget it, and it is as true as the commit. A look at the rows every few
seconds is the net beneath, for a lost connection or a pooler that passes no notices on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection

from parking.models import Meter

logger = logging.getLogger(__name__)

CHANNEL = "curblight_plan"  # the trigger's word; its messages are serials
LOOK_EVERY_S = 5.0
TRY_AGAIN_S = 2.0


class Wait:
    """One meter that waits: the revision that it has, and whether there may be another."""

    def __init__(self, serial: str, revision: int | None) -> None:
        self.serial, self.revision = serial, revision
        self.news = asyncio.Event()
        self.is_over = False  # the same meter has asked again elsewhere


class PlanNews:
    """All meters that wait in this process. Used in one event loop."""

    def __init__(self) -> None:
        self._waits: dict[str, Wait] = {}

    def __len__(self) -> int:
        return len(self._waits)

    @contextmanager
    def wait(self, serial: str, revision: int | None) -> Iterator[Wait]:
        """Wait for a meter; a wait of the same meter that is still open ends."""
        mine = Wait(serial, revision)
        if before := self._waits.get(serial):
            before.is_over = True
            before.news.set()
        self._waits[serial] = mine
        try:
            yield mine
        finally:
            if self._waits.get(serial) is mine:
                del self._waits[serial]

    async def run(self) -> None:
        """Listen and look until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self._look())

    async def _listen(self) -> None:
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(**database_address()) as listening:
                    await listening.execute(f"LISTEN {CHANNEL}")
                    self._wake_all()  # something may have been said meanwhile
                    async for notice in listening.notifies():
                        if wait := self._waits.get(notice.payload):
                            wait.news.set()
            except (psycopg.Error, OSError) as error:
                logger.warning("not told of new plans, looking instead: %s", error)
            await asyncio.sleep(TRY_AGAIN_S)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            known = {serial: wait.revision for serial, wait in self._waits.items()}
            if not known:
                continue
            try:
                revisions = await asyncio.to_thread(_revisions, list(known))
            except Exception as error:  # noqa: BLE001 (the database is away: the next look tells)
                logger.warning("plans not looked at: %s", error)
                continue
            for serial, revision in revisions:
                wait = self._waits.get(serial)
                if wait is not None and wait.revision != revision:
                    wait.news.set()

    def _wake_all(self) -> None:
        for wait in self._waits.values():
            wait.news.set()


def _revisions(serials: list[str]) -> list[tuple[str, int]]:
    try:
        rows = Meter.objects.filter(serial__in=serials).values_list("serial", "plan_revision")
        return list(rows)
    finally:
        connection.close()  # another thread may look the next time


def database_address() -> dict[str, Any]:
    """Return how to reach the site's database; what suits only Django's own cursors is left out."""
    known = connection.get_connection_params()
    for only_for_django in ("context", "cursor_factory"):
        known.pop(only_for_django, None)
    return {**known, "autocommit": True}
