"""Who looks at a map is told which spots were taken or given back, moments after the commit.

Read from the rows, twice a second for the whole process and only while somebody looks. A notice by
PostgreSQL would come sooner, but makes the commits of bookings wait for each other.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import psycopg

from parking.plan_news import database_address

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5
TRY_AGAIN_S = 2.0
# A transaction that takes longer than these many others is missed; maps look for themselves too.
LOOK_BACK = 200
_MOST_UNREAD = 200  # messages to somebody who does not read them

# Slots that are new, and those of bookings to which something happened. In zones that keep minutes
# free between bookings these lie on both sides of the period.
_CHANGES = """
WITH touched AS (
  SELECT id FROM parking_slot WHERE id > (SELECT max(id) FROM parking_slot) - %(back)s
  UNION
  SELECT slot.id FROM parking_bookingevent event
  JOIN parking_slot slot ON slot.booking_id = event.booking_id
  WHERE event.id > (SELECT max(id) FROM parking_bookingevent) - %(back)s
)
SELECT slot.id, slot.spot_id, slot.state IN ('held', 'expiring', 'confirmed'),
       extract(epoch FROM lower(slot.period) - kept)::bigint,
       extract(epoch FROM upper(slot.period) + kept)::bigint
FROM touched JOIN parking_slot slot USING (id),
     LATERAL (SELECT coalesce(upper(slot.claim) - upper(slot.period), '0') AS kept) buffer
ORDER BY slot.id
"""

Change = tuple[int, int, bool, int, int]  # slot, spot, whether it is had; from, to in seconds


class KerbNews:
    """All who look at a map through this process. Used in one event loop."""

    def __init__(self) -> None:
        self._readers: set[asyncio.Queue[bytes | None]] = set()
        self._known: dict[int, bool] | None = None
        self._wanted = asyncio.Event()

    def __len__(self) -> int:
        return len(self._readers)

    @contextmanager
    def read(self) -> Iterator[asyncio.Queue[bytes | None]]:
        """Get what happens from now on, as JSON; None says that nothing more will come."""
        mine: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._readers.add(mine)
        self._wanted.set()
        try:
            yield mine
        finally:
            self._readers.discard(mine)
            if not self._readers:
                self._wanted.clear()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self._wanted.wait()
            self._known = None
            try:
                async with await psycopg.AsyncConnection.connect(**database_address()) as database:
                    while self._readers:
                        await self._look(database)
                        await asyncio.sleep(LOOK_EVERY_S)
            except (psycopg.Error, OSError) as error:
                logger.warning("maps are not told of bookings for a while: %s", error)
                self._end_all()
                await asyncio.sleep(TRY_AGAIN_S)

    async def _look(self, database: psycopg.AsyncConnection[Any]) -> None:
        cursor = await database.execute(_CHANGES, {"back": LOOK_BACK})
        changes: list[Change] = await cursor.fetchall()
        before, self._known = self._known, {change[0]: change[2] for change in changes}
        if before is None:  # whoever has just come has looked at the map already
            return
        news = [change for change in changes if before.get(change[0]) is not change[2]]
        if news:
            self._tell(message(news))

    def _tell(self, body: bytes) -> None:
        for reader in list(self._readers):
            if reader.qsize() < _MOST_UNREAD:
                reader.put_nowait(body)
            else:
                self._readers.discard(reader)
                reader.put_nowait(None)

    def _end_all(self) -> None:
        for reader in self._readers:
            reader.put_nowait(None)


def message(changes: list[Change]) -> bytes:
    """Write changes as a map reads them: taken with its period in seconds, freed by the spot."""
    return orjson.dumps(
        {
            "taken": [[spot, since, until] for _, spot, is_had, since, until in changes if is_had],
            "freed": sorted({spot for _, spot, is_had, _, _ in changes if not is_had}),
        }
    )
