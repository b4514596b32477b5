"""Each stay rule refuses what it names, and nothing else."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from parking.stay_rules import RULE_BOOK, Rules, Wish, failures

HELSINKI = ZoneInfo("Europe/Helsinki")
NOON = datetime(2026, 3, 3, 12, 0, tzinfo=HELSINKI)
RULES = Rules(
    longest_stay_min=240,
    shortest_stay_min=15,
    slot_step_min=5,
    book_ahead_days=7,
    bookable_from=None,
    bookable_to=None,
    time_zone=HELSINKI,
)


def wish(start: datetime = NOON, minutes: int = 60, now: datetime = NOON, **more: object) -> Wish:
    return Wish(start=start, end=start + timedelta(minutes=minutes), now=now, **more)


def broken(rules: Rules = RULES, **fields: object) -> list[str]:
    return [failure.rule for failure in failures(rules, wish(**fields))]


def test_a_good_wish_breaks_nothing() -> None:
    assert broken() == []


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"minutes": -10}, "ends_after_it_starts"),
        ({"minutes": 0}, "ends_after_it_starts"),
        ({"start": NOON + timedelta(minutes=2), "minutes": 58}, "starts_on_the_grid"),
        ({"start": NOON + timedelta(seconds=1), "minutes": 60}, "starts_on_the_grid"),
        ({"minutes": 61}, "ends_on_the_grid"),
        ({"start": NOON - timedelta(minutes=5)}, "not_in_the_past"),
        ({"start": NOON + timedelta(days=7, minutes=5)}, "not_too_far_ahead"),
        ({"minutes": 10}, "not_too_short"),
        ({"minutes": 245}, "not_too_long"),
        ({"closures": ("street works",)}, "not_closed"),
    ],
)
def test_the_rule_refuses(fields: dict, rule: str) -> None:
    assert rule in broken(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"start": NOON, "now": NOON + timedelta(minutes=4, seconds=59)},  # the running step
        {"start": NOON + timedelta(days=7)},
        {"minutes": 15},
        {"minutes": 240},
    ],
)
def test_the_limit_itself_is_allowed(fields: dict) -> None:
    assert broken(**fields) == []


@pytest.mark.parametrize(
    ("opens", "closes", "start_hour", "minutes", "allowed"),
    [
        (8, 20, 8, 60, True),
        (8, 20, 19, 60, True),
        (8, 20, 19, 65, False),
        (8, 20, 7, 60, False),
        (20, 6, 23, 120, True),  # open past midnight
        (20, 6, 1, 120, True),
        (20, 6, 5, 65, False),
        (20, 6, 12, 60, False),
    ],
)
def test_bookable_hours(
    opens: int, closes: int, start_hour: int, minutes: int, allowed: bool
) -> None:
    rules = replace(RULES, bookable_from=time(opens), bookable_to=time(closes))
    start = NOON.replace(hour=start_hour)
    result = broken(rules, start=start, minutes=minutes, now=start)
    assert (result == []) is allowed


def test_minutes_are_elapsed_on_the_night_the_clocks_change() -> None:
    start = datetime(2026, 10, 25, 2, 0, tzinfo=HELSINKI)
    end = datetime(2026, 10, 25, 5, 0, tzinfo=HELSINKI)
    night = Wish(start=start, end=end, now=start)
    assert night.minutes == 240


def test_every_rule_says_something_to_people_and_names_its_field() -> None:
    rules = replace(RULES, bookable_from=time(8), bookable_to=time(9))
    said = failures(
        rules,
        wish(start=NOON - timedelta(days=1, minutes=2), minutes=501, closures=("market", "parade")),
    )
    assert all(failure.message and failure.field in {"from", "to"} for failure in said)
    assert any("market, parade" in failure.message for failure in said)
    assert len(RULE_BOOK) == len({check.__name__ for check in RULE_BOOK})
