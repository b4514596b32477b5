"""Measure quotes per second on one core: `python -m tests.benchmarks.pricing`."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import perf_counter, process_time

from parking.pricing import Quote, Tariff, quote

TWO_BANDS = {
    "currency": "EUR",
    "time_zone": "Europe/Helsinki",
    "bands": [
        {
            "days": ["mon", "tue", "wed", "thu", "fri"],
            "from": "09:00",
            "to": "21:00",
            "tiers": [{"upto_min": 60, "per_hour": 400}, {"per_hour": 600}],
        },
        {"days": ["sat"], "from": "09:00", "to": "18:00", "tiers": [{"per_hour": 400}]},
    ],
}
# Length of the stay, quotes per second wanted on one core.
GOALS = {"2 h": (timedelta(hours=2), 20_000), "30 days": (timedelta(days=30), 500)}


def per_second(run: Callable[[int], Quote], seconds: float = 2.0) -> float:
    """Call `run` with a growing number for about so long; return calls per second of CPU."""
    run(0)
    calls, began, cpu = 0, perf_counter(), process_time()
    while perf_counter() - began < seconds:
        for _ in range(20):
            calls += 1
            run(calls)
    return calls / (process_time() - cpu)


def main() -> int:
    """Print the speeds beside the goals; fail where one is missed."""
    tariff = Tariff.parse(TWO_BANDS)
    monday = datetime(2026, 3, 2, tzinfo=UTC)
    missed = False
    for name, (length, goal) in GOALS.items():

        def run(number: int, length: timedelta = length) -> Quote:
            days, minutes = number % 90, 7 * 60 + 17 * number % 600
            start = monday + timedelta(days=days, minutes=minutes)
            return quote(tariff=tariff, start=start, end=start + length)

        speed = per_second(run)
        missed |= speed < goal
        sys.stdout.write(f"quotes of {name}: {speed:,.0f}/s on one core (goal {goal:,}/s)\n")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
