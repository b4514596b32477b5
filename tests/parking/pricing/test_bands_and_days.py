"""A minute belongs to the band that holds its local wall time."""

from tests.parking.pricing.helpers import EVERY_DAY, WORKDAYS, ask, band, cost, tariff

# 2026-05-11 is a Monday.
FRIDAY_NIGHT = tariff(band("20:00", "06:00", 600, ["fri"]))


def test_a_period_is_half_open_on_both_edges_of_a_band() -> None:
    working_hours = tariff(band("09:00", "10:00", 6000))

    assert cost(working_hours, "2026-05-11T08:59", 1) == 0
    assert cost(working_hours, "2026-05-11T09:00", 1) == 100
    assert cost(working_hours, "2026-05-11T09:59", 1) == 100
    assert cost(working_hours, "2026-05-11T10:00", 1) == 0
    assert cost(working_hours, "2026-05-11T08:00", 240) == 6000


def test_a_stay_of_no_minutes_costs_nothing_not_even_the_fee() -> None:
    answer = ask(tariff(fixed_fee=50, min_charge=100), "2026-05-11T09:00", 0)

    assert (answer.chargeable_min, answer.total, answer.lines) == (0, 0, ())


def test_minutes_in_no_band_are_free_and_not_chargeable() -> None:
    answer = ask(tariff(band("09:00", "12:00", 400, ["mon"])), "2026-05-11T11:00", 2 * 1440)

    assert (answer.chargeable_min, answer.total) == (60, 400)


def test_a_band_may_end_at_midnight_in_either_spelling() -> None:
    for end in ("24:00", "00:00"):
        evening = tariff(band("20:00", end, 600, ["fri"]))

        assert cost(evening, "2026-05-15T23:00", 120) == 600
        assert cost(evening, "2026-05-15T00:00", 60) == 0


def test_a_band_past_midnight_belongs_to_the_day_on_which_it_began() -> None:
    assert cost(FRIDAY_NIGHT, "2026-05-15T19:00", "2026-05-16T07:00") == 10 * 600
    assert cost(FRIDAY_NIGHT, "2026-05-16T05:00", 120) == 600
    assert cost(FRIDAY_NIGHT, "2026-05-15T00:00", "2026-05-15T06:00") == 0
    assert cost(FRIDAY_NIGHT, "2026-05-16T20:00", 60) == 0


def test_whether_the_night_is_a_holiday_is_asked_of_the_day_on_which_it_began() -> None:
    def with_holiday(day: str) -> int:
        night = tariff(
            band("20:00", "06:00", 600, ["fri"]),
            holidays={day: "holiday"},
            holiday_behaves_like="sun",
        )
        return cost(night, "2026-05-15T20:00", "2026-05-16T06:00")

    assert with_holiday("2026-05-15") == 0
    assert with_holiday("2026-05-16") == 10 * 600


def test_a_holiday_is_priced_as_the_day_it_behaves_like() -> None:
    bands = [band("09:00", "21:00", 400, WORKDAYS), band("12:00", "18:00", 200, ["sun"])]
    holiday = {"2026-05-12": "a Tuesday"}

    as_sunday = tariff(*bands, holidays=holiday, holiday_behaves_like="sun")
    only_named = tariff(*bands, holidays=holiday)

    assert cost(as_sunday, "2026-05-12T09:00", "2026-05-12T21:00") == 6 * 200
    assert cost(as_sunday, "2026-05-13T09:00", "2026-05-13T21:00") == 12 * 400
    assert cost(only_named, "2026-05-12T09:00", "2026-05-12T21:00") == 12 * 400


def test_a_holiday_can_behave_like_a_day_whose_night_reaches_into_the_next() -> None:
    night = tariff(
        band("20:00", "06:00", 600, ["fri"]),
        holidays={"2026-05-12": "a Tuesday"},
        holiday_behaves_like="fri",
    )

    assert cost(night, "2026-05-13T00:00", 480) == 6 * 600


def test_the_lower_priority_wins_wherever_bands_overlap() -> None:
    market = tariff(
        band("00:00", "24:00", 100, EVERY_DAY, priority=5),
        band("08:00", "14:00", 900, ["sat"], priority=-1),
        band("12:00", "20:00", 300),
    )

    assert cost(market, "2026-05-16T07:00", 60) == 100
    assert cost(market, "2026-05-16T13:00", 60) == 900
    assert cost(market, "2026-05-16T14:00", 60) == 300
    assert cost(market, "2026-05-11T13:00", 60) == 300
    assert cost(market, "2026-05-16T00:00", 1440) == 8 * 100 + 6 * 900 + 6 * 300 + 4 * 100


def test_a_night_of_low_priority_number_beats_the_morning_of_the_next_day() -> None:
    both = tariff(
        band("20:00", "06:00", 600, ["fri"], priority=-1), band("05:00", "09:00", 100, ["sat"])
    )

    assert cost(both, "2026-05-16T05:00", 60) == 600
    assert cost(both, "2026-05-16T06:00", 60) == 100
