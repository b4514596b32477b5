"""What people choose becomes a period, also on the nights when the clocks change."""

from datetime import UTC, date, datetime, time

import pytest

from parking import stay_times


def test_a_local_time_becomes_its_moment() -> None:
    start = stay_times.start_of(on=date(2026, 3, 3), at=time(10, 0))
    assert start.astimezone(UTC) == datetime(2026, 3, 3, 8, 0, tzinfo=UTC)


def test_a_time_that_the_clocks_jump_over_is_refused_with_the_next_one() -> None:
    with pytest.raises(stay_times.NoSuchTime, match="04:00"):
        stay_times.start_of(on=date(2026, 3, 29), at=time(3, 30))


def test_a_time_that_comes_twice_is_the_first() -> None:
    start = stay_times.start_of(on=date(2026, 10, 25), at=time(3, 30))
    assert start.astimezone(UTC) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_year_out_of_range_is_refused() -> None:
    with pytest.raises(stay_times.NoSuchTime, match="century"):
        stay_times.start_of(on=date(1, 1, 1), at=time(0, 0))


@pytest.mark.parametrize(
    ("now", "steps", "start"),
    [
        ("08:00", [5], "08:00"),
        ("08:00:01", [5], "08:05"),
        ("08:01", [15], "08:15"),
        ("08:01", [5, 15, 30], "08:30"),
        ("08:01", [10, 4], "08:20"),
        ("08:59", [60, 7 * 60], "09:00"),
        ("08:03", [], "08:03"),
    ],
)
def test_the_next_start_lies_on_the_grid_of_every_zone(
    now: str, steps: list[int], start: str
) -> None:
    day = "2026-03-03T{}+00:00"
    assert stay_times.next_start(
        now=datetime.fromisoformat(day.format(now)), steps=steps
    ) == datetime.fromisoformat(day.format(start))


def test_lengths_stay_within_the_rules_and_name_both_ends() -> None:
    lengths = stay_times.lengths(shortest=20, longest=100, step=20)
    assert lengths == [20, 60, 100]
    assert 15 not in stay_times.lengths(shortest=30, longest=240, step=15)
