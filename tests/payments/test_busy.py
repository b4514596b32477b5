"""Who meets others at the same rows is answered 409 with a time to try again, on every page."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.utils import timezone

from parking import locking, refusals, vehicles
from parking.models import Booking, Slot, SlotState, Spot, Vehicle
from tests import cast
from tests.payments.pages import page
from tests.payments.processor import Processor
from tests.payments.situations import a_paid_booking, fresh
from tests.payments.test_races import somebody_at

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def paid(processor: Processor, client: Client) -> Slot:
    """A stay that begins now, paid, in the browser of who made it."""
    now = timezone.now()
    start = now.replace(second=0, microsecond=0) - timedelta(minutes=now.minute % 5)
    processor.start_again(start)
    zone = cast.a_zone()
    spot = cast.a_spot(zone, "K-1")
    cast.a_spot(zone, "K-2", metres_east=6)
    slot = a_paid_booking(spot, processor, start=start, now=start, plate="ABC123").slot
    client.get(page(slot), {"key": slot.booking.access_key})
    return slot


def forms(slot: Slot) -> dict[str, dict[str, str]]:
    start = timezone.localtime(slot.start)
    later = (slot.end + timedelta(minutes=30)).isoformat()
    other = Spot.objects.get(number="K-2")
    change = {"spot": "K-2", "on": f"{start:%Y-%m-%d}", "at": f"{start:%H:%M}", "length": "60"}
    return {
        "plate/": {"plate": "XYZ789"},
        "cancel/": {"told": "0"},
        "extend/": {"to": later},
        "change/": {**change, "due": "0", "back": "0"},
        "taken/": {"do": "move", "spot": str(other.pk)},
    }


def rows() -> list[Any]:
    return [*Slot.objects.values_list("id", "state", "spot"), *Booking.objects.values_list("plate")]


def test_every_page_of_a_booking_says_so_and_changes_nothing(client: Client, paid: Slot) -> None:
    before = rows()
    with somebody_at(paid.spot):
        for name, form in forms(paid).items():
            answer = client.post(page(paid, name), form)
            said = answer.content.decode()
            assert (answer.status_code, answer.get("Retry-After")) == (409, "1"), name
            assert "Nothing was changed" in said
    assert rows() == before


def test_the_answer_asks_the_same_once_more(client: Client, paid: Slot) -> None:
    form = {"plate": "XYZ-789"}
    with somebody_at(paid.spot):
        said = client.post(page(paid, "plate/"), form).content.decode()
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', said)
    again = {name: html.unescape(value) for name, value in fields if name in form}
    assert again == form
    assert client.post(page(paid, "plate/"), again).status_code == 302


def test_programs_are_told_by_a_problem_wherever_it_happens(
    client: Client, paid: Slot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: Any) -> None:
        raise refusals.Busy

    monkeypatch.setattr(locking, "slots_of", busy)  # where no view expects it
    answer = client.get(f"/api/v1{page(paid)}")
    assert (answer.status_code, answer["Retry-After"]) == (409, "1")
    assert answer.json()["type"].endswith(":busy")


def test_a_list_of_vehicles_that_is_changed_elsewhere_is_busy(
    client: Client, processor: Processor
) -> None:
    citizen = cast.a_person("citizen")
    mine = vehicles.add(owner=citizen, plate="ABC123", now=timezone.now())
    client.force_login(citizen)
    is_locked, is_over = Event(), Event()

    def hold() -> None:
        with transaction.atomic():
            type(citizen).objects.select_for_update().get(pk=citizen.pk)
            is_locked.set()
            is_over.wait(20)
        connection.close()

    other = Thread(target=hold)
    other.start()
    is_locked.wait(10)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '50ms'")
    try:
        for path, form in (
            ("/vehicles/", {"plate": "XYZ789", "country": "FI"}),
            (f"/vehicles/{mine.pk}/", {"plate": "XYZ789", "country": "FI"}),
            (f"/vehicles/{mine.pk}/forget/", {}),
        ):
            answer = client.post(path, form)
            assert (answer.status_code, answer["Retry-After"]) == (409, "1"), path
    finally:
        is_over.set()
        other.join()
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
    assert Vehicle.objects.get().plate == "ABC123"


def test_what_is_no_crowd_is_no_crowd(paid: Slot) -> None:
    assert not refusals.is_busy(OperationalError("the server is gone"))
    assert not refusals.is_busy(refusals.SpotTaken())
    assert not refusals.is_busy(ValueError())
    assert refusals.is_busy(refusals.Busy())
    assert fresh(paid).state == SlotState.CONFIRMED
