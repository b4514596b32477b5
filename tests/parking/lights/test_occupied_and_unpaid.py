"""A lamp says that nobody has paid only where a sensor sees a car, and never in paid time."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parking import booking, lights, locking
from parking.charged_hours import charged_on, is_charging
from parking.lights import Lamp, LightTable, Span, Stay, plan
from parking.meter_protocol import shown_at
from parking.models import Meter, MeterCommand, Spot, Zone
from parking.pricing import Tariff
from tests import cast
from tests.cast import NOW, TWO_EURO_AN_HOUR, at
from tests.parking.lights.test_alarms import OFF, said
from tests.parking.street import a_street_meter, lamp

EIGHT_TO_SIX = {
    **TWO_EURO_AN_HOUR,
    "bands": [{**TWO_EURO_AN_HOUR["bands"][0], "from": "08:00", "to": "18:00"}],
}
TABLE = LightTable.parse(shows={}, lead_min=15, last_min=10, unpaid_after_min=5)


@pytest.fixture
def meter(zone: Zone) -> Meter:
    """A meter of two lamps that has its first plan."""
    meter = a_street_meter(zone)
    lights.look(now=NOW)
    return meter


def sees(meter: Meter, minutes: float, *cars: bool | None) -> None:
    """Let the sensors of the meter say this, and the clock's job come by."""
    from parking.meter_messages import LampState

    lamps = [
        LampState(lamp=number, show=OFF, occupied=car) for number, car in enumerate(cars, start=1)
    ]
    said(meter, minutes, lamps=lamps)
    lights.look(now=at(minutes))


def shown(meter: Meter, minutes: float, position: int = 1) -> str:
    """Return what the lamp shows then, by the plan that the meter has."""
    meter.refresh_from_db()
    return " ".join(shown_at(lights.plan_of(meter)[position], at(minutes)))


@pytest.mark.django_db
def test_a_car_that_has_not_paid_has_five_minutes(meter: Meter) -> None:
    sees(meter, 1, True, False)
    assert shown(meter, 5.9) == "off none"
    assert shown(meter, 6) == "red blink"
    assert shown(meter, 60, position=2) == "off none"
    lights.look(now=at(6))
    assert lamp(meter, 1).light.desired_light == "red"


@pytest.mark.django_db
def test_the_lamp_goes_out_when_the_car_has_left(meter: Meter) -> None:
    sees(meter, 1, True, False)
    sees(meter, 9, False, False)
    assert shown(meter, 9) == "off none"


@pytest.mark.django_db
@pytest.mark.parametrize("word", [None, False])
def test_without_a_sensor_that_sees_a_car_nothing_is_said(meter: Meter, word: bool | None) -> None:
    sees(meter, 1, word, word)
    assert shown(meter, 60) == "off none"
    assert meter.plan_revision == 1


@pytest.mark.django_db
def test_whoever_books_turns_the_red_into_green(meter: Meter) -> None:
    sees(meter, 1, True, False)
    held = cast.a_hold(lamp(meter, 1), at(10), 60, now=at(9))
    booking.confirm(slot=locking.lock_slot(held.pk), now=at(10), actor="processor")
    assert shown(meter, 10) == "green steady"


@pytest.mark.django_db
def test_whoever_is_just_paying_is_not_told_that_nobody_has(meter: Meter) -> None:
    cast.a_hold(lamp(meter, 1), NOW, 60)
    sees(meter, 1, True, False)
    assert shown(meter, 7) == "off none"


@pytest.mark.django_db
def test_a_citizen_who_parks_changes_no_plan_and_has_five_minutes_to_leave(meter: Meter) -> None:
    held = cast.a_hold(lamp(meter, 1), NOW, 60)
    booking.confirm(slot=locking.lock_slot(held.pk), now=NOW, actor="processor")
    before = MeterCommand.objects.count()
    sees(meter, 1, True, False)
    assert MeterCommand.objects.count() == before
    lights.look(now=at(60))
    assert shown(meter, 64.9) == "off none"
    assert shown(meter, 65) == "red blink"


@pytest.mark.django_db
def test_the_next_citizen_is_announced_although_a_car_stands_there(meter: Meter) -> None:
    sees(meter, 1, True, False)
    held = cast.a_hold(lamp(meter, 1), at(60), 60, now=at(9))
    booking.confirm(slot=locking.lock_slot(held.pk), now=at(9), actor="processor")
    assert [shown(meter, minute) for minute in (44, 46, 61, 130)] == [
        "red blink",
        "green slow_blink",
        "green steady",
        "off none",  # a car that stands there then is looked at then
    ]


