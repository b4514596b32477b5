"""Read the past stays of a zone, by COPY, into a file of blocks that workers can price.

A stay is a booking: its confirmed slots together, from the first start to the last end, for the sum
of their prices. What is compared are prices, so refunds are not looked at, and:

- A booking of which no slot is confirmed but one was cancelled is left out (`cancelled`): what its
  citizen owed for the part that was used, the prices alone do not tell.
- A booking with a slot that is free for another reason than the tariff is left out (`granted`): it
  would be free under any other tariff too.
- A stay that was free by its tariff is compared: the draft may charge it.

Lapsed holds are no stays. A row holds no plate, no e-mail address and no reference.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import IO, cast
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations

from parking.booking import FREE_BY_TARIFF
from parking.extension import FREE_EXTENSION

BLOCK_ROWS = 5_000

# Slots of a booking can lie outside of the period: an extension goes on where the slot before it
# ended, so a stay that begins in the period has a slot that begins in it. What was paid for a stay
# before it was changed counts further on.
_STAYS = """
SELECT CASE WHEN NOT is_confirmed THEN 'cancelled' WHEN is_granted THEN 'granted' END,
  floor(extract(epoch FROM start_at) / 60)::bigint,
  (ceil(extract(epoch FROM end_at) / 60) - floor(extract(epoch FROM start_at) / 60))::bigint,
  paid, vehicle_class
FROM (
  SELECT booking.vehicle_class,
    bool_or(slot.state = 'confirmed') AS is_confirmed,
    coalesce(bool_or(NOT slot.free_reason = ANY(%(by_tariff)s))
      FILTER (WHERE slot.state = 'confirmed'), false) AS is_granted,
    coalesce(min(coalesce(slot.priced_from, lower(slot.period)))
      FILTER (WHERE slot.state = 'confirmed'),
      min(coalesce(slot.priced_from, lower(slot.period)))
      FILTER (WHERE slot.state = 'cancelled')) AS start_at,
    coalesce(max(upper(slot.period)) FILTER (WHERE slot.state = 'confirmed'),
      max(upper(slot.period)) FILTER (WHERE slot.state = 'cancelled')) AS end_at,
    CASE WHEN bool_or(slot.state = 'confirmed')
      THEN sum(slot.amount - slot.returned) FILTER (WHERE slot.state <> 'cancelled')
      ELSE sum(slot.amount - slot.returned) END AS paid
  FROM parking_slot slot
  JOIN parking_booking booking ON booking.id = slot.booking_id
  WHERE slot.state IN ('confirmed', 'cancelled', 'replaced')
    AND slot.booking_id IN (
      SELECT first.booking_id
      FROM parking_slot first JOIN parking_spot spot ON spot.id = first.spot_id
      WHERE spot.zone_id = %(zone)s AND first.state IN ('confirmed', 'cancelled', 'replaced')
        AND lower(first.period) >= %(start)s AND lower(first.period) < %(end)s)
  GROUP BY booking.id
) stay
WHERE start_at >= %(start)s AND start_at < %(end)s
"""


@dataclass(frozen=True)
class Spool:
    """A file of blocks: `(bytes, rows)` of each, in order."""

    file: IO[bytes]
    blocks: list[tuple[int, int]]

    @property
    def rows(self) -> int:
        """How many stays there are, those that are left out too."""
        return sum(rows for _, rows in self.blocks)

    def read(self) -> Iterator[tuple[bytes, int]]:
        """Yield the blocks with their rows."""
        self.file.seek(0)
        for size, rows in self.blocks:
            yield self.file.read(size), rows


@contextmanager
def spooled(*, zone_id: int, start_on: date, end_on: date) -> Iterator[Spool]:
    """Give the stays of the zone that begin on the local days `[start_on, end_on)`.

    They are read in one statement, so they are of one moment, and the database is left alone while
    they are priced.
    """
    parameters = {
        "zone": zone_id,
        "start": _midnight(start_on),
        "end": _midnight(end_on),
        "by_tariff": ["", FREE_BY_TARIFF, FREE_EXTENSION],
    }
    with tempfile.TemporaryFile() as file:
        yield Spool(file, list(_copy(file, parameters)))


def _copy(file: IO[bytes], parameters: dict[str, object]) -> Iterator[tuple[int, int]]:
    with connection.cursor() as cursor:
        stays = cast(DatabaseOperations, connection.ops).compose_sql(_STAYS, parameters)
        with cursor.copy(f"COPY ({stays}) TO STDOUT (FORMAT csv)") as copy:
            size = rows = 0
            for row in copy:  # COPY sends each row as a piece of its own
                size += file.write(row)
                rows += 1
                if rows == BLOCK_ROWS:
                    yield size, rows
                    size = rows = 0
            if rows:
                yield size, rows


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(settings.CITY_TIME_ZONE))
