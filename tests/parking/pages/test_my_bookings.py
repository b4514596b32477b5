"""A citizen's bookings, now, next and past; and nobody else's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client

from parking import access, booking, locking
from parking.models import Slot, SlotKind, SlotState, Zone
from tests import cast
from tests.cast import NOW
from tests.parking.pages.conftest import text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def citizen() -> User:
    return cast.a_person("citizen")


def confirmed(slot: Slot) -> Slot:
    with transaction.atomic():
        locked = locking.lock_slot(slot.pk)
        booking.confirm(slot=locked, now=NOW, actor="processor")
    return locked


def rows(client: Client, part: str) -> list[str]:
    response = client.get("/bookings/")
    assert response.status_code == 200
    return [row.booking.reference for row in response.context[part]]


def test_now_next_and_past_are_told_apart(
    client: Client, zone: Zone, citizen: User, set_clock: Any
) -> None:
    spots = [cast.a_spot(zone, f"K-{n}") for n in range(4)]
    running = confirmed(cast.a_hold(spots[0], NOW, user=citizen))
    later = confirmed(cast.a_hold(spots[1], cast.at(240), user=citizen))
    sooner = cast.a_hold(spots[2], cast.at(120), user=citizen)
    over = confirmed(cast.a_hold(spots[3], NOW, minutes=15, user=citizen))
    set_clock(cast.at(20))
    client.force_login(citizen)
    assert rows(client, "running") == [running.booking.reference]
    assert rows(client, "coming") == [sooner.booking.reference, later.booking.reference]
    assert rows(client, "over") == [over.booking.reference]
    text = text_of(client.get("/bookings/"))
    assert "until 11:00" in text
    assert "Held, not paid yet" in text


def test_given_up_and_cancelled_bookings_are_past(
    client: Client, zone: Zone, citizen: User
) -> None:
    given_up = cast.a_hold(cast.a_spot(zone, "K-1"), cast.at(60), user=citizen)
    Slot.objects.filter(pk=given_up.pk).update(state=SlotState.RELEASED, ended_at=NOW)
    cancelled = confirmed(cast.a_hold(cast.a_spot(zone, "K-2"), cast.at(60), user=citizen))
    with transaction.atomic():
        booking.cancel(slot=locking.lock_slot(cancelled.pk), now=NOW, actor="citizen")
    client.force_login(citizen)
    assert set(rows(client, "over")) == {
        given_up.booking.reference,
        cancelled.booking.reference,
    }
    text = text_of(client.get("/bookings/"))
    assert "Not paid, given up" in text
    assert "Cancelled" in text


def test_an_extended_booking_is_one_row_that_grows_when_the_extension_is_paid(
    client: Client, zone: Zone, citizen: User
) -> None:
    first = confirmed(cast.a_hold(cast.a_spot(zone), NOW, user=citizen))
    extension = Slot.objects.create(
        booking=first.booking,
        spot=first.spot,
        kind=SlotKind.EXTENSION,
        follows=first,
        period=(first.end, first.end + timedelta(minutes=30)),
        state=SlotState.HELD,
        held_until=cast.at(10),
        amount=100,
        currency="EUR",
        tariff=first.tariff,
        quote={},
        created_at=NOW,
    )
    client.force_login(citizen)
    (row,) = client.get("/bookings/").context["running"]
    assert (row.state, row.end) == (SlotState.CONFIRMED, cast.at(60))

    confirmed(extension)
    (row,) = client.get("/bookings/").context["running"]
    assert (row.state, row.end) == (SlotState.CONFIRMED, cast.at(90))


def test_others_bookings_are_not_shown(client: Client, zone: Zone, citizen: User) -> None:
    other = cast.a_person("another")
    theirs = cast.a_hold(cast.a_spot(zone, "K-1"), user=other)
    guests = cast.a_hold(cast.a_spot(zone, "K-2"), email=citizen.email)
    client.force_login(citizen)
    page = client.get("/bookings/").content.decode()
    assert theirs.booking.reference not in page
    assert guests.booking.reference not in page  # an address that was typed proves nothing


def test_a_guest_sees_the_bookings_of_this_browser(client: Client, zone: Zone) -> None:
    slot = cast.a_hold(cast.a_spot(zone))
    assert "No bookings yet" in text_of(client.get("/bookings/"))
    session = client.session
    session[access._SESSION_KEY] = [slot.booking.reference]
    session.save()
    text = text_of(client.get("/bookings/"))
    assert slot.booking.reference in text
    assert "You are not signed in" in text


@pytest.mark.parametrize("page", ["2", "0", "-1", "x", "²", "9" * 5000])
def test_any_page_number_has_an_answer(client: Client, citizen: User, page: str) -> None:
    client.force_login(citizen)
    assert client.get("/bookings/", {"page": page}).status_code == 200


def test_many_bookings_have_pages_and_a_fixed_number_of_queries(
    client: Client, zone: Zone, citizen: User, django_assert_num_queries: Any
) -> None:
    for number in range(21):
        cast.a_hold(cast.a_spot(zone, f"K-{number}"), cast.at(60), user=citizen)
    client.force_login(citizen)
    # session, account, bookings, slots, and two for what the account may do
    with django_assert_num_queries(6):
        assert len(rows(client, "coming")) == 20
    response = client.get("/bookings/", {"page": "2"})
    assert len(response.context["coming"]) == 1
    assert not response.context["has_more"]


def test_the_page_is_kept_by_no_cache(client: Client, citizen: User) -> None:
    client.force_login(citizen)
    assert "no-store" in client.get("/bookings/")["Cache-Control"]
