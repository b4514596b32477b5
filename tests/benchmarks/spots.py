"""What a map asks about the spots in view, over HTTP, beside the bare SQL of the same answers.

`make bench ARGS=spots`. A million spots, five million slots, about 1,900 spots in view; both
answers in turns with their own statement, each over one kept-alive connection. Then the same
statements where only a twentieth of the slots has ever been, in turns with the whole history.
"""

from __future__ import annotations

import http.client
import os
import statistics
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from tests.benchmarks.server import site

SPOTS, HISTORY, TURNS = 1_000_000, 20, 200
GOAL = 1.3  # times the bare SQL
GOAL_GROWN = 1.2  # times the bare SQL with a twentieth of the history
VIEW = (24.02, 60.02, 24.0419, 60.0411)
DATABASE, YOUNG = "curblight_bench_spots", "curblight_bench_spots_young"

# Every fourth spot is had for two hours in a week, at some hour of it. The view asks none of the
# constraints, and each would have to be kept row by row.
WITHOUT_CONSTRAINTS = """
ALTER TABLE parking_slot DROP CONSTRAINT slot_no_double_booking,
  DROP CONSTRAINT slot_one_place_at_a_time, DROP CONSTRAINT slot_keeps_its_buffer
"""
A_WEEK = """
INSERT INTO parking_slot (booking_id, spot_id, period, state, held_until, amount, currency,
  tariff_id, quote, free_reason, created_at, confirmed_at)
SELECT 1, n, tstzrange(at, at + interval '2 hours'), 'confirmed', at, 400, 'EUR', 1, '{}', '',
  at, at
FROM generate_series(1, %(spots)s, 4) n,
  LATERAL (SELECT date_trunc('hour', now()) + %(week)s * interval '7 days'
    + (n * 37 %% 168) * interval '1 hour' AS at) start
ORDER BY at
"""

Ask = Callable[[], Any]


def main() -> int:
    """Measure, print, and fail where a goal is missed."""
    with site(DATABASE) as address:
        from django.db import connection
        from django.utils import timezone

        from tests.benchmarks import city

        city.build(spots=SPOTS)
        with connection.cursor() as cursor:
            cursor.execute(WITHOUT_CONSTRAINTS)
        _live_through(weeks=range(1))
        connection.close()
        _copy(DATABASE, YOUNG)
        _live_through(weeks=range(1 - HISTORY, 0))
        connection.close()

        start = timezone.now().replace(minute=0, second=0, microsecond=0)
        period = (start, start + timedelta(hours=2))
        with _database(DATABASE) as grown, _database(YOUNG) as young:
            with grown.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM parking_slot")
                (slots,) = cursor.fetchone() or (0,)
            sys.stdout.write(f"{SPOTS:,} spots, {slots:,} slots\n")
            missed = [
                _measure(name, http, bare_grown, bare_young)
                for (name, http), bare_grown, bare_young in zip(
                    _over_http(address, *period),
                    _bare(grown, *period),
                    _bare(young, *period),
                    strict=True,
                )
            ]
    return int(any(missed))


def _measure(name: str, over_http: Ask, grown: Ask, young: Ask) -> bool:
    """Ask all three in turns; print the medians and say whether a goal is missed."""
    asked = {"over HTTP": over_http, "bare SQL": grown, "bare SQL, young": young}
    times: dict[str, list[float]] = {way: [] for way in asked}
    for turn in range(TURNS):
        for way, ask in asked.items():
            began = perf_counter()
            ask()
            if turn >= TURNS // 10:  # the first ones find cold caches
                times[way].append((perf_counter() - began) * 1000)
    middle = {way: statistics.median(all_ms) for way, all_ms in times.items()}
    for way, all_ms in times.items():
        p95 = statistics.quantiles(all_ms, n=20)[18]
        sys.stdout.write(f"{name:14}{way:17}{middle[way]:>8.2f} ms median{p95:>8.2f} ms p95\n")
    ratio = middle["over HTTP"] / middle["bare SQL"]
    growth = middle["bare SQL"] / middle["bare SQL, young"]
    sys.stdout.write(
        f"{name:14}{ratio:.2f} of bare SQL (goal at most {GOAL}); with {HISTORY} times the history"
        f" {growth:.2f} of the time (goal at most {GOAL_GROWN})\n"
    )
    return ratio > GOAL or growth > GOAL_GROWN


def _over_http(address: str, start: datetime, end: datetime) -> list[tuple[str, Ask]]:
    client = http.client.HTTPConnection(urlsplit(address).netloc)
    question = urlencode(
        {
            "bbox": ",".join(map(str, VIEW)),
            "from": start.isoformat(),
            "to": end.isoformat(),
        }
    )

    def get(path: str) -> bytes:
        client.request("GET", f"{path}?{question}")
        answer = client.getresponse()
        assert answer.status == 200, answer.status
        return answer.read()

    found = get("/api/v1/spots/").count(b'"Feature"')
    sys.stdout.write(f"{found:,} spots in view\n")
    return [
        ("taken spots", lambda: get("/map/busy.json")),
        ("GeoJSON", lambda: get("/api/v1/spots/")),
    ]


def _bare(database: psycopg.Connection, start: datetime, end: datetime) -> list[Ask]:
    """Return the two statements, as a script would run them."""
    from parking import availability

    west, south, east, north = VIEW
    values = {
        "west": west,
        "south": south,
        "east": east,
        "north": north,
        "start": start,
        "end": end,
        "features": [],
    }

    def run(statement: str) -> Any:
        with psycopg.ClientCursor(database) as cursor:
            return cursor.execute(statement, values).fetchall()

    return [
        lambda: run(availability.BUSY_IN_VIEW),
        lambda: run(availability.GEOJSON),
    ]


def _live_through(*, weeks: range) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # foreign keys are known to hold
        for week in weeks:
            cursor.execute(A_WEEK, {"spots": SPOTS, "week": week})
        cursor.execute("RESET session_replication_role")
        cursor.execute("VACUUM ANALYZE parking_slot")


def _address(name: str) -> str:
    parts = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(("postgresql", parts.netloc, f"/{name}", "", ""))


def _database(name: str) -> psycopg.Connection:
    return psycopg.connect(_address(name), autocommit=True)


def _copy(source: str, target: str) -> None:
    with _database("postgres") as server:
        server.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(target))
        )
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [source]
        )
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(target), sql.Identifier(source)
            )
        )


if __name__ == "__main__":
    sys.exit(main())
