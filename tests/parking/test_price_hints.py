"""Hints about the price of other lengths are what the engine says of every end, one by one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parking import price_hints
from parking.price_hints import less_if_shorter, never_falls, same_price_until
from parking.pricing import QuoteError, Tariff, quote
from tests.parking.pricing.helpers import ask, band, tariff
from tests.parking.pricing.strategies import Example, examples

STEPS = st.sampled_from([1, 5, 15])
NIGHT = {"from": "18:00", "to": "06:00", "amount": 150, "applies_if": "covers_whole"}


def total_of(priced_by: Tariff, example: Example, end: datetime) -> int | None:
    try:
        return quote(
            tariff=priced_by, start=example.start, end=end, vehicle_class=example.vehicle_class
        ).total
    except QuoteError:
        return None


@settings(max_examples=120, deadline=None)
@given(examples(), STEPS)
def test_every_end_up_to_the_one_that_is_said_costs_the_same_and_the_next_does_not(
    example: Example, step: int
) -> None:
    priced_by = Tariff.parse(example.document)
    if total_of(priced_by, example, example.end) is None:
        return
    price = quote(
        tariff=priced_by,
        start=example.start,
        end=example.end,
        vehicle_class=example.vehicle_class,
    )
    ends = [price.end + timedelta(minutes=step * n) for n in range(1, 200)]
    if not never_falls(priced_by):
        ends = ends[: price_hints.MOST_QUOTES]
    same = 0
    while same < len(ends) and total_of(priced_by, example, ends[same]) == price.total:
        same += 1
    found = same_price_until(priced_by, price, ends)
    assert found == (ends[same - 1] if same else None)


@settings(max_examples=120, deadline=None)
@given(examples())
def test_a_price_falls_only_where_it_is_said_that_it_can(example: Example) -> None:
    priced_by = Tariff.parse(example.document)
    if not never_falls(priced_by):
        return
    before = 0
    for n in range(0, 1500, 11):
        now = total_of(priced_by, example, example.start + timedelta(minutes=n))
        if now is None:
            break
        assert now >= before
        before = now


def later(price_end: datetime, count: int, step: int = 5) -> list[datetime]:
    return [price_end + timedelta(minutes=step * n) for n in range(1, count + 1)]


@pytest.mark.parametrize(
    ("keys", "start", "length", "minutes"),
    [
        ({"increment": {"minutes": 60}}, "2026-03-03T10:00", 65, 55),
        ({"ladder": [{"upto_min": 60, "total": 100}]}, "2026-03-03T10:00", 20, 40),
        ({"free_first_min": 15}, "2026-03-03T10:00", 5, 10),
        ({"cap_per_local_day": 400}, "2026-03-03T10:00", 65, 235),
        ({}, "2026-03-03T10:00", 65, 0),
    ],
)
def test_a_stay_can_grow_at_no_charge_up_to_the_next_threshold(
    keys: dict[str, Any], start: str, length: int, minutes: int
) -> None:
    priced_by = tariff(**keys)
    price = ask(priced_by, start, length)
    found = same_price_until(priced_by, price, later(price.end, 47))
    assert found == (price.end + timedelta(minutes=minutes) if minutes else None)


def test_after_the_band_it_costs_the_same_until_the_next_one() -> None:
    priced_by = tariff(band("09:00", "18:00"))
    price = ask(priced_by, "2026-03-03T16:00", 120)
    found = same_price_until(priced_by, price, later(price.end, 300))
    assert found == price.end + timedelta(hours=15)


def test_a_flat_that_makes_the_longer_stay_cheaper_ends_the_same_price() -> None:
    priced_by = tariff(band("09:00", "20:00"), window_flats=[NIGHT])
    price = ask(priced_by, "2026-03-03T17:00", "2026-03-03T20:00")
    ends = later(price.end, 144)
    assert same_price_until(priced_by, price, ends) == price.end + timedelta(hours=10) - (
        timedelta(minutes=5)
    )
    assert ask(priced_by, "2026-03-03T17:00", "2026-03-04T06:00").total < price.total


def test_few_quotes_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def counting(**wish: Any) -> Any:
        asked.append(wish["end"])
        return quote(**wish)

    monkeypatch.setattr(price_hints, "quote", counting)
    priced_by = tariff(band("09:00", "18:00"))
    price = ask(priced_by, "2026-03-03T16:00", 120)
    same_price_until(priced_by, price, later(price.end, 8640))
    assert len(asked) <= 15
    asked.clear()
    lots = tariff(max_charge=0, increment={"minutes": 15})
    same_price_until(lots, ask(lots, "2026-03-03T16:00", 120), later(price.end, 8640))
    assert len(asked) == price_hints.MOST_QUOTES


@pytest.mark.parametrize(
    ("keys", "length", "shorter", "saving"),
    [
        ({"increment": {"minutes": 60}}, 65, 5, 400),
        ({"increment": {"minutes": 60}}, 75, 15, 400),
        ({"increment": {"minutes": 60}}, 80, None, 0),
        (
            {"ladder": [{"upto_min": 60, "total": 100}, {"upto_min": 240, "total": 750}]},
            70,
            10,
            650,
        ),
        ({"free_if_leq_min": 30}, 35, 5, 234),
        ({}, 60, None, 0),
        ({"increment": {"minutes": 5}}, 60, None, 0),
    ],
)
def test_a_step_that_was_only_just_begun_is_named(
    keys: dict[str, Any], length: int, shorter: int | None, saving: int
) -> None:
    priced_by = tariff(**keys)
    price = ask(priced_by, "2026-03-03T10:00", length)
    ends = [price.end - timedelta(minutes=n) for n in range(5, 60, 5)]
    found = less_if_shorter(priced_by, price, ends)
    if shorter is None:
        assert found is None
    else:
        assert found is not None
        assert (found.end, found.saving) == (price.end - timedelta(minutes=shorter), saving)
