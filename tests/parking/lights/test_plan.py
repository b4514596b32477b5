"""What a lamp shows, when."""

from datetime import datetime
from itertools import pairwise

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from parking.lights import Lamp, LightTable, Span, Stay, plan
from parking.meter_protocol import Entry, from_now_on, next_change, shown_at
from tests.cast import NOW, at

TABLE = LightTable.parse(shows={}, lead_min=15, last_min=10)


def entries(*stays: Stay, closures: tuple[Span, ...] = (), now: datetime = NOW) -> list[Entry]:
    """Return the plan of one lamp."""
    return list(plan(lamps=[Lamp(1, stays, closures)], table=TABLE, now=now)[1])


def words(some: list[Entry]) -> list[tuple[float, float, str]]:
    """Write entries as minutes after NOW and what is shown."""
    return [
        (
            (entry.start - NOW).total_seconds() / 60,
            (entry.end - NOW).total_seconds() / 60,
            " ".join(entry.show),
        )
        for entry in some
    ]


def test_a_stay_blinks_slowly_before_burns_and_blinks_fast_at_the_end() -> None:
    assert words(entries(Stay(at(60), at(120), "B1"))) == [
        (45, 60, "green slow_blink"),
        (60, 110, "green steady"),
        (110, 120, "green fast_blink"),
    ]


def test_a_free_lamp_has_nothing_planned_and_is_off() -> None:
    assert entries() == []
    assert shown_at(entries(), NOW) == ("off", "none")


def test_what_is_over_is_left_out() -> None:
    assert words(entries(Stay(at(-60), at(60), "B1"), now=at(55))) == [(50, 60, "green fast_blink")]
    assert entries(Stay(at(-60), at(60), "B1"), now=at(60)) == []


def test_a_stay_of_ten_minutes_is_all_last_minutes() -> None:
    assert words(entries(Stay(at(0), at(10), "B1"))) == [(0, 10, "green fast_blink")]


def test_an_extended_stay_is_one_stay() -> None:
    assert words(entries(Stay(at(0), at(60), "B1"), Stay(at(60), at(90), "B1"))) == [
        (0, 80, "green steady"),
        (80, 90, "green fast_blink"),
    ]


def test_the_next_citizen_is_announced_only_when_the_last_one_is_gone() -> None:
    assert words(entries(Stay(at(0), at(60), "B1"), Stay(at(65), at(90), "B2"))) == [
        (0, 50, "green steady"),
        (50, 60, "green fast_blink"),
        (60, 65, "green slow_blink"),
        (65, 80, "green steady"),
        (80, 90, "green fast_blink"),
    ]


def test_a_closure_is_red_but_never_in_paid_time() -> None:
    assert words(entries(Stay(at(60), at(120), "B1"), closures=(Span(at(30), at(240)),))) == [
        (30, 60, "red steady"),
        (60, 110, "green steady"),
        (110, 120, "green fast_blink"),
        (120, 240, "red steady"),
    ]


def test_a_city_chooses_its_own_lights() -> None:
    table = LightTable.parse(shows={"running": "amber steady"}, lead_min=0, last_min=0)
    shown = plan(lamps=[Lamp(1, [Stay(at(0), at(60), "B1")])], table=table, now=NOW)[1]
    assert words(list(shown)) == [(0, 60, "amber steady")]


@pytest.mark.parametrize(
    ("shows", "named"),
    [
        ({"runing": "green steady"}, "runing"),
        ({"running": "blue steady"}, "blue"),
        ({"running": "green"}, "running"),
        ([], "METER_LIGHTS"),
    ],
)
def test_a_broken_light_table_is_refused_by_name(shows: object, named: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=named):
        LightTable.parse(shows=shows, lead_min=15, last_min=10)


BOOKINGS = st.lists(
    st.tuples(st.integers(0, 200), st.integers(1, 40), st.sampled_from(["B1", "B2", "B3"])),
    max_size=6,
).map(
    # As the database has it: no two stays of a spot overlap.
    lambda rows: [
        Stay(at(start), at(start + length), booking)
        for number, (start, length, booking) in enumerate(sorted(rows))
        if all(start >= before[0] + before[1] for before in sorted(rows)[:number])
    ]
)
CLOSURES = st.lists(st.tuples(st.integers(-50, 250), st.integers(1, 200)), max_size=3).map(
    lambda rows: [Span(at(start), at(start + length)) for start, length in rows]
)


@given(stays=BOOKINGS, closures=CLOSURES, early=st.integers(-60, 200), wait=st.integers(0, 120))
def test_lamps_are_green_in_paid_time_and_only_the_past_is_forgotten(
    stays: list[Stay], closures: list[Span], early: int, wait: int
) -> None:
    now, later = at(early), at(early + wait)
    lamp = Lamp(1, stays, closures)
    shown = plan(lamps=[lamp], table=TABLE, now=now)
    for before, after in pairwise(shown[1]):
        assert before.end <= after.start
    for minute in range(-60, 300):
        moment = at(minute + 0.5)
        if moment < now:
            continue
        light = shown_at(shown[1], moment).light
        if any(stay.start <= moment < stay.end for stay in stays):
            assert light == "green"
        elif any(closed.start <= moment < closed.end for closed in closures):
            assert light == "red"
    # The clock alone changes no plan, whatever it lets us forget.
    rest = Lamp(
        1,
        [stay for stay in stays if stay.end > later],
        [closed for closed in closures if closed.end > later],
    )
    renewed = plan(lamps=[rest], table=TABLE, now=later)
    assert from_now_on(renewed, later) == from_now_on(shown, later)


def test_the_next_change_is_the_nearest_edge_of_any_lamp() -> None:
    shown = plan(
        lamps=[Lamp(1, [Stay(at(60), at(120), "B1")]), Lamp(2, [Stay(at(-5), at(20), "B2")])],
        table=TABLE,
        now=NOW,
    )
    assert next_change(shown, NOW) == at(10)
    assert next_change(shown, at(10)) == at(20)
    assert next_change(shown, at(120)) is None
