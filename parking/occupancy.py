"""How much of a zone's time was taken, in the hours of each band of its tariff."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection

from parking.pricing import Tariff
from parking.pricing.clock import minute_of, moment_of
from parking.pricing.stay import pieces_of


@dataclass(frozen=True)
class Share:
    """Seconds of spots that were taken, of those that could be booked."""

    taken: Decimal
    open: Decimal

    @property
    def basis_points(self) -> int | None:
        """Return the share in hundredths of a percent, rounded down; None of no time at all."""
        return int(self.taken * 10_000 // self.open) if self.open else None


# Spots in use, without their closures; an event that only shortens stays closes nothing. A stay
# that was cancelled after it began took its spot until then; another may have begun on the step
# that was running, so the stays of a spot are joined.
_SHARES = """
WITH band AS (
  SELECT number, range_agg(tstzrange(begins, ends)) AS hours
  FROM unnest(%(numbers)s::int[], %(begins)s::timestamptz[], %(ends)s::timestamptz[])
    AS part(number, begins, ends)
  GROUP BY number
), here AS MATERIALIZED (
  SELECT coalesce((
      SELECT range_agg(closure.period) FROM parking_closure closure
      WHERE closure.zone_id = spot.zone_id
        AND (closure.spot_id IS NULL OR closure.spot_id = spot.id)
        AND closure.street IN ('', spot.street)
        AND closure.longest_stay_min IS NULL
        AND closure.period && tstzrange(%(since)s, %(until)s)
    ), '{}') AS closed, coalesce((
      SELECT range_agg(CASE slot.state WHEN 'confirmed' THEN slot.period
                       ELSE slot.period * tstzrange(NULL, slot.ended_at) END)
      FROM parking_slot slot
      WHERE slot.spot_id = spot.id AND slot.period && tstzrange(%(since)s, %(until)s)
        AND (slot.state = 'confirmed'
             OR (slot.state IN ('cancelled', 'replaced') AND slot.ended_at > lower(slot.period)))
    ), '{}') AS taken
  FROM parking_spot spot WHERE spot.zone_id = %(zone)s AND spot.is_active
), cut AS MATERIALIZED (
  SELECT band.number, band.hours - here.closed AS open, here.taken FROM band, here
)
SELECT number,
       sum((SELECT coalesce(sum(extract(epoch FROM upper(part) - lower(part))), 0)
            FROM unnest(open * taken) AS part)),
       sum((SELECT coalesce(sum(extract(epoch FROM upper(part) - lower(part))), 0)
            FROM unnest(open) AS part))
FROM cut GROUP BY number
"""


def shares(
    *, zone_id: int, tariff: Tariff, since: datetime, until: datetime
) -> Mapping[int, Share]:
    """Return by band of the tariff how much of its hours in `[since, until)` was taken.

    The ends are whole minutes. A minute belongs to the band that prices it, on holidays too. A band
    without hours in that time is not there.
    """
    pieces = [
        piece
        for piece in pieces_of(tariff, minute_of(since, "start"), minute_of(until, "end"))
        if piece.band >= 0
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            _SHARES,
            {
                "zone": zone_id,
                "since": since,
                "until": until,
                "numbers": [piece.band for piece in pieces],
                "begins": [moment_of(piece.begin) for piece in pieces],
                "ends": [moment_of(piece.end) for piece in pieces],
            },
        )
        return {number: Share(taken, open_) for number, taken, open_ in cursor.fetchall()}
