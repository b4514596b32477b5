"""Holding a spot from its page: success, and every no with advice and nothing typed lost."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from parking import holds, refusals
from parking.models import Booking, Slot, SlotState, Spot, Zone
from parking.throttling import HoldThrottle
from tests import cast
from tests.cast import FREE_OF_CHARGE
from tests.parking.pages.conftest import text_of

pytestmark = pytest.mark.django_db

FORM = {
    "on": "2026-03-03",
    "at": "10:00",
    "length": "60",
    "plate": "abc-123",
    "email": "guest@example.org",
}


def hold(client: Client, spot: Spot, **changes: Any) -> Any:
    return client.post(f"/spots/{spot.pk}/hold/", {**FORM, **changes})


def test_a_guest_holds_and_goes_on_to_the_booking(client: Client, spot: Spot) -> None:
    response = hold(client, spot)
    slot = Slot.objects.get()
    assert response.status_code == 302
    assert response["Location"] == f"/bookings/{slot.booking.reference}/"
    assert slot.state == SlotState.HELD
    assert (slot.start, slot.end) == (cast.at(0), cast.at(60))
    assert slot.booking.plate == "ABC123"
    assert slot.booking.user is None
    assert slot.booking.language == "en"
    assert slot.booking.reference in text_of(client.get("/bookings/"))
    assert slot.booking.reference not in text_of(Client().get("/bookings/"))


def test_a_citizen_holds_by_account(client: Client, spot: Spot) -> None:
    citizen = cast.a_person("citizen")
    client.force_login(citizen)
    hold(client, spot)
    assert Booking.objects.get().user == citizen


def test_the_language_of_the_page_is_the_language_of_the_booking(
    client: Client, spot: Spot
) -> None:
    client.post(f"/fa/spots/{spot.pk}/hold/", FORM)
    assert Booking.objects.get().language == "fa"


def test_a_stay_without_a_charge_is_booked_at_once(client: Client) -> None:
    spot = cast.a_spot(cast.a_zone(tariff=FREE_OF_CHARGE))
    page = text_of(client.get(f"/spots/{spot.pk}/", {"on": "2026-03-03", "at": "10:00"}))
    assert "Book this spot, free of charge" in page
    assert hold(client, spot).status_code == 302
    assert Slot.objects.get().state == SlotState.CONFIRMED


def test_a_taken_spot_is_409_with_alternatives_to_hold_at_one_press(
    client: Client, zone: Zone
) -> None:
    taken, near = cast.a_spot(zone, "K-1"), cast.a_spot(zone, "K-2", metres_east=10)
    cast.a_hold(taken)
    response = hold(client, taken)
    text = text_of(response).replace("\xa0", " ")
    assert response.status_code == 409
    assert "Somebody else was faster" in text
    assert "Spot K-2 Fredrikinkatu 10 m away 2.00 €" in text
    assert f'formaction="/spots/{near.pk}/hold/"' in response.content.decode()
    assert Slot.objects.count() == 1
    assert hold(client, near).status_code == 302


def test_alternatives_cost_what_this_vehicle_pays_and_are_for_everybody(client: Client) -> None:
    classes = {**cast.TWO_EURO_AN_HOUR, "vehicle_classes": {"electric": {"percent": 50}}}
    zone = cast.a_zone(tariff=classes)
    taken = cast.a_spot(zone, "K-1")
    cast.a_spot(zone, "K-2", metres_east=10, features=["accessible"])
    cast.a_spot(zone, "K-3", metres_east=20)
    cast.a_hold(taken)
    text = text_of(hold(client, taken, vehicle_class="electric")).replace("\xa0", " ")
    assert "Spot K-3 Fredrikinkatu 20 m away 1.00 €" in text
    assert "K-2" not in text
    assert "Spot K-3 Fredrikinkatu 20 m away 2.00 €" in text_of(hold(client, taken)).replace(
        "\xa0", " "
    )


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"plate": ""}, 400, "Write the number plate of your vehicle."),
        ({"plate": "<script>"}, 400, "“<” is on no number plate."),
        ({"plate": "A" * 17}, 400, "at most 16 signs"),
        ({"plate": "A" * 41}, 400, "at most 40 characters"),
        ({"email": ""}, 400, "Write an e-mail address that you read."),
        ({"email": "nobody"}, 400, "valid email address"),
        ({"on": "x"}, 400, "Write the date"),
        ({"at": "x"}, 400, "Write the time"),
        ({"length": "x"}, 400, "Choose a length"),
        ({"length": "600"}, 409, "The longest stay here is 240 minutes."),
        ({"on": "2026-03-02"}, 409, "This start has already passed."),
        ({"at": "10:01"}, 409, "Starts lie on steps of 5 minutes."),
    ],
)
def test_every_no_keeps_what_was_typed(
    client: Client, spot: Spot, changes: dict[str, str], status: int, words: str
) -> None:
    response = hold(client, spot, **changes)
    page = response.content.decode()
    assert response.status_code == status
    assert words in text_of(response)
    for name in {"plate", "email"} - changes.keys():
        assert f'value="{FORM[name]}"' in page
    assert not Booking.objects.exists()


def test_fields_that_are_not_sent_are_asked_for(client: Client, spot: Spot) -> None:
    response = client.post(f"/spots/{spot.pk}/hold/", {})
    assert response.status_code == 400
    assert "Write the number plate" in text_of(response)


def test_an_unknown_vehicle_class_is_refused(client: Client) -> None:
    classes = {**cast.TWO_EURO_AN_HOUR, "vehicle_classes": {"electric": {"percent": 50}}}
    spot = cast.a_spot(cast.a_zone(tariff=classes))
    assert hold(client, spot, vehicle_class="tank").status_code == 400
    assert hold(client, spot, vehicle_class="electric").status_code == 302
    assert Slot.objects.get().amount == 100


def test_a_crowd_gets_advice_to_try_again(
    client: Client, spot: Spot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crowded(**_: Any) -> None:
        raise refusals.Busy

    monkeypatch.setattr(holds, "hold", crowded)
    response = hold(client, spot)
    assert response.status_code == 409
    assert response["Retry-After"] == "1"
    assert "Please try again." in text_of(response)
    assert 'value="abc-123"' in response.content.decode()


def test_too_many_holds_are_429_with_a_wait(
    client: Client, zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HoldThrottle, "THROTTLE_RATES", {"hold": "2/min"})
    spots = [cast.a_spot(zone, f"K-{n}") for n in range(3)]
    assert [hold(client, spot).status_code for spot in spots] == [302, 302, 429]
    response = hold(client, spots[2])
    assert 0 < int(response["Retry-After"]) <= 60
    assert "Please wait" in text_of(response)
    assert 'value="abc-123"' in response.content.decode()
    client.force_login(cast.a_person("citizen"))
    assert hold(client, spots[2]).status_code == 302  # an account is counted for itself


def test_a_forged_address_does_not_escape_the_count(
    client: Client, zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HoldThrottle, "THROTTLE_RATES", {"hold": "1/min"})
    first, second = cast.a_spot(zone, "K-1"), cast.a_spot(zone, "K-2")
    assert hold(client, first).status_code == 302
    answer = client.post(
        f"/spots/{second.pk}/hold/", FORM, headers={"X-Forwarded-For": "198.51.100.7"}
    )
    assert settings.REST_FRAMEWORK["NUM_PROXIES"] == 0
    assert answer.status_code == 429


def test_holding_needs_the_token_of_the_form(spot: Spot) -> None:
    strict = Client(enforce_csrf_checks=True)
    response = hold(strict, spot)
    assert response.status_code == 403
    assert "This form is too old" in text_of(response)
    assert not Booking.objects.exists()


def test_a_hold_is_never_made_by_reading(client: Client, spot: Spot) -> None:
    response = client.get(f"/spots/{spot.pk}/hold/", FORM)
    assert response["Location"] == f"/spots/{spot.pk}/"
    assert client.put(f"/spots/{spot.pk}/hold/").status_code == 405
    assert not Booking.objects.exists()


def test_an_unknown_spot_cannot_be_held(client: Client, spot: Spot) -> None:
    Spot.objects.update(is_active=False)
    assert hold(client, spot).status_code == 404


def test_no_plate_reaches_the_log(
    client: Client, spot: Spot, caplog: pytest.LogCaptureFixture
) -> None:
    hold(client, spot)
    hold(client, spot, plate="SECRET<9")
    hold(client, spot, plate="SECRET9")
    assert "SECRET" not in caplog.text
    assert "ABC123" not in caplog.text.upper()
