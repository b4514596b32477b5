"""A confirmed booking as a calendar entry."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from icalendar import Calendar

from parking import booking, locking
from parking.models import Slot, SlotState, Spot
from tests import cast
from tests.cast import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def citizen() -> User:
    return cast.a_person("citizen")


@pytest.fixture
def slot(spot: Spot, citizen: User) -> Slot:
    held = cast.a_hold(spot, cast.at(60), user=citizen, plate="SECRET9")
    with transaction.atomic():
        locked = locking.lock_slot(held.pk)
        booking.confirm(slot=locked, now=NOW, actor="processor")
    return locked


def address(slot: Slot) -> str:
    return f"/bookings/{slot.booking.reference}/calendar.ics"


def test_the_entry_says_when_and_where_and_warns_before_the_end(
    client: Client, slot: Slot, citizen: User
) -> None:
    client.force_login(citizen)
    response = client.get(address(slot))
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert slot.booking.reference in response["Content-Disposition"]
    (event,) = Calendar.from_ical(response.content).walk("VEVENT")
    assert event["DTSTART"].dt == cast.at(60)
    assert event["DTEND"].dt == cast.at(120)
    assert "Fredrikinkatu" in event["LOCATION"]
    assert event["URL"].endswith(f"/bookings/{slot.booking.reference}/")
    (alarm,) = event.walk("VALARM")
    assert alarm["TRIGGER"].dt == timedelta(minutes=-10)
    assert alarm["TRIGGER"].params["RELATED"] == "END"
    assert b"SECRET9" not in response.content


def test_a_booking_keeps_its_entry_when_it_changes(
    client: Client, slot: Slot, citizen: User
) -> None:
    client.force_login(citizen)
    first, second = (Calendar.from_ical(client.get(address(slot)).content) for _ in range(2))
    assert first.walk("VEVENT")[0]["UID"] == second.walk("VEVENT")[0]["UID"]


def test_what_is_not_confirmed_has_no_entry(client: Client, slot: Slot, citizen: User) -> None:
    client.force_login(citizen)
    Slot.objects.update(state=SlotState.CANCELLED, ended_at=NOW)
    assert client.get(address(slot)).status_code == 404


def test_a_stranger_gets_nothing(client: Client, slot: Slot) -> None:
    assert client.get(address(slot)).status_code == 404
    client.force_login(cast.a_person("another"))
    assert client.get(address(slot)).status_code == 404
    assert client.get("/bookings/NONE1234/calendar.ics").status_code == 404
