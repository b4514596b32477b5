"""A flat pays for the minutes inside its window, once per window."""

from typing import Any

from tests.parking.pricing.helpers import ask, band, cost, kinds, tariff


def flat(begin: str, end: str, amount: int, applies_if: str) -> dict[str, Any]:
    return {"from": begin, "to": end, "amount": amount, "applies_if": applies_if}


def night(applies_if: str, **keys: Any) -> Any:
    """4.00 an hour, and 5.00 for the night from 18:00 to 06:00."""
    return tariff(window_flats=[flat("18:00", "06:00", 500, applies_if)], **keys)


def test_a_covered_window_costs_its_amount_and_its_minutes_leave_the_count() -> None:
    answer = ask(night("covers_whole"), "2026-05-11T17:00", "2026-05-12T07:00")

    assert (answer.chargeable_min, answer.total) == (120, 800 + 500)


def test_a_window_that_is_not_covered_whole_is_charged_by_the_minute() -> None:
    assert cost(night("covers_whole"), "2026-05-11T18:00", "2026-05-12T06:00") == 500
    assert cost(night("covers_whole"), "2026-05-11T18:01", "2026-05-12T06:00") == 4794  # 719 min
    assert cost(night("covers_whole"), "2026-05-11T18:00", "2026-05-12T05:59") == 4794


def test_one_minute_is_enough_to_touch_a_window() -> None:
    assert cost(night("touches"), "2026-05-11T17:00", "2026-05-11T18:00") == 400
    assert cost(night("touches"), "2026-05-11T17:00", "2026-05-11T18:01") == 400 + 500
    assert cost(night("touches"), "2026-05-12T05:59", "2026-05-12T07:00") == 500 + 400
    assert cost(night("touches"), "2026-05-12T06:00", "2026-05-12T07:00") == 400


def test_each_window_of_a_long_stay_costs_its_amount() -> None:
    stay = ("2026-05-11T06:00", "2026-05-14T06:00")

    assert cost(night("covers_whole"), *stay) == 3 * (12 * 400 + 500)
    assert cost(night("touches"), "2026-05-11T05:00", "2026-05-11T19:00") == 500 + 4800 + 500


def test_windows_exist_on_every_day_and_outside_all_bands() -> None:
    weekday_hours = tariff(
        band("09:00", "17:00", 400, ["mon"]),
        window_flats=[flat("18:00", "06:00", 500, "touches")],
        holidays={"2026-05-17": "a Sunday"},
        holiday_behaves_like="sun",
    )

    assert cost(weekday_hours, "2026-05-17T20:00", 60) == 500
    assert cost(weekday_hours, "2026-05-17T09:00", 60) == 0


def test_a_stay_that_is_wholly_inside_flats_has_no_chargeable_minute_and_no_fee() -> None:
    answer = ask(night("touches", fixed_fee=50), "2026-05-11T20:00", 60)

    assert (answer.chargeable_min, answer.total) == (0, 500)
    assert kinds(answer) == ["window_flat"]


def test_a_limit_below_which_a_stay_is_free_leaves_the_flat() -> None:
    lenient = night("touches", free_if_leq_min=30, fixed_fee=50)

    assert cost(lenient, "2026-05-11T17:45", "2026-05-11T19:00") == 500 + 50
    assert cost(lenient, "2026-05-11T18:00", "2026-05-11T19:00") == 500


def test_a_ladder_is_asked_for_the_rest() -> None:
    steps = [{"upto_min": 60, "total": 300}, {"upto_min": 120, "total": 900}]
    mixed = tariff(ladder=steps, window_flats=[flat("18:00", "06:00", 500, "touches")])

    assert cost(mixed, "2026-05-11T17:00", "2026-05-12T06:00") == 300 + 500


def test_progression_does_not_count_minutes_inside_a_window() -> None:
    tiers = [{"upto_min": 60, "per_hour": 100}, {"per_hour": 1000}]
    rising = {**band(), "tiers": tiers}
    mixed = tariff(rising, window_flats=[flat("12:00", "13:00", 50, "touches")])

    assert cost(mixed, "2026-05-11T11:30", "2026-05-11T13:30") == 100 + 50


def test_windows_that_overlap_each_add_their_amount() -> None:
    both = tariff(
        window_flats=[flat("12:00", "14:00", 50, "touches"), flat("13:00", "15:00", 70, "touches")]
    )
    answer = ask(both, "2026-05-11T11:00", "2026-05-11T16:00")

    assert (answer.chargeable_min, answer.total) == (120, 800 + 50 + 70)


def test_a_flat_falls_on_the_day_on_which_its_window_begins() -> None:
    capped = night("touches", cap_per_local_day=600)

    # Monday: 500 and an hour, of which 600 stay. Tuesday: one hour.
    assert cost(capped, "2026-05-11T17:00", "2026-05-12T07:00") == 600 + 400


def test_a_window_in_the_hour_that_spring_skips_does_not_exist() -> None:
    for applies_if in ("touches", "covers_whole"):
        small = tariff(window_flats=[flat("02:00", "03:00", 500, applies_if)])

        assert cost(small, "2026-03-29T01:00", "2026-03-29T05:00") == 3 * 400
        assert cost(small, "2026-03-28T01:00", "2026-03-28T05:00") == 3 * 400 + 500


def test_a_repeated_hour_must_be_covered_both_times() -> None:
    small = tariff(window_flats=[flat("02:00", "03:00", 500, "covers_whole")])

    assert cost(small, "2026-10-25T02:00+02:00", "2026-10-25T03:00") == 500
    assert cost(small, "2026-10-25T02:00+01:00", "2026-10-25T03:00") == 400
    assert cost(small, "2026-10-25T01:00", "2026-10-25T04:00") == 800 + 500
