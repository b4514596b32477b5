"""The price follows elapsed minutes through both nights on which clocks change."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from parking.pricing import QuoteError, parse_local, quote
from parking.pricing.clock import minute_of, moment_of, stretches
from tests.parking.pricing.helpers import ask, band, cost, tariff

ALL_DAY = tariff(band(per_hour=600))
ZURICH = ZoneInfo("Europe/Zurich")
SINCE, UNTIL = datetime(2005, 1, 1, tzinfo=UTC), datetime(2045, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "zone",
    [
        "Europe/Zurich",
        "America/Santiago",  # at midnight
        "Australia/Lord_Howe",  # by half an hour
        "Africa/Casablanca",  # twice within five weeks
        "Asia/Tehran",  # no more since 2022
        "Pacific/Apia",  # left out a whole day in 2011
    ],
)
def test_the_clock_is_that_of_the_time_zone_database(
    zone: str,
) -> None:
    begin, end = minute_of(SINCE, "start"), minute_of(UNTIL, "end")
    clock = ZoneInfo(zone)

    parts = stretches(zone, begin, end)

    assert parts[0][0] == begin
    assert parts[-1][1] == end
    assert all(before[1] == after[0] for before, after in pairwise(parts))
    assert len(parts) > 20
    for first, last, offset in parts:
        moments = [*range(first, last, 24 * 60 + 15), last - 1]
        assert {moment_of(minute).astimezone(clock).utcoffset() for minute in moments} == {
            timedelta(minutes=offset)
        }


def test_the_autumn_night_has_seven_hours_from_ten_to_four_and_the_spring_night_five() -> None:
    assert ask(ALL_DAY, "2026-10-24T22:00", "2026-10-25T04:00").chargeable_min == 7 * 60
    assert ask(ALL_DAY, "2026-03-28T22:00", "2026-03-29T04:00").chargeable_min == 5 * 60
    assert ask(ALL_DAY, "2026-05-11T22:00", "2026-05-12T04:00").chargeable_min == 6 * 60


def test_minutes_of_a_case_are_elapsed_ones() -> None:
    early = tariff(band("00:00", "04:00", 600))

    assert cost(early, "2026-10-25T00:00", 360) == 5 * 600
    assert cost(early, "2026-03-29T00:00", 360) == 3 * 600


def test_the_repeated_hour_is_in_its_band_twice_and_the_skipped_one_not_at_all() -> None:
    small_hour = tariff(band("02:00", "03:00", 600))

    assert cost(small_hour, "2026-10-25T00:00", "2026-10-25T06:00") == 2 * 600
    assert cost(small_hour, "2026-03-29T00:00", "2026-03-29T06:00") == 0


def test_a_band_that_ends_inside_the_repeated_hour_has_a_hole() -> None:
    until_half_past_two = tariff(band("01:00", "02:30", 600))

    # 01:00 to 02:30, and 02:00 to 02:30 once more.
    assert cost(until_half_past_two, "2026-10-25T00:00", "2026-10-25T06:00") == 1200
    assert cost(until_half_past_two, "2026-10-25T02:30+02:00", 30) == 0
    assert cost(until_half_past_two, "2026-10-25T02:00+01:00", 30) == 300


def test_a_start_that_does_not_exist_is_refused_with_the_next_valid_one() -> None:
    with pytest.raises(QuoteError) as refused:
        parse_local("2026-03-29T02:30", "Europe/Zurich")

    assert refused.value.code == "nonexistent_start"
    assert refused.value.params["next_valid"] == "2026-03-29T03:00"
    assert "2026-03-29T03:00" in refused.value.detail
    assert parse_local("2026-03-29T03:00", "Europe/Zurich")


def test_an_end_that_does_not_exist_is_refused_too() -> None:
    with pytest.raises(QuoteError) as refused:
        ask(ALL_DAY, "2026-03-29T01:00", "2026-03-29T02:00")

    assert refused.value.code == "nonexistent_end"


def test_half_an_hour_can_be_skipped() -> None:
    with pytest.raises(QuoteError) as refused:
        parse_local("2026-10-04T02:10", "Australia/Lord_Howe")

    assert refused.value.params["next_valid"] == "2026-10-04T02:30"


def test_a_moment_made_in_the_gap_is_refused_by_the_engine_as_well() -> None:
    start = datetime(2026, 3, 29, 2, 30, tzinfo=ZURICH)

    with pytest.raises(QuoteError) as refused:
        quote(tariff=ALL_DAY, start=start, end=start + timedelta(hours=4))

    assert refused.value.code == "nonexistent_start"


def test_an_ambiguous_time_is_the_first_unless_an_offset_is_given() -> None:
    def utc(text: str) -> datetime:
        return parse_local(text, "Europe/Zurich").astimezone(UTC)

    assert utc("2026-10-25T02:30") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert utc("2026-10-25T02:30+02:00") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert utc("2026-10-25T02:30+01:00") == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert utc("2026-10-25T01:30Z") == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert utc("2026-10-25 02:30:00") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-03-03",
        "03.03.2026 10:00",
        "2026-03-03T25:00",
        "2026-02-30T10:00",
        "2026-03-03T10:00:30",
        "2026-03-03T10:00+99:00",
        "2026-W10-2T10:00",
        "２０２６-03-03T10:00",
        None,
        1772528400,
    ],
)
def test_what_is_not_a_local_time_is_refused(text: object) -> None:
    with pytest.raises(QuoteError) as refused:
        parse_local(text, "Europe/Zurich")

    assert refused.value.code == "bad_time"


def test_the_zone_in_which_the_question_is_asked_does_not_matter() -> None:
    working_hours = tariff(band("09:00", "10:00", 600))
    start = datetime(2026, 5, 11, 7, 0, tzinfo=UTC)  # 09:00 in Zürich
    zones = [UTC, timezone(timedelta(hours=-5)), ZoneInfo("Asia/Tehran"), ZURICH]

    answers = [
        quote(
            tariff=working_hours,
            start=start.astimezone(zone),
            end=(start + timedelta(hours=2)).astimezone(zone),
        )
        for zone in zones
    ]

    assert answers[0].total == 600
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        (datetime(2026, 5, 11, 9), datetime(2026, 5, 11, 10), "naive_time"),  # noqa: DTZ001
        (
            datetime(2026, 5, 11, 9, 0, 30, tzinfo=UTC),
            datetime(2026, 5, 11, 10, tzinfo=UTC),
            "not_whole_minute",
        ),
        (
            datetime(2026, 5, 11, 9, tzinfo=UTC),
            datetime(2026, 5, 11, 8, tzinfo=UTC),
            "end_before_start",
        ),
        (
            datetime(2026, 5, 11, tzinfo=UTC),
            datetime(2027, 5, 13, tzinfo=UTC),
            "stay_too_long",
        ),
        (datetime.min.replace(tzinfo=UTC), datetime(2026, 5, 11, tzinfo=UTC), "time_out_of_range"),
        (datetime(2026, 5, 11, tzinfo=UTC), datetime.max.replace(tzinfo=UTC), "time_out_of_range"),
    ],
)
def test_a_period_that_cannot_be_priced_is_refused_by_a_code(
    start: datetime, end: datetime, code: str
) -> None:
    with pytest.raises(QuoteError) as refused:
        quote(tariff=ALL_DAY, start=start, end=end)

    assert refused.value.code == code
