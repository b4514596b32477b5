"""Maintenance that is planned ahead: spots close for it, citizens follow, and it can end early."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from parking import availability, closures, lights, meter_care, stays, terms
from parking.lights import commands
from parking.models import Closure, DeedKind, Maintenance, Meter, MeterCommand, MeterDeed, Spot
from tests import cast
from tests.parking.street import a_street_meter, lamp

pytestmark = pytest.mark.django_db(transaction=True)
START, UNTIL = cast.at(120), cast.at(240)


@pytest.fixture
def meter() -> Meter:
    """A meter of two lamps with a first plan, at NOW."""
    made = a_street_meter(cast.a_zone())
    lights.look(now=cast.NOW)
    return made


@pytest.fixture
def anna() -> User:
    """Somebody of the desk."""
    return cast.a_person("anna")


@pytest.fixture
def plan(meter: Meter, anna: User) -> Any:
    """Plan maintenance of the meter."""

    def planned(**changes: Any) -> list[int]:
        said = {"start": START, "until": UNTIL, "closes": True, "why": "new pole", **changes}
        return meter_care.begin_maintenance(meter_ids=[meter.pk], by=anna, now=cast.NOW, **said)

    return planned


def hold(spot: Spot, start: float, **fields: Any) -> Any:
    terms.terms(
        spot_id=spot.pk, start=cast.at(start), end=cast.at(start + 60), now=cast.NOW, plate="ABC123"
    )
    return cast.a_hold(spot, cast.at(start), **fields)


def shown(meter: Meter, minute: float) -> str:
    meter.refresh_from_db()
    moment = cast.at(minute)
    found = [one for one in lights.plan_of(meter)[1] if one.start <= moment < one.end]
    return " ".join(found[0].show) if found else "off"


def test_nobody_can_book_in_the_window_and_its_lamps_say_so_ahead(meter: Meter, plan: Any) -> None:
    spot = lamp(meter, 1)
    assert plan() == [meter.pk]

    assert not availability.is_free(spot_id=spot.pk, start=cast.at(200), end=cast.at(260))
    with pytest.raises(terms.StayRefused) as refused:
        hold(spot, 200)
    assert "new pole" in str(refused.value.failures[0].message)
    hold(spot, 30)
    hold(spot, 240)
    assert (shown(meter, 130), shown(meter, 110), shown(meter, 245)) == ("red steady", "off", "off")
    assert MeterCommand.objects.filter(meter=meter, ended_at=None).exists(), "and is told of it"
    meter.refresh_from_db()
    assert meter.maintenance_until is None, "it does not rest yet"


def test_the_meter_rests_from_its_beginning_to_its_end(meter: Meter, plan: Any) -> None:
    plan()
    assert meter_care.begin_due(now=cast.at(119)) == 0
    assert meter_care.begin_due(now=cast.at(121)) == 1
    assert meter_care.begin_due(now=cast.at(122)) == 0, "once"
    meter.refresh_from_db()
    assert meter.maintenance_until == UNTIL
    lights.send_again(meter_id=meter.pk, now=cast.at(230))
    assert commands.claim(now=cast.at(239)) == []
    assert len(commands.claim(now=cast.at(241))) == 1


def test_what_is_booked_stays_and_its_citizen_is_told_and_may_go(meter: Meter, plan: Any) -> None:
    slots = cast.a_stay(lamp(meter, 1), 200, start=140)
    plan()
    (booked,) = meter_care.booked_meanwhile(meter_ids=[meter.pk], start=START, until=UNTIL)
    assert booked == slots[0]
    stay = stays.stay_of(slots)
    found = closures.ahead(stay=stay, now=cast.NOW)
    assert found is not None
    assert found.reason == "new pole"
    assert shown(meter, 150) == "green steady", "never red in paid time"
    beside = stays.stay_of(cast.a_stay(lamp(meter, 2), 100, start=40, plate="ABC124"))
    with pytest.raises(closures.NotClosed):
        closures.check(stay=beside, now=cast.NOW)


@pytest.mark.parametrize(("minute", "kind"), [(10, DeedKind.CALLED_OFF), (150, DeedKind.BACK)])
def test_it_ends_early_with_a_reason_and_its_spots_are_free_again(
    meter: Meter, anna: User, plan: Any, minute: float, kind: DeedKind
) -> None:
    plan()
    now = cast.at(minute)
    meter_care.begin_due(now=now)
    assert meter_care.end_maintenance(meter_ids=[meter.pk], why="rain", by=anna, now=now) == [
        meter.pk
    ]
    spot = lamp(meter, 1)
    assert availability.is_free(spot_id=spot.pk, start=max(now, START), end=UNTIL)
    assert shown(meter, 200) == "off"
    meter.refresh_from_db()
    assert (meter.maintenance_until, meter.busy_until) == (None, None)
    assert [(one.kind, one.why) for one in MeterDeed.objects.order_by("id")] == [
        (DeedKind.PLANNED, "new pole"),
        (kind, "rain"),
    ]
    assert meter_care.begin_due(now=cast.at(130)) == 0
    assert not Closure.objects.filter(period__overlap=DateTimeTZRange(now, UNTIL)).exists()
    assert meter_care.end_maintenance(meter_ids=[meter.pk], why="x", by=anna, now=now) == []


def test_a_new_plan_takes_the_place_of_those_that_it_overlaps(meter: Meter, plan: Any) -> None:
    plan()
    plan(start=cast.at(180), until=cast.at(300), why="later")
    plan(start=cast.at(400), until=cast.at(500), why="much later", closes=False)
    standing = Maintenance.objects.filter(is_off=False).order_by("period")
    assert [one.why for one in standing] == ["later", "much later"]
    spot = lamp(meter, 1)
    assert availability.is_free(spot_id=spot.pk, start=START, end=cast.at(180))
    assert not availability.is_free(spot_id=spot.pk, start=cast.at(290), end=cast.at(300))
    assert availability.is_free(spot_id=spot.pk, start=cast.at(400), end=cast.at(500))


def test_a_spot_that_is_closed_already_stays_closed_by_its_own_closure(
    meter: Meter, anna: User, plan: Any
) -> None:
    spot = lamp(meter, 1)
    Closure.objects.create(
        zone=spot.zone,
        spot=spot,
        period=DateTimeTZRange(cast.at(150), cast.at(180)),
        reason="market",
    )
    plan()
    pieces = Closure.objects.filter(spot=spot, maintenance__isnull=False).order_by("period")
    assert [(one.period.lower, one.period.upper) for one in pieces] == [
        (START, cast.at(150)),
        (cast.at(180), UNTIL),
    ]
    meter_care.end_maintenance(meter_ids=[meter.pk], why="rain", by=anna, now=cast.NOW)
    assert [one.reason for one in Closure.objects.filter(spot=spot)] == ["market"]


def test_it_begins_at_once_without_a_start_and_replaces_what_runs(meter: Meter, plan: Any) -> None:
    plan(start=None, until=cast.at(60), closes=False)
    meter.refresh_from_db()
    assert meter.maintenance_until == cast.at(60)
    plan(start=None, until=cast.at(60) + timedelta(hours=1))
    meter.refresh_from_db()
    assert meter.maintenance_until == cast.at(120)
    assert Maintenance.objects.filter(is_off=False).count() == 1
