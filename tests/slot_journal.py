"""A second memory of who had which spot when, kept by a trigger, and its check for overlaps.

The rows of `Slot` know only how they ended; here every change of place, time or liveness is one
line. A line's number is drawn while the change is still locked, so what came later has the higher
number, whatever the clocks say: a line holds from its number to the next line of its slot.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from parking.models import LIVE_STATES
from tests.racing import changing_tables

_LIVE = ", ".join(f"'{state}'" for state in LIVE_STATES)
_START = f"""
CREATE TABLE slot_journal (
  number bigserial PRIMARY KEY,
  slot_id bigint NOT NULL,
  booking_id bigint NOT NULL,
  spot_id bigint NOT NULL,
  period tstzrange NOT NULL,
  is_live boolean NOT NULL
);
CREATE FUNCTION slot_journal_write() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF tg_op = 'UPDATE'
     AND (old.spot_id, old.period, old.state IN ({_LIVE}))
       = (new.spot_id, new.period, new.state IN ({_LIVE}))
  THEN
    RETURN NULL;
  END IF;
  INSERT INTO slot_journal (slot_id, booking_id, spot_id, period, is_live)
  VALUES (new.id, new.booking_id, new.spot_id, new.period, new.state IN ({_LIVE}));
  RETURN NULL;
END $$;
CREATE TRIGGER slot_journal AFTER INSERT OR UPDATE ON parking_slot
  FOR EACH ROW EXECUTE FUNCTION slot_journal_write();
"""
_STOP = """
DROP TRIGGER slot_journal ON parking_slot;
DROP FUNCTION slot_journal_write();
DROP TABLE slot_journal;
"""
# Hour by hour, so that a million lines are compared with their neighbours only; and with plain
# comparisons, not with the operators by which the constraint decides.
_LIVES = """
CREATE TEMPORARY TABLE slot_life AS
WITH line AS (
  SELECT *, lead(number) OVER (PARTITION BY slot_id ORDER BY number) AS next FROM slot_journal
)
SELECT slot_id, booking_id, spot_id, lower(period) AS start, upper(period) AS stop, hour,
       number AS since, coalesce(next, 9223372036854775807) AS until
FROM line, generate_series(date_trunc('hour', lower(period)),
                           upper(period) - interval '1 microsecond', interval '1 hour') AS hour
WHERE is_live;
ANALYZE slot_life;
"""
_OVERLAPS = """
SELECT DISTINCT one.slot_id, other.slot_id
FROM slot_life one JOIN slot_life other USING (spot_id, hour)
WHERE one.slot_id < other.slot_id AND one.booking_id <> other.booking_id
  AND one.start < other.stop AND other.start < one.stop
  AND one.since < other.until AND other.since < one.until
ORDER BY 1, 2
"""
_STRAYS = f"""
WITH last AS (
  SELECT DISTINCT ON (slot_id) * FROM slot_journal ORDER BY slot_id, number DESC
)
SELECT count(*) FROM parking_slot slot FULL JOIN last ON last.slot_id = slot.id
WHERE (slot.spot_id, slot.period, slot.state IN ({_LIVE}))
  IS DISTINCT FROM (last.spot_id, last.period, last.is_live)
"""


@contextmanager
def kept() -> Iterator[None]:
    """Keep the journal for as long as the block lasts."""
    with changing_tables(), connection.cursor() as cursor:
        cursor.execute(_START)
    try:
        yield
    finally:
        with changing_tables(), connection.cursor() as cursor:
            cursor.execute(_STOP)


def overlaps() -> list[tuple[int, int]]:
    """Return every two slots of different bookings that ever had the same minute of a spot."""
    with connection.cursor() as cursor:
        cursor.execute(_LIVES)
        try:
            cursor.execute(_OVERLAPS)
            return list(cursor.fetchall())
        finally:
            cursor.execute("DROP TABLE slot_life")


def lines() -> tuple[int, int]:
    """Return how many slots the journal knows, and how many changes of theirs."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT slot_id), count(*) FROM slot_journal")
        slots, changes = cursor.fetchone()
    return slots, changes


def strays() -> int:
    """Return how many slots are now other than the journal says."""
    with connection.cursor() as cursor:
        cursor.execute(_STRAYS)
        return int(cursor.fetchone()[0])
