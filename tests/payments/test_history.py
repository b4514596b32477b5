"""Who did what to a booking, when and why, with its money; and who may read that."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import ProgrammingError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from parking import corrections, roles
from parking.models import Booking, BookingEvent, Slot, Spot
from payments import change
from payments.cancel import cancel_booking
from tests import cast
from tests.payments.pages import page, pay, text
from tests.payments.processor import Processor

READERS = {"own", "guest", "operator", "auditor", "chief"}
STRANGERS = {"other", "stranger", "warden", "operator of another zone"}


WHERE_AND_WHEN = r": spot K-1, .*?(?=(, [\d.]+ € to pay)? – the )"


def trail(client: Client, slot: Slot) -> list[str]:
    """Return the steps as they are read, without their times."""
    said = text(client, slot).partition("What happened to this booking")[2]
    items = re.findall(r"<li>\s*<time[^>]*>[^<]*</time>(.*?)</li>", said, flags=re.DOTALL)
    words = (" ".join(re.sub(r"<[^>]+>", " ", item).split()) for item in items)
    return [line.replace("\xa0", " ") for line in words]


@pytest.fixture
def people(slot: Slot) -> dict[str, User | None]:
    """Everybody who might come along."""
    own = cast.a_person("own")
    Booking.objects.update(user=own)
    found: dict[str, User | None] = {"own": own, "stranger": None, "guest": None}
    found["other"] = cast.a_person("other")
    found["chief"] = cast.a_person("chief", is_superuser=True, is_staff=True)
    for name, role in (
        ("operator", roles.OPERATOR),
        ("operator of another zone", roles.OPERATOR),
        ("warden", roles.WARDEN),
        ("auditor", roles.AUDITOR),
    ):
        person = cast.a_person(name.replace(" ", "-"))
        roles.give(user=person, role=role)
        found[name] = person
    slot.spot.zone.operators.add(found["operator"])
    cast.a_zone("other").operators.add(found["operator of another zone"])
    return found


def browser_of(name: str, people: dict[str, User | None], slot: Slot) -> Client:
    client = Client()
    person = people[name]
    if person is not None:
        client.force_login(person)
    if name == "guest":
        client.get(page(slot), {"key": slot.booking.access_key})
    return client


def test_it_tells_what_was_done_by_whom_and_why_and_what_it_cost(
    guest: Client, slot: Slot, processor: Processor
) -> None:
    pay(slot, processor)
    cast.a_spot(slot.spot.zone, "K-2", metres_east=6)
    reference = slot.booking.reference
    corrections.correct_plate(
        booking_id=slot.booking_id, plate="XYZ789", now=timezone.now(), actor="citizen"
    )
    for minutes in (-30, 30):
        done = change.change_booking(
            reference=reference,
            end=slot.end + timedelta(minutes=minutes),
            now=timezone.now(),
            actor="citizen",
        )
    pay(done.slot, processor)
    cancel_booking(reference=reference, now=timezone.now(), actor="citizen", reason="ill")

    said = [re.sub(WHERE_AND_WHEN, "", line) for line in trail(guest, slot)]
    assert said == [
        "Held – the person who booked",
        "Booked – the payment service",
        "2.00 € paid – the payment service",
        "Number plate corrected – the person who booked",
        "Changed – the person who booked",
        "1.00 € goes back – the person who booked: stay changed by the citizen",
        "Change asked for, 2.00 € to pay – the person who booked",
        "Changed – the payment service",
        "2.00 € paid – the payment service",
        "Cancelled – the person who booked: ill",
        "2.00 € goes back – the person who booked: cancelled by the citizen",
        "1.00 € goes back – the person who booked: unused time",
    ]


def test_no_plate_is_in_it(guest: Client, slot: Slot) -> None:
    now = timezone.now()
    corrections.correct_plate(booking_id=slot.booking_id, plate="XYZ789", now=now, actor="citizen")
    assert not any("XYZ789" in line or "ABC123" in line for line in trail(guest, slot))


@pytest.mark.parametrize("name", sorted(READERS))
def test_the_citizen_operators_of_the_zone_and_auditors_read_it(
    name: str, people: dict[str, User | None], slot: Slot, processor: Processor
) -> None:
    pay(slot, processor)
    said = trail(browser_of(name, people, slot), slot)
    assert said[:2] == ["Held – the person who booked", "Booked – the payment service"]


@pytest.mark.parametrize("name", sorted(STRANGERS))
def test_nobody_else_reads_it(name: str, people: dict[str, User | None], slot: Slot) -> None:
    assert browser_of(name, people, slot).get(page(slot)).status_code == 404


@pytest.mark.parametrize("name", sorted(READERS))
def test_an_auditor_reads_it_without_the_plate(
    name: str, people: dict[str, User | None], slot: Slot
) -> None:
    said = text(browser_of(name, people, slot), slot)
    assert ("ABC123" in said) is (name != "auditor")


@pytest.mark.parametrize("name", sorted(READERS | STRANGERS))
def test_at_the_desk_only_operators_of_the_zone_read_it(
    name: str, people: dict[str, User | None], slot: Slot, processor: Processor
) -> None:
    pay(slot, processor)
    address = reverse("admin:parking_booking_change", args=[slot.booking_id])
    answer = browser_of(name, people, slot).get(address)
    sees = answer.status_code == 200 and "confirmed" in answer.content.decode()
    assert sees is (name in {"operator", "chief"})


@pytest.mark.parametrize("way", ["update", "delete"])
def test_the_database_keeps_it_as_it_is(spot: Spot, way: str) -> None:
    cast.a_stay(spot, 60)
    events = BookingEvent.objects.all()
    with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic():
        events.update(reason="nothing") if way == "update" else events.delete()
    assert events.get().reason == ""
