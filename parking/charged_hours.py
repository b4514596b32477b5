"""When a tariff charges: the hours in which a spot without a booking is unpaid. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise

from parking.pricing import QuoteError, Tariff, quote
from parking.pricing.parts import DAY_MIN
from parking.pricing.week import day_number

_MINUTE = timedelta(minutes=1)


def is_charging(*, tariff: Tariff, at: datetime) -> bool:
    """Say whether the tariff charges for this minute."""
    minute = at.replace(second=0, microsecond=0)
    try:
        price = quote(tariff=tariff, start=minute, end=minute + _MINUTE)
    except QuoteError:  # it does not sell this minute
        return False
    return bool(price.chargeable_min or price.total)


@lru_cache(maxsize=2048)
def charged_on(tariff: Tariff, day: date) -> tuple[tuple[datetime, datetime], ...]:
    """Return the spans `[from, to)` of a local day in which the tariff charges, in UTC."""
    edges = {0, DAY_MIN, *(end for end, _band in tariff.plan_of(day_number(day)))}
    for flat in tariff.window_flats:
        edges |= {flat.begin, flat.end}
    moments = [_moment(day, minute, tariff) for minute in sorted(edges)]
    spans: list[tuple[datetime, datetime]] = []
    for start, end in pairwise(moments):
        if start >= end or not is_charging(tariff=tariff, at=start):
            continue
        if spans and spans[-1][1] == start:
            start = spans.pop()[0]
        spans.append((start, end))
    return tuple(spans)


def _moment(day: date, minute: int, tariff: Tariff) -> datetime:
    days, of_day = divmod(minute, DAY_MIN)
    wall = datetime.combine(day + timedelta(days=days), time(), tariff.zone)
    return wall.replace(hour=of_day // 60, minute=of_day % 60).astimezone(UTC)
