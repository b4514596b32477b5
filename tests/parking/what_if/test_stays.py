"""Which bookings are past stays of a zone, and for how much."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta

import pytest

from parking.extension import FREE_EXTENSION
from parking.models import SlotState, Spot, Zone
from parking.what_if.stays import spooled
from tests import cast
from tests.parking.what_if.situations import a_past_stay, another_slot

START = datetime(2026, 3, 3, 8, 0, tzinfo=UTC)  # 10:00 in Helsinki
HOUR = timedelta(hours=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read(
    zone: Zone, start_on: date = date(2026, 3, 3), end_on: date = date(2026, 3, 4)
) -> list[tuple[str, datetime, int, int, str]]:
    with spooled(zone_id=zone.pk, start_on=start_on, end_on=end_on) as spool:
        text = b"".join(block for block, _ in spool.read()).decode()
        rows = [
            (kind, EPOCH + timedelta(minutes=int(start)), int(minutes), int(paid), vehicle_class)
            for kind, start, minutes, paid, vehicle_class in csv.reader(io.StringIO(text))
        ]
        assert spool.rows == len(rows)
    return sorted(rows)


def test_a_booking_with_its_extensions_is_one_stay(spot: Spot) -> None:
    booking = a_past_stay(spot, START, 60, paid=200, vehicle_class="low_emission")
    another_slot(booking, START + HOUR, 30, paid=150)

    assert read(spot.zone) == [("", START, 90, 350, "low_emission")]


def test_an_extension_that_the_tariff_gave_away_is_part_of_the_stay(spot: Spot) -> None:
    booking = a_past_stay(spot, START, 60, paid=200)
    another_slot(booking, START + HOUR, 30, paid=0, free_reason=FREE_EXTENSION)

    assert read(spot.zone) == [("", START, 90, 200, "")]


def test_a_begun_minute_counts(spot: Spot) -> None:
    a_past_stay(spot, START + timedelta(seconds=20), 60)

    assert read(spot.zone) == [("", START, 61, 200, "")]


def test_what_was_never_paid_for_is_no_stay(spot: Spot) -> None:
    for number, state in enumerate((SlotState.HELD, SlotState.EXPIRING, SlotState.RELEASED)):
        a_past_stay(spot, START + number * HOUR, state=state)

    assert read(spot.zone) == []


def test_a_cancelled_extension_does_not_lengthen_the_stay(spot: Spot) -> None:
    booking = a_past_stay(spot, START, 60)
    another_slot(booking, START + HOUR, 60, state=SlotState.CANCELLED)

    assert read(spot.zone) == [("", START, 60, 200, "")]


def test_cancelled_bookings_and_gifts_are_told_apart_and_what_the_tariff_gives_is_not(
    spot: Spot,
) -> None:
    a_past_stay(spot, START, state=SlotState.CANCELLED)
    a_past_stay(spot, START + HOUR, paid=0, free_reason="guest of the city")
    a_past_stay(spot, START + 2 * HOUR, paid=0)

    assert read(spot.zone) == [
        ("", START + 2 * HOUR, 60, 0, ""),
        ("cancelled", START, 60, 200, ""),
        ("granted", START + HOUR, 60, 0, ""),
    ]


def test_another_zone_has_its_own_stays(spot: Spot) -> None:
    a_past_stay(cast.a_spot(cast.a_zone("punavuori"), "P-1"), START)

    assert read(spot.zone) == []


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 3), 24), (date(2026, 3, 29), 23), (date(2026, 10, 25), 25)],
)
def test_a_local_day_has_its_own_hours(spot: Spot, day: date, hours: int) -> None:
    # From midnight to midnight in Helsinki: two hours ahead in winter, three in summer.
    ahead = 3 if day.month == 10 else 2
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) - ahead * HOUR
    for number in range(-1, hours + 1):
        a_past_stay(spot, midnight + number * HOUR)

    starts = [start for _, start, *_ in read(spot.zone, day, day + timedelta(days=1))]
    assert starts == [midnight + number * HOUR for number in range(hours)]


def test_a_stay_belongs_whole_to_the_day_on_which_it_begins(spot: Spot) -> None:
    late = START + 13 * HOUR  # 23:00 in Helsinki
    booking = a_past_stay(spot, late, 60)
    another_slot(booking, late + HOUR, 60)  # from midnight on

    assert read(spot.zone) == [("", late, 120, 400, "")]
    assert read(spot.zone, date(2026, 3, 4), date(2026, 3, 5)) == []
