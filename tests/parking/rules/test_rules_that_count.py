"""The rules that know other stays refuse what they name, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from parking.stay_rules import EventLimit, OtherStay, Rules, failures
from tests.parking.rules.test_stay_rules import NOON, RULES, broken, wish


def stay(start: float, minutes: float) -> OtherStay:
    begin = NOON + timedelta(minutes=start)
    return OtherStay(begin, begin + timedelta(minutes=minutes))


def said(rules: Rules, **fields: object) -> list[str]:
    return [failure.message for failure in failures(rules, wish(**fields))]


@pytest.mark.parametrize(("ahead", "refused"), [(0, True), (25, True), (30, False), (90, False)])
def test_the_lead_time_counts_from_now(ahead: int, refused: bool) -> None:
    rules = replace(RULES, lead_time_min=30)
    assert ("lead_time" in broken(rules, start=NOON + timedelta(minutes=ahead))) is refused


def test_the_lead_time_names_the_first_start_on_the_grid() -> None:
    rules = replace(RULES, lead_time_min=30)
    (words,) = said(rules, start=NOON + timedelta(minutes=5), now=NOON + timedelta(minutes=2))
    assert words == "Book at least 30 minutes ahead: the first start is 12:35."


def test_one_minute_is_said_as_one() -> None:
    rules = replace(RULES, shortest_stay_min=1, longest_stay_min=1)
    assert "The longest stay here is 1 minute." in said(rules)


def test_a_start_in_the_past_is_not_also_too_soon() -> None:
    rules = replace(RULES, lead_time_min=30)
    assert broken(rules, start=NOON - timedelta(minutes=60)) == ["not_in_the_past"]


@pytest.mark.parametrize(
    ("other", "refused"),
    [
        (stay(-120, 60), False),  # ended exactly the time away before
        (stay(-120, 65), True),
        (stay(-60, 240), True),  # runs all the while
        (stay(120, 60), False),  # starts exactly the time away after
        (stay(115, 60), True),
    ],
)
def test_no_return_keeps_the_time_away_on_both_sides(other: OtherStay, refused: bool) -> None:
    rules = replace(RULES, no_return_min=60)
    assert (broken(rules, stays_of_vehicle=[other]) == ["no_return"]) is refused


def test_no_return_names_the_first_time_at_which_the_whole_stay_fits() -> None:
    rules = replace(RULES, no_return_min=60)
    others = [stay(-60, 62), stay(150, 30)]  # between them there is no room for an hour
    assert said(rules, stays_of_vehicle=others) == ["This vehicle may come back from 16:00."]


def test_a_return_on_another_day_is_named_with_its_day() -> None:
    rules = replace(RULES, no_return_min=1440)
    (words,) = said(rules, stays_of_vehicle=[stay(-60, 30)])
    assert words == "This vehicle may come back from Wed 4 March 2026, 11:30."


@pytest.mark.parametrize(("ahead", "refused"), [(1, False), (2, True), (3, True)])
def test_the_fair_share_is_refused_when_it_is_used_up(ahead: int, refused: bool) -> None:
    rules = replace(RULES, most_stays_ahead=2)
    others = [stay(100 * number, 60) for number in range(1, ahead + 1)]
    assert (broken(rules, stays_of_vehicle=others) == ["fair_share"]) is refused


def test_stays_that_are_over_do_not_count_in_the_fair_share() -> None:
    rules = replace(RULES, most_stays_ahead=1)
    assert broken(rules, stays_of_vehicle=[stay(-120, 60)]) == []


def reserving(*reserved: OtherStay, start: datetime = NOON + timedelta(hours=2)) -> list[str]:
    rules = replace(RULES, reservable_percent=50, walk_up_min=15)
    return broken(rules, start=start, minutes=60, reserved=reserved, street_spots=5)


def test_half_of_five_spots_is_two() -> None:
    assert reserving(stay(120, 60)) == []
    assert reserving(stay(120, 60), stay(150, 60)) == ["reservable_share"]


def test_reservations_one_after_the_other_fill_one_place_only() -> None:
    assert reserving(stay(110, 20), stay(130, 20), stay(150, 60)) == []


def test_whoever_comes_now_does_not_need_the_share() -> None:
    others = (stay(0, 60), stay(0, 60))
    assert reserving(*others, start=NOON + timedelta(minutes=15)) == []
    assert reserving(*others, start=NOON + timedelta(minutes=20)) == ["reservable_share"]


def test_a_share_of_nothing_reserves_nothing() -> None:
    rules = replace(RULES, reservable_percent=0)
    later = NOON + timedelta(hours=1)
    assert broken(rules, start=later, street_spots=9) == ["reservable_share"]


def test_an_event_shortens_the_stay_and_is_named() -> None:
    match = EventLimit("Match at the arena", 45)
    assert broken(event_limits=[match], minutes=45) == []
    assert said(RULES, event_limits=[match]) == [
        "Match at the arena: no stay is longer than 45 minutes then."
    ]


def test_all_of_them_are_said_at_once() -> None:
    rules = replace(
        RULES, lead_time_min=120, no_return_min=60, most_stays_ahead=1, reservable_percent=0
    )
    assert broken(
        rules,
        start=NOON + timedelta(minutes=60),
        minutes=245,
        event_limits=[EventLimit("Market", 30)],
        stays_of_vehicle=[stay(0, 30)],
    ) == [
        "lead_time",
        "not_too_long",
        "not_too_long_for_event",
        "no_return",
        "fair_share",
        "reservable_share",
    ]
