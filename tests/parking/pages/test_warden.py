"""The warden's page: answered from slots alone, for the zones that are theirs, without traces."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.test import Client

from parking import booking, locking
from parking.models import Light, LightColour, Slot, SlotState, Zone
from parking.throttling import PlateSearchThrottle
from tests import cast
from tests.cast import NOW
from tests.parking.pages.conftest import text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def warden(zone: Zone) -> User:
    """A warden of the zone."""
    person = cast.a_person("warden")
    person.user_permissions.add(Permission.objects.get(codename="view_slot"))
    zone.operators.add(person)
    return person


def confirmed(slot: Slot) -> Slot:
    with transaction.atomic():
        locked = locking.lock_slot(slot.pk)
        booking.confirm(slot=locked, now=NOW, actor="processor")
    return locked


def state_of(client: Client, number: str) -> Any:
    spots = client.get("/warden/", {"zone": "kamppi"}).context["spots"]
    return next(one for one in spots if one.spot.number == number)


def test_paid_being_paid_and_unpaid_are_told_apart(
    client: Client, zone: Zone, warden: User
) -> None:
    confirmed(cast.a_hold(cast.a_spot(zone, "K-1"), plate="PAID11"))
    cast.a_hold(cast.a_spot(zone, "K-2"), plate="WAIT22")
    cast.a_spot(zone, "K-3")
    client.force_login(warden)
    text = text_of(client.get("/warden/", {"zone": "kamppi"}))
    assert "Kamppi: 1 of 3 paid" in text
    assert "K-1 Fredrikinkatu Paid 11:00 PAID11 –" in text
    assert "K-2 Fredrikinkatu Being paid 11:00 WAIT22 –" in text
    assert "K-3 Fredrikinkatu Not paid – – –" in text


def test_nobody_is_unpaid_while_parking_costs_nothing(
    client: Client, zone: Zone, warden: User
) -> None:
    evening = [{**cast.TWO_EURO_AN_HOUR["bands"][0], "from": "18:00"}]
    quiet = cast.a_zone("quiet", tariff={**cast.TWO_EURO_AN_HOUR, "bands": evening})
    quiet.operators.add(warden)
    cast.a_spot(quiet, "Q-1")
    client.force_login(warden)
    text = text_of(client.get("/warden/", {"zone": "quiet"}))
    assert "Q-1 Fredrikinkatu No charge now" in text
    assert "Not paid" not in text


def test_a_light_changes_nothing(client: Client, zone: Zone, warden: User) -> None:
    slot = confirmed(cast.a_hold(cast.a_spot(zone)))
    Light.objects.update(desired_light=LightColour.OFF, reported_light=LightColour.RED)
    client.force_login(warden)
    assert state_of(client, slot.spot.number).is_paid


@pytest.mark.parametrize("state", [SlotState.RELEASED, SlotState.CANCELLED])
def test_what_was_given_up_is_not_paid(
    client: Client, zone: Zone, warden: User, state: SlotState
) -> None:
    slot = cast.a_hold(cast.a_spot(zone))
    Slot.objects.filter(pk=slot.pk).update(state=state, ended_at=NOW)
    client.force_login(warden)
    assert state_of(client, slot.spot.number).slot is None


def test_an_extension_moves_the_end_and_the_next_booking_is_named(
    client: Client, zone: Zone, warden: User
) -> None:
    spot = cast.a_spot(zone)
    first = confirmed(cast.a_hold(spot))
    extension = confirmed(cast.a_hold(spot, cast.at(60), minutes=30))
    Slot.objects.filter(pk=extension.pk).update(booking=first.booking)
    cast.a_hold(spot, cast.at(100), minutes=15)
    client.force_login(warden)
    one = state_of(client, spot.number)
    assert (one.until, one.next_slot.start) == (cast.at(90), cast.at(100))


def test_a_plate_is_found_however_it_is_typed_and_is_in_no_address(
    client: Client, zone: Zone, warden: User, caplog: pytest.LogCaptureFixture
) -> None:
    confirmed(cast.a_hold(cast.a_spot(zone), plate="ABC123"))
    client.force_login(warden)
    response = client.post("/warden/", {"plate": "abc-123"})
    text = text_of(response)
    assert response.status_code == 200
    assert "ABC123" in text
    assert "Paid Spot K-1, Fredrikinkatu, Kamppi" in text
    assert "no-store" in response["Cache-Control"]
    assert "ABC123" not in caplog.text
    assert "ABC123" not in text_of(client.get("/warden/", {"plate": "ABC123"}))


def test_stays_to_come_and_just_over_are_named_so(
    client: Client, zone: Zone, warden: User, set_clock: Any
) -> None:
    cast.a_hold(cast.a_spot(zone, "K-1"), cast.at(60), plate="ABC123")
    confirmed(cast.a_hold(cast.a_spot(zone, "K-2"), minutes=15, plate="ABC123"))
    set_clock(cast.at(20))
    client.force_login(warden)
    text = text_of(client.post("/warden/", {"plate": "ABC123"}))
    assert "Not begun Spot K-1" in text
    assert "Ended Spot K-2" in text


def test_an_unknown_plate_has_no_stay(client: Client, zone: Zone, warden: User) -> None:
    client.force_login(warden)
    assert "No stay of this plate" in text_of(client.post("/warden/", {"plate": "NONE1"}))
    refused = client.post("/warden/", {"plate": "<>"})
    assert refused.status_code == 400
    assert "is on no number plate" in text_of(refused)


def test_other_zones_stay_closed(client: Client, warden: User) -> None:
    other = cast.a_zone("toolo")
    cast.a_hold(cast.a_spot(other, "T-1"), plate="ABC123")
    client.force_login(warden)
    response = client.get("/warden/", {"zone": "toolo"})
    assert response.status_code == 404
    assert "no zone “toolo” that you look after" in text_of(response)
    assert "T-1" not in text_of(client.post("/warden/", {"plate": "ABC123"}))


def test_whoever_sees_every_zone_sees_every_zone(client: Client, zone: Zone) -> None:
    cast.a_zone("toolo")
    client.force_login(cast.a_person("chief", is_superuser=True))
    assert client.get("/warden/", {"zone": "toolo"}).status_code == 200


def test_the_page_is_for_staff_alone(client: Client, zone: Zone) -> None:
    assert client.get("/warden/")["Location"].startswith("/accounts/login/")
    client.force_login(cast.a_person("citizen"))
    response = client.get("/warden/")
    assert response.status_code == 403
    assert "This page is not for you" in text_of(response)
    assert client.post("/warden/", {"plate": "ABC123"}).status_code == 403


def test_without_a_zone_the_page_says_whom_to_ask(client: Client) -> None:
    person = cast.a_person("warden")
    person.user_permissions.add(Permission.objects.get(codename="view_slot"))
    client.force_login(person)
    assert "Ask the office" in text_of(client.get("/warden/"))


def test_searching_for_plates_has_a_limit(
    client: Client, warden: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PlateSearchThrottle, "THROTTLE_RATES", {"plate_search": "2/min"})
    client.force_login(warden)
    statuses = [client.post("/warden/", {"plate": f"A{n}"}).status_code for n in range(3)]
    assert statuses == [200, 200, 429]


def test_the_number_of_queries_does_not_grow(
    client: Client, zone: Zone, warden: User, django_assert_num_queries: Any
) -> None:
    client.force_login(warden)
    client.get("/warden/", {"zone": "kamppi"})  # reads the tariff
    for count in (1, 8):
        for number in range(count):
            cast.a_hold(cast.a_spot(zone, f"{count}-{number}"), plate=f"AB{number}")
        warden = User.objects.get(pk=warden.pk)
        # session, account, permissions 2, zones, spots, slots, tariff
        with django_assert_num_queries(8):
            client.get("/warden/", {"zone": "kamppi"})
