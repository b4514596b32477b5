"""Which band holds which minute of a day.

A day is described by two weekdays, each already corrected for holidays: its own, and that of the
day before, whose bands may run past midnight into it. There are 49 such pairs, so a plan of each
is made once for a tariff.
"""

from collections.abc import Collection, Iterator
from datetime import date
from itertools import pairwise
from typing import Final

from parking.pricing.parts import DAY_MIN, DAYS, Band

OUTSIDE: Final = -1
_EPOCH: Final = date(1970, 1, 1).toordinal()

# The band (or OUTSIDE) of each part of a day, with the minute at which the part ends.
DayPlan = tuple[tuple[int, int], ...]


def day_number(day: date) -> int:
    """Count a date from 1970-01-01."""
    return day.toordinal() - _EPOCH


def weekday(day: int) -> int:
    """Return the weekday of a counted date; Monday is 0."""
    return (day + 3) % 7


def clock_text(minute: int) -> str:
    """Write a minute of the day as `HH:MM`."""
    return f"{minute // 60:02}:{minute % 60:02}"


def day_plan(bands: tuple[Band, ...], day_before: int, day: int) -> DayPlan:
    """Cut a day where its band changes; the lower priority wins."""
    spans = list(_spans(bands, day_before, day))
    edges = sorted({0, DAY_MIN, *(edge for begin, end, _ in spans for edge in (begin, end))})
    plan: list[tuple[int, int]] = []
    for begin, end in pairwise(edges):
        holding = [index for first, last, index in spans if first <= begin and end <= last]
        band = min(holding, key=lambda index: bands[index].priority, default=OUTSIDE)
        if plan and plan[-1][1] == band:
            plan.pop()
        plan.append((end, band))
    return tuple(plan)


def week_plans(bands: tuple[Band, ...]) -> tuple[DayPlan, ...]:
    """Make the plan of every pair of weekdays, at `7 * day_before + day`."""
    if not bands:  # a ladder alone counts every minute
        return (((DAY_MIN, 0),),) * 49
    return tuple(day_plan(bands, pair // 7, pair % 7) for pair in range(49))


def overlaps(
    bands: tuple[Band, ...], holidays: Collection[int], behaves_like: int
) -> Iterator[tuple[int, int, str]]:
    """Yield the index of two bands of one priority that hold the same minute, and when.

    Beside the plain week, the days around each holiday are tried: a band that runs past midnight
    can meet another one there and nowhere else.
    """

    def kind(day: int) -> int:
        return behaves_like if day in holidays else weekday(day)

    pairs = {((day - 1) % 7, day) for day in range(7)}
    pairs |= {(kind(day - 1), kind(day)) for near in holidays for day in (near, near + 1)}
    seen = set()
    for day_before, day in sorted(pairs, key=lambda pair: (pair[1], (pair[1] - pair[0]) % 7)):
        last: dict[int, tuple[int, int]] = {}
        for begin, end, index in sorted(_spans(bands, day_before, day)):
            priority = bands[index].priority
            reach, holder = last.get(priority, (0, index))
            if begin < reach and (holder, index) not in seen and holder != index:
                seen |= {(holder, index), (index, holder)}
                where = f"{DAYS[day]} {clock_text(begin)}–{clock_text(min(end, reach))}"
                yield min(holder, index), max(holder, index), where
            last[priority] = max((end, index), (reach, holder))


def _spans(bands: tuple[Band, ...], day_before: int, day: int) -> Iterator[tuple[int, int, int]]:
    """Yield the begin, end and index of every band that holds a part of the day."""
    for index, band in enumerate(bands):
        if band.past_midnight and day_before in band.days and band.end:
            yield 0, band.end, index
        if day in band.days:
            yield band.begin, DAY_MIN if band.past_midnight else band.end, index
