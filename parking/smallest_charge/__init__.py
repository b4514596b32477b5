"""Is any stay, or any step by which one is extended, too cheap to be paid? Pure.

A processor charges nothing below its minimum. A price that is neither free nor as much as that
cannot be paid, and an extension that cannot be paid is a fine.

Every start on the zone's grid is looked at, on every day of the two years after `since` and around
every later holiday of the tariff, with every length that the rules allow. What a stay costs depends
on few things: how many minutes it has in which band, one after the other; on which of its days they
fall, where the tariff caps days or begins again with them; which flats apply. Stays that are alike
in these are priced once, by the engine. Where that is still too much, the longest stays are left
out, and `Answer.upto_min` says so.
"""

from __future__ import annotations

from datetime import datetime
from math import gcd

from parking.pricing import Tariff
from parking.pricing.clock import stretches
from parking.pricing.parts import DAY_MIN
from parking.pricing.week import day_number
from parking.smallest_charge.search import Answer, Finding, Search
from parking.smallest_charge.starts import different_starts
from parking.smallest_charge.walk import Walk
from parking.stay_rules import Rules

__all__ = ["Answer", "Finding", "smallest_charge"]

_HORIZON_MIN = DAY_MIN  # longer stays have the same hours again
_STAYS_AT_MOST = 400_000  # a second or so


def smallest_charge(
    *, tariff: Tariff, rules: Rules, minimum: int, since: datetime, days: int = 731
) -> Answer:
    """Find what costs something, but less than `minimum` minor units.

    `since` is the moment, aware, from which the tariff holds; its day is the first of `days`. Rules
    and tariff are of one time zone.
    """
    longest = rules.longest_stay_min
    first = day_number(since.astimezone(tariff.zone).date())
    step = _step_of_lengths(tariff, rules.slot_step_min, first, days)
    shortest = -(-rules.shortest_stay_min // step) * step
    if minimum <= 1 or shortest > longest:
        return Answer(findings=(), upto_min=longest, longest_min=longest)
    horizon = min(longest, max(shortest + rules.slot_step_min, _HORIZON_MIN))
    starts = list(different_starts(tariff, rules, horizon, range(first, first + days)))
    lengths = range(shortest, horizon + 1, step)
    lengths = lengths[: max(2, _STAYS_AT_MOST // len(starts))]
    walks = [Walk(tariff, rules, start, lengths) for start in starts]
    return Search(tariff, minimum, longest).through(walks, lengths)


def _step_of_lengths(tariff: Tariff, step: int, first: int, days: int) -> int:
    """Return of what all lengths are a multiple; clocks can change by half a step of the grid."""
    clock = stretches(tariff.time_zone, (first - 2) * DAY_MIN, (first + days + 2) * DAY_MIN)
    return gcd(step, *(offset - clock[0][2] for _begin, _end, offset in clock))
