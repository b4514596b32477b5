"""Chargeable minutes are sold in lots, and some of them cost nothing."""

import pytest

from tests.parking.pricing.helpers import EVERY_DAY, ask, band, cost, kinds, tariff

MONDAY = "2026-05-11T09:00"


@pytest.mark.parametrize(
    ("mode", "totals"),
    [
        # for 1, 7, 8, 15, 22 and 23 minutes in lots of a quarter, at 1.00 a minute
        ("started", [1500, 1500, 1500, 1500, 3000, 3000]),
        ("completed", [0, 0, 0, 1500, 1500, 1500]),
        ("nearest", [0, 0, 1500, 1500, 1500, 3000]),
    ],
)
def test_minutes_are_rounded_to_lots(mode: str, totals: list[int]) -> None:
    lots = tariff(band(per_hour=6000), increment={"minutes": 15, "mode": mode})

    assert [cost(lots, MONDAY, minutes) for minutes in (1, 7, 8, 15, 22, 23)] == totals


def test_half_a_lot_is_nearest_to_a_whole_one() -> None:
    lots = tariff(band(per_hour=6000), increment={"minutes": 10, "mode": "nearest"})

    assert [cost(lots, MONDAY, minutes) for minutes in (4, 5, 14, 15)] == [0, 1000, 1000, 2000]


def test_chargeable_minutes_are_told_before_they_are_rounded() -> None:
    lots = tariff(increment={"minutes": 60, "mode": "started"})

    assert ask(lots, MONDAY, 61).chargeable_min == 61
    assert ask(lots, MONDAY, 61).total == 800


def test_a_free_stay_is_not_rounded_up_to_a_lot() -> None:
    lots = tariff(band("10:00", "11:00"), increment={"minutes": 60, "mode": "started"})

    assert cost(lots, "2026-05-11T09:00", 60) == 0


def test_added_minutes_stay_in_the_band_and_tier_of_the_last_one() -> None:
    tiers = [{"upto_min": 60, "per_hour": 60}, {"per_hour": 600}]
    lots = {"increment": {"minutes": 90, "mode": "started"}}
    tiered = tariff({**band(), "tiers": tiers}, **lots)
    banded = tariff(band("09:00", "10:00", 60), band("10:00", "11:00", 600), **lots)

    assert cost(tiered, MONDAY, 59) == 90
    assert cost(tiered, MONDAY, 61) == 60 + 10 + 290
    assert cost(banded, MONDAY, 60) == 90
    assert cost(banded, "2026-05-11T10:30", 90) == 900


def test_added_minutes_fall_on_the_day_of_the_last_one() -> None:
    lots = tariff(
        band(per_hour=600),
        increment={"minutes": 60, "mode": "started"},
        cap_per_local_day=300,
    )

    # Thirty minutes before midnight, one after: the added 29 fall on Tuesday.
    assert cost(lots, "2026-05-11T23:30", 31) == 300 + 300
    assert cost(lots, "2026-05-11T23:30", 30) == 300


def test_minutes_that_are_given_up_are_the_last_ones() -> None:
    lots = tariff(
        band("09:00", "10:00", 600),
        band("10:00", "11:00", 6000),
        increment={"minutes": 60, "mode": "completed"},
    )

    assert cost(lots, MONDAY, 119) == 600


def test_the_first_chargeable_minutes_cost_nothing() -> None:
    lenient = tariff(band("09:00", "18:00", 600), free_first_min=15)

    assert cost(lenient, "2026-05-11T08:00", 75) == 0
    assert cost(lenient, "2026-05-11T08:00", 76) == 10


def test_progression_counts_the_free_first_minutes() -> None:
    tiers = [{"upto_min": 60, "per_hour": 600}, {"per_hour": 6000}]
    rising = {"days": EVERY_DAY, "from": "00:00", "to": "24:00", "tiers": tiers}

    assert cost(tariff(rising, free_first_min=30), MONDAY, 61) == 300 + 100
    assert cost(tariff(rising, free_first_min=90), MONDAY, 91) == 100


def test_added_minutes_among_the_first_are_free_as_well() -> None:
    lots = {"increment": {"minutes": 60, "mode": "started"}}

    assert cost(tariff(band(per_hour=600), free_first_min=15, **lots), MONDAY, 10) == 450
    assert cost(tariff(band(per_hour=600), free_first_min=60, **lots), MONDAY, 10) == 0


def test_a_stay_up_to_a_limit_is_free_and_a_longer_one_costs_everything() -> None:
    lenient = tariff(band("09:00", "18:00", 600), free_if_leq_min=15)

    assert cost(lenient, MONDAY, 15) == 0
    assert cost(lenient, MONDAY, 16) == 160
    assert cost(lenient, "2026-05-11T17:45", 600) == 0


def test_that_limit_is_asked_before_minutes_are_rounded_to_lots() -> None:
    lots = tariff(free_if_leq_min=15, increment={"minutes": 60, "mode": "started"})

    assert cost(lots, MONDAY, 15) == 0
    assert cost(lots, MONDAY, 16) == 400


def test_the_fixed_fee_is_due_whenever_a_minute_was_chargeable() -> None:
    lenient = tariff(band("09:00", "18:00"), free_if_leq_min=15, fixed_fee=50)

    assert cost(lenient, MONDAY, 10) == 50
    assert cost(lenient, MONDAY, 60) == 450
    assert cost(lenient, "2026-05-11T08:00", 60) == 0
    assert kinds(ask(lenient, MONDAY, 10)) == ["free", "fixed_fee"]
