"""The starts of which no two have all their stays alike."""

from __future__ import annotations

from collections.abc import Iterator

from parking.pricing import Tariff
from parking.pricing.clock import stretches
from parking.pricing.parts import DAY_MIN
from parking.pricing.stay import pieces_of
from parking.smallest_charge.walk import days_matter
from parking.stay_rules import Rules


def different_starts(tariff: Tariff, rules: Rules, horizon: int, days: range) -> Iterator[int]:
    """Yield starts, counted in minutes, of which no two have all their stays alike."""
    known: set[object] = set()
    known_days: set[object] = set()
    step = rules.slot_step_min
    reach = horizon // DAY_MIN + 2
    for day in _days(tariff, reach, days):
        begin = day * DAY_MIN
        clock = stretches(tariff.time_zone, begin - 2 * DAY_MIN, begin + (reach + 1) * DAY_MIN)
        alike = (
            tuple(tariff.plan_of(day + more) for more in range(reach)),
            tuple((first - begin, last - begin, offset) for first, last, offset in clock),
        )
        if alike in known_days:
            continue
        known_days.add(alike)
        for first, last, offset in clock:
            low, high = max(first + offset, begin), min(last + offset, begin + DAY_MIN)
            for local in range(-(-low // step) * step, high, step):
                start = local - offset
                sign = _sign(tariff, rules, start, horizon, local)
                if sign not in known:
                    known.add(sign)
                    yield start


def _days(tariff: Tariff, reach: int, days: range) -> list[int]:
    """Return the days, counted from 1970-01-01, on which stays can differ from all others."""
    near = {day for holiday in tariff.holidays for day in range(holiday - reach, holiday + 2)}
    return sorted({*days, *(day for day in near if day >= days.start)})


def _sign(tariff: Tariff, rules: Rules, start: int, horizon: int, local: int) -> object:
    """Return what tells the stays of one start from those of another."""
    clock_matters = tariff.window_flats or rules.bookable_from is not None
    by_day = days_matter(tariff)
    # With the minute after: where the clock changes just then, the longest stay ends off the grid.
    pieces = pieces_of(tariff, start, start + horizon + 1)
    zero = pieces[0]
    parts: list[tuple[int, int, int, int]] = []
    for piece in pieces:
        day = piece.day - zero.day if by_day else 0
        part = (piece.end - start, piece.band, day, piece.offset - zero.offset)
        if parts and parts[-1][1:] == part[1:]:
            parts.pop()
        parts.append(part)
    return local % DAY_MIN if clock_matters else 0, tuple(parts)