@pytest.mark.django_db
def test_nobody_is_unpaid_out_of_hours() -> None:
    meter = a_street_meter(cast.a_zone(tariff=EIGHT_TO_SIX))  # NOW is 10:00
    lights.look(now=NOW)
    sees(meter, 1, True, False)
    hours = [(7 * 60, "red blink"), (8 * 60, "off none"), (22 * 60, "red blink")]
    assert [(minute, shown(meter, minute)) for minute, _word in hours] == hours


@pytest.mark.django_db
def test_a_city_may_leave_it_out(meter: Meter, settings: Any) -> None:
    settings.METER_UNPAID_AFTER_MIN = None
    sees(meter, 1, True, False)
    assert shown(meter, 60) == "off none"


@pytest.mark.django_db
def test_a_spot_out_of_use_is_amber_and_a_stay_there_is_still_green(meter: Meter) -> None:
    held = cast.a_hold(lamp(meter, 1), at(60), 60)
    booking.confirm(slot=locking.lock_slot(held.pk), now=NOW, actor="processor")
    Spot.objects.update(is_active=False)
    lights.look(now=at(7))
    assert [shown(meter, minute) for minute in (7, 70, 130)] == [
        "amber double_blink",
        "green steady",
        "amber double_blink",
    ]


@pytest.mark.django_db
def test_time_alone_sends_no_plan_to_a_car_that_stands_for_hours(meter: Meter) -> None:
    sees(meter, 1, True, False)
    revisions = set()
    for minute in range(2, 13 * 60, 20):  # to 23:00: midnight brings another day into the plan
        lights.look(now=at(minute))
        meter.refresh_from_db()
        revisions.add(meter.plan_revision)
    assert revisions == {2}


SPANS = st.lists(st.tuples(st.integers(0, 300), st.integers(1, 60)), max_size=4)


@given(stays=SPANS, closures=SPANS, unpaid=SPANS, unknown=SPANS)
def test_nothing_hides_a_paid_stay(
    stays: list[tuple[int, int]],
    closures: list[tuple[int, int]],
    unpaid: list[tuple[int, int]],
    unknown: list[tuple[int, int]],
) -> None:
    paid: list[Stay] = []
    for start, length in sorted(stays):
        if not paid or at(start) >= paid[-1].end:
            paid.append(Stay(at(start), at(start + length), f"B{start}"))

    def spans(some: list[tuple[int, int]]) -> list[Span]:
        return [Span(at(start), at(start + length)) for start, length in some]

    entries = plan(
        lamps=[Lamp(1, paid, spans(closures), spans(unpaid), spans(unknown))], table=TABLE, now=NOW
    )[1]
    for minute in range(360):
        moment = at(minute + 0.5)
        show = " ".join(shown_at(entries, moment))

        def holds(some: list[tuple[int, int]], minute: int = minute) -> bool:
            return any(start <= minute < start + length for start, length in some)

        if any(stay.start <= moment < stay.end for stay in paid):
            assert show.startswith("green")
        elif holds(closures):
            assert show == "red steady"
        elif any(stay.start - TABLE.lead <= moment < stay.start for stay in paid):
            assert show == "green slow_blink"
        elif holds(unpaid):
            assert show == "red blink"
        else:
            assert show == ("amber double_blink" if holds(unknown) else "off none")


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)], ids=str)
def test_charged_hours_agree_with_the_price_of_each_minute_when_clocks_change(
    day: date,
) -> None:
    bands = [
        {**TWO_EURO_AN_HOUR["bands"][0], "from": "02:00", "to": "05:00"},
        {**TWO_EURO_AN_HOUR["bands"][0], "from": "22:00", "to": "01:00"},
    ]
    tariff = Tariff.parse({**TWO_EURO_AN_HOUR, "bands": bands})
    spans = [
        span for shift in (-1, 0, 1) for span in charged_on(tariff, day + timedelta(days=shift))
    ]
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=3)
    for _minute in range(0, 30 * 60, 5):
        moment += timedelta(minutes=5)
        told = any(start <= moment < end for start, end in spans)
        assert told == is_charging(tariff=tariff, at=moment), moment
