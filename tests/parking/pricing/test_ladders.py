"""A ladder has one total for every stay up to a step."""

import pytest

from parking.pricing import QuoteError
from tests.parking.pricing.helpers import ask, band, cost, tariff

LADDER = [{"upto_min": 30, "total": 100}, {"upto_min": 60, "total": 300}]
ALONE = tariff(ladder=LADDER)


def test_the_first_step_that_is_not_below_the_minutes_holds() -> None:
    assert [cost(ALONE, "2026-05-11T09:00", minutes) for minutes in (1, 30, 31, 60)] == [
        100,
        100,
        300,
        300,
    ]


def test_beyond_the_last_step_the_stay_is_not_sold() -> None:
    with pytest.raises(QuoteError) as refused:
        ask(ALONE, "2026-05-11T09:00", 61)

    assert refused.value.code == "ladder_exceeded"
    assert refused.value.params == {"longest_min": 60, "minutes": 61}


def test_without_bands_every_minute_counts_and_with_them_only_theirs() -> None:
    office = tariff(band("09:00", "18:00", 0), ladder=LADDER)

    assert ask(ALONE, "2026-05-11T03:00", 60).chargeable_min == 60
    assert ask(office, "2026-05-11T08:30", 60).total == 100
    assert ask(office, "2026-05-11T17:30", 600).total == 100
    assert ask(office, "2026-05-11T03:00", 60).total == 0


def test_the_rates_of_bands_are_not_added() -> None:
    assert cost(tariff(band(per_hour=999), ladder=LADDER), "2026-05-11T09:00", 30) == 100


def test_the_ladder_is_asked_for_the_minutes_sold() -> None:
    lots = tariff(ladder=LADDER, increment={"minutes": 45, "mode": "started"})

    assert cost(lots, "2026-05-11T09:00", 20) == 300
    with pytest.raises(QuoteError, match="this one has 90"):
        ask(lots, "2026-05-11T09:00", 46)


def test_giving_up_the_last_lot_can_make_it_free() -> None:
    lots = tariff(ladder=LADDER, increment={"minutes": 30, "mode": "completed"})

    assert cost(lots, "2026-05-11T09:00", 29) == 0
    assert cost(lots, "2026-05-11T09:00", 59) == 100


def test_each_day_bears_what_the_ladder_rises_on_it() -> None:
    capped = tariff(ladder=LADDER, cap_per_local_day=150)

    # 100 fall on Monday and 200 on Tuesday, of which 150 stay.
    assert cost(capped, "2026-05-11T23:30", 60) == 250
    assert cost(capped, "2026-05-11T09:00", 60) == 150


def test_the_day_on_which_the_free_first_minutes_end_bears_the_total() -> None:
    capped = tariff(ladder=LADDER, cap_per_local_day=150, free_first_min=30)

    # The free half hour lies on Monday; all 300 fall on Tuesday.
    assert cost(capped, "2026-05-11T23:30", 60) == 150


def test_minutes_added_to_fill_a_lot_fall_on_the_last_day() -> None:
    lots = {"minutes": 60, "mode": "started"}
    capped = tariff(ladder=LADDER, cap_per_local_day=150, increment=lots)

    # 25 minutes on Monday reach 100; five on Tuesday and thirty added ones the other 200.
    assert cost(capped, "2026-05-11T23:35", 30) == 100 + 150


def test_the_free_first_minutes_free_a_stay_that_is_no_longer() -> None:
    lenient = tariff(ladder=LADDER, free_first_min=15)

    assert cost(lenient, "2026-05-11T09:00", 15) == 0
    assert cost(lenient, "2026-05-11T09:00", 16) == 100
    assert cost(lenient, "2026-05-11T09:00", 60) == 300


def test_what_is_free_is_not_beyond_the_ladder() -> None:
    lenient = tariff(ladder=LADDER, free_if_leq_min=90)

    assert cost(lenient, "2026-05-11T09:00", 90) == 0
    with pytest.raises(QuoteError):
        ask(lenient, "2026-05-11T09:00", 91)
