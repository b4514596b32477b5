"""The week of a tariff: every minute of it is in one cell, priced as the engine prices it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from parking.pricing import Tariff, quote
from parking.tariff_week import week
from tests.cast import TWO_EURO_AN_HOUR

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
WEEKEND_NIGHT = {
    "days": ["fri", "sun"],
    "from": "20:00",
    "to": "06:00",
    "tiers": [{"per_hour": 120}],
    "priority": -1,
}
DAYTIME = {
    "days": ["mon", "fri", "sat"],
    "from": "05:00",
    "to": "21:00",
    "tiers": [{"upto_min": 60, "per_hour": 240}, {"per_hour": 600}],
}
LADDER = [{"upto_min": 60, "total": 100}, {"upto_min": 9000, "total": 300}]


def tariff(**parts: Any) -> Tariff:
    return Tariff.parse({**TWO_EURO_AN_HOUR, "time_zone": "UTC", **parts})


def test_a_band_past_midnight_reaches_into_the_next_day_and_the_lower_priority_wins() -> None:
    days = week(tariff(bands=[WEEKEND_NIGHT, DAYTIME]))
    assert [(cell.begin, cell.end, cell.band) for cell in days[0]] == [
        (0, 360, 0),
        (360, 1260, 1),
        (1260, 1440, None),
    ]
    assert [(cell.begin, cell.end, cell.band) for cell in days[1]] == [(0, 1440, None)]
    assert [tier.per_hour for tier in days[5][1].tiers] == [240, 600]


@pytest.mark.parametrize(
    "parts",
    [{"bands": [WEEKEND_NIGHT, DAYTIME]}, {"bands": [DAYTIME]}, {}],
)
def test_every_minute_is_priced_as_the_engine_prices_it(parts: dict[str, Any]) -> None:
    priced = tariff(**parts)
    for number, cells in enumerate(week(priced)):
        assert (cells[0].begin, cells[-1].end) == (0, 1440)
        assert all(before.end == after.begin for before, after in pairwise(cells))
        for cell in cells:
            for minute in {cell.begin, cell.end - 1}:
                start = MONDAY + timedelta(days=number, minutes=minute)
                price = quote(tariff=priced, start=start, end=start + timedelta(minutes=1))
                assert price.chargeable_min == cell.is_charged
                rate = cell.tiers[0].per_hour if cell.is_charged else 0
                assert price.total == -(-rate // 60)


def test_a_ladder_has_hours_but_no_rates() -> None:
    alone = tariff(ladder=LADDER)
    without_bands = {key: value for key, value in TWO_EURO_AN_HOUR.items() if key != "bands"}
    only = Tariff.parse({**without_bands, "ladder": LADDER})
    for priced in (alone, only):
        (cell,) = week(priced)[3]
        assert (cell.is_charged, cell.tiers) == (True, ())
    assert week(only)[3][0].band is None
