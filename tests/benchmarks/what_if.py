"""A million bookings of a zone under another tariff, beside the bare sum of the same rows.

`make bench ARGS=what_if`. 2,000 spots, 250 days, two stays a spot and day of 30 minutes to 4 hours.
"""

from __future__ import annotations

import os
import sys
from datetime import date, timedelta
from time import perf_counter

from tests.benchmarks.pricing import TWO_BANDS
from tests.benchmarks.server import own_database

SPOTS, DAYS, A_DAY = 2_000, 250, 2
GOAL_S = 60
FIRST = date(2026, 1, 5)

BOOKINGS = f"""
INSERT INTO parking_booking (id, reference, access_key, email, plate, vehicle_class, spot_id,
  language, created_at)
SELECT 1 + number, lpad(to_hex(number), 8, '0'), 'x', 'x@example.org', 'X', '',
  1 + number %% {SPOTS}, 'en', now()
FROM generate_series(1, {SPOTS * DAYS * A_DAY}) number
"""
SLOTS = f"""
INSERT INTO parking_slot (booking_id, spot_id, period, state, held_until, amount, currency,
  tariff_id, quote, free_reason, created_at, confirmed_at)
SELECT booking.id, booking.spot_id, tstzrange(at, at + minutes * interval '1 minute'), 'confirmed',
  at, minutes * 200 / 60, 'EUR', 1, '{{}}', '', at, at
FROM parking_booking booking,
  LATERAL (SELECT (booking.id - 1) / {SPOTS} AS turn) turns,
  LATERAL (SELECT (ARRAY[30, 45, 60, 90, 120, 180, 240])[1 + booking.id %% 7] AS minutes) lengths,
  LATERAL (SELECT (%(first)s::timestamp + turn / {A_DAY} * interval '1 day'
    + (7 + 6 * (turn %% {A_DAY})) * interval '1 hour'
    + (booking.id * 7 %% 24) * interval '5 minutes') AT TIME ZONE 'Europe/Helsinki' AS at) starts
WHERE booking.id > 1
"""
BARE = """
SELECT count(*), sum(slot.amount)
FROM parking_slot slot JOIN parking_spot spot ON spot.id = slot.spot_id
WHERE spot.zone_id = 1 AND slot.state = 'confirmed'
  AND lower(slot.period) >= %s AND lower(slot.period) < %s
"""


def main() -> int:
    """Measure, print, and fail where the goal is missed."""
    os.environ["DATABASE_URL"] = own_database("curblight_bench_what_if")
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.settings"
    os.environ["DEBUG"] = "0"
    os.environ["LOG_LEVEL"] = "ERROR"
    import django

    django.setup()
    from django.db import connection

    from parking.what_if.simulate import cores, simulate
    from tests.benchmarks import city

    city.build(spots=SPOTS)
    end = FIRST + timedelta(days=DAYS + 1)
    with connection.cursor() as cursor:
        cursor.execute(BOOKINGS, {})
        cursor.execute(SLOTS, {"first": FIRST})
        cursor.execute("VACUUM ANALYZE")
        cursor.execute(BARE, [FIRST, end])  # warm
        began = perf_counter()
        cursor.execute(BARE, [FIRST, end])
        stays, amount = cursor.fetchone()
        bare = perf_counter() - began

    read = 0.0

    def on_progress(done: int, total: int) -> None:
        nonlocal read
        read = read or perf_counter() - began

    began = perf_counter()
    figures = simulate(
        zone_id=1, document=TWO_BANDS, start_on=FIRST, end_on=end, on_progress=on_progress
    )
    whole = perf_counter() - began
    assert (figures.total.stays, figures.total.old) == (stays, amount)
    sys.stdout.write(
        f"{stays:,} bookings, {cores()} processes\n"
        f"count and sum, bare SQL {bare:>8.1f} s\n"
        f"read                    {read:>8.1f} s\n"
        f"read, priced, added up  {whole:>8.1f} s{stays / whole:>12,.0f} bookings/s"
        f" (goal {GOAL_S} s)\n"
    )
    connection.close()
    return int(whole > GOAL_S)


if __name__ == "__main__":
    sys.exit(main())
