"""The spots of a view with their availability over HTTP, beside the bare SQL of the same answer.

`make bench ARGS=spots`. 100,000 spots, 1,000,000 slots, about 1,900 spots in view, in turns over
one kept-alive connection.
"""

from __future__ import annotations

import http.client
import statistics
import sys
from time import perf_counter
from urllib.parse import urlencode, urlsplit

from tests.benchmarks.server import site

SPOTS, SLOTS_EACH, TURNS = 100_000, 10, 200
GOAL = 1.5  # times the bare SQL
VIEW = (24.02, 60.02, 24.0419, 60.0411)


def main() -> int:
    """Measure, print, and fail where the goal is missed."""
    with site("curblight_bench_spots") as address:
        from django.db import connection
        from django.utils import timezone

        from parking import availability
        from tests.benchmarks import city

        city.build(spots=SPOTS)
        with connection.cursor() as cursor:
            # Ten weeks of history and one ahead, one slot of two hours a spot and week.
            cursor.execute(
                """
                INSERT INTO parking_slot (booking_id, spot_id, period, state, held_until, amount,
                  currency, tariff_id, quote, free_reason, created_at, confirmed_at)
                SELECT 1, n, tstzrange(at, at + interval '2 hours'), 'confirmed', at, 400, 'EUR', 1,
                  '{}', '', at, at
                FROM generate_series(1, %s) n, generate_series(-8, %s - 9) week,
                  LATERAL (SELECT date_trunc('hour', now()) + week * interval '7 days'
                    + (n * 37 %% 168) * interval '1 hour' AS at) start
                """,
                [SPOTS, SLOTS_EACH],
            )
        city.settle()
        start = timezone.now().replace(minute=0, second=0, microsecond=0)
        end = start + timezone.timedelta(hours=2)
        question = {
            "bbox": ",".join(map(str, VIEW)),
            "from": start.isoformat(),
            "to": end.isoformat(),
        }
        path = f"/api/v1/spots/?{urlencode(question)}"
        client = http.client.HTTPConnection(urlsplit(address).netloc)

        def over_http() -> bytes:
            client.request("GET", path)
            answer = client.getresponse()
            assert answer.status == 200
            return answer.read()

        def bare_sql() -> bytes:
            return availability.spots_geojson(bbox=VIEW, start=start, end=end)

        assert over_http() == bare_sql()
        found = over_http().count(b'"Feature"')
        times: dict[str, list[float]] = {"over HTTP": [], "bare SQL": []}
        for _ in range(TURNS):
            for name, ask in (("over HTTP", over_http), ("bare SQL", bare_sql)):
                began = perf_counter()
                ask()
                times[name].append((perf_counter() - began) * 1000)
        client.close()
    sys.stdout.write(f"{found} spots in view of {SPOTS:,}, {SPOTS * SLOTS_EACH:,} slots\n")
    for name, all_ms in times.items():
        middle, p95 = statistics.median(all_ms), statistics.quantiles(all_ms, n=20)[18]
        sys.stdout.write(f"{name:12}{middle:>8.1f} ms median{p95:>8.1f} ms p95\n")
    ratio = statistics.median(times["over HTTP"]) / statistics.median(times["bare SQL"])
    sys.stdout.write(f"ratio {ratio:.2f} (goal at most {GOAL})\n")
    return int(ratio > GOAL)


if __name__ == "__main__":
    sys.exit(main())
