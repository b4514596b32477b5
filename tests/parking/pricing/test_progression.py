"""Tiers rise with the chargeable minutes that came before."""

from typing import Any

from tests.parking.pricing.helpers import EVERY_DAY, ask, band, cost, tariff


def rising(begin: str = "00:00", end: str = "24:00", days: list[str] | None = None) -> Any:
    """A band at 1.00 for the first hour and 10.00 an hour after it."""
    tiers = [{"upto_min": 60, "per_hour": 100}, {"per_hour": 1000}]
    return {"days": days or EVERY_DAY, "from": begin, "to": end, "tiers": tiers}


def test_the_limit_of_a_tier_is_exclusive() -> None:
    assert cost(tariff(rising()), "2026-05-11T09:00", 60) == 100
    assert cost(tariff(rising()), "2026-05-11T09:00", 66) == 100 + 100


def test_free_minutes_between_do_not_count() -> None:
    with_lunch = tariff(rising("09:00", "12:00"), rising("14:00", "18:00"))

    assert cost(with_lunch, "2026-05-11T11:30", "2026-05-11T14:30") == 100


def test_by_default_progression_goes_on_over_midnight_and_over_bands() -> None:
    assert cost(tariff(rising()), "2026-05-11T23:00", 120) == 100 + 1000
    two = tariff(rising("08:00", "12:00"), rising("12:00", "18:00"))
    assert cost(two, "2026-05-11T11:00", 120) == 100 + 1000


def test_local_day_starts_again_when_the_date_of_a_chargeable_minute_differs() -> None:
    daily = tariff(rising(), progression_reset="local_day")

    assert cost(daily, "2026-05-11T23:00", 120) == 100 + 100
    assert cost(daily, "2026-05-11T22:00", 240) == 2 * (100 + 1000)


def test_local_day_asks_the_date_of_the_minute_not_the_day_of_its_band() -> None:
    night = tariff(rising("22:00", "02:00", ["mon"]), progression_reset="local_day")

    assert cost(night, "2026-05-11T22:00", 240) == 2 * (100 + 1000)


def test_band_starts_again_when_the_band_differs() -> None:
    two = tariff(rising("08:00", "12:00"), rising("12:00", "18:00"), progression_reset="band")

    assert cost(two, "2026-05-11T11:00", 120) == 100 + 100


def test_one_band_on_two_days_is_one_band() -> None:
    daily = tariff(rising("09:00", "10:00"), progression_reset="band")

    assert cost(daily, "2026-05-11T09:30", 1440) == 100


def test_each_band_has_its_own_tiers_at_the_same_progression() -> None:
    flat_then_rising = tariff(band("08:00", "09:00", 400), rising("09:00", "18:00"))

    assert cost(flat_then_rising, "2026-05-11T08:30", 90) == 200 + 50 + 500


def test_the_free_first_minutes_are_those_of_the_stay_whatever_the_reset() -> None:
    daily = tariff(rising(), progression_reset="local_day", free_first_min=60)

    answer = ask(daily, "2026-05-11T23:00", 120)

    assert answer.total == 100
