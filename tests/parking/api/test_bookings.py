"""`POST /api/v1/bookings/` holds a spot once, however often it is sent."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from psycopg import errors

from parking import holds, refusals
from parking.models import Booking, Slot, SlotState, Spot, Zone
from tests import cast


def wish(place: Spot, **changes: Any) -> dict[str, Any]:
    start = cast.soon()
    return {
        "spot": place.pk,
        "from": start.isoformat(),
        "to": (start + timedelta(minutes=60)).isoformat(),
        "vehicle": "abc-123",
        "email": "guest@example.org",
        **changes,
    }


def post(client: Client, body: dict[str, Any], key: str = "") -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post("/api/v1/bookings/", body, content_type="application/json", headers=headers)


def test_a_booking_is_held_at_its_price(client: Client, spot: Spot) -> None:
    answer = post(client, wish(spot))

    assert answer.status_code == 201, answer.content
    body = answer.json()
    slot = Slot.objects.get()
    assert (body["state"], body["amount"], body["vehicle"]) == ("held", 200, "ABC123")
    assert body["reference"] == slot.booking.reference
    assert slot.state == SlotState.HELD
    assert body["page"].endswith(f"/bookings/{body['reference']}/?key={body['key']}")


def test_the_same_key_and_body_replays_the_answer(client: Client, spot: Spot) -> None:
    body = wish(spot)
    first, second = post(client, body, "k1"), post(client, body, "k1")

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert "Idempotent-Replayed" not in first
    assert second["Idempotent-Replayed"] == "true"
    assert Booking.objects.count() == 1


def test_the_same_key_with_another_body_is_422(client: Client, spot: Spot, zone: Zone) -> None:
    post(client, wish(spot), "k1")
    answer = post(client, wish(cast.a_spot(zone, "K-2")), "k1")
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:curblight:problem:idempotency-key-reused"
    assert Booking.objects.count() == 1


def test_a_key_belongs_to_its_caller(client: Client, spot: Spot, zone: Zone) -> None:
    mine = post(client, wish(spot), "k1")
    other = Client(REMOTE_ADDR="127.0.0.9")
    theirs = post(other, wish(cast.a_spot(zone, "K-2")), "k1")
    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert mine.json()["key"] != theirs.json()["key"]


def test_a_refused_request_does_not_use_up_its_key(client: Client, spot: Spot) -> None:
    held = cast.a_hold(spot, cast.soon(), now=cast.soon())
    body = wish(spot)
    assert post(client, body, "k1").status_code == 409
    Slot.objects.filter(id=held.pk).update(state=SlotState.RELEASED)
    assert post(client, body, "k1").status_code == 201


def test_a_taken_spot_is_409_with_the_nearest_free_ones(
    client: Client, spot: Spot, zone: Zone
) -> None:
    near = cast.a_spot(zone, "near", metres_east=20)
    cast.a_spot(zone, "nearer but off", metres_east=10, is_active=False)
    cast.a_spot(zone, "loading", metres_east=5, features=["loading"])
    cast.a_spot(zone, "far", metres_east=400)
    post(client, wish(spot))

    answer = post(client, wish(spot))

    assert answer.status_code == 409
    assert answer["Content-Type"] == "application/problem+json"
    alternatives = answer.json()["alternatives"]
    assert [other["number"] for other in alternatives] == ["near", "far"]
    assert alternatives[0]["spot"] == near.pk
    assert alternatives[0]["total"] == 200
    assert 18 <= alternatives[0]["distance_m"] <= 22
    assert Booking.objects.count() == 1


def test_a_locked_spot_is_409_with_advice_to_retry(
    client: Client, spot: Spot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait_in_vain(**_: Any) -> None:
        with refusals.contended():
            raise OperationalError("canceling statement") from errors.LockNotAvailable()

    monkeypatch.setattr(holds, "hold", wait_in_vain)
    answer = post(client, wish(spot))
    assert answer.status_code == 409
    assert answer["Retry-After"] == "1"
    assert answer.json()["type"].endswith(":busy")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"spot": "seven"}, "spot"),
        ({"spot": 10**30}, "spot"),
        ({"spot": None}, "spot"),
        ({"vehicle": ""}, "vehicle"),
        ({"vehicle": "A" * 25}, "vehicle"),
        ({"vehicle": "DROP TABLE;☃"}, "vehicle"),
        ({"email": "nobody"}, "email"),
        ({"from": "soon"}, "from"),
        ({"to": "2020-01-01T00:00:00Z"}, "to"),
    ],
)
def test_bad_input_names_its_field_and_writes_nothing(
    client: Client, spot: Spot, changes: dict[str, Any], field: str
) -> None:
    answer = post(client, wish(spot, **changes))
    assert answer.status_code == 400, answer.content
    assert field in answer.json()["errors"]
    assert not Booking.objects.exists()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[1,2]"])
def test_a_body_that_is_no_object_is_400(client: Client, spot: Spot, body: bytes) -> None:
    answer = client.post("/api/v1/bookings/", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_an_unknown_spot_is_404(client: Client, spot: Spot) -> None:
    assert post(client, wish(spot, spot=spot.pk + 1)).status_code == 404


def test_a_vehicle_class_that_the_tariff_does_not_know_is_said(client: Client, spot: Spot) -> None:
    answer = post(client, wish(spot, vehicle_class="tank"))
    assert answer.status_code == 422
    assert not Booking.objects.exists()


def test_a_guest_reads_the_booking_with_its_key(client: Client, spot: Spot) -> None:
    made = post(client, wish(spot)).json()
    path = f"/api/v1/bookings/{made['reference']}/"

    assert client.get(path, headers={"Booking-Key": made["key"]}).json() == made
    assert client.get(path).status_code == 404
    assert client.get(path, headers={"Booking-Key": "x" * 22}).status_code == 404
    assert client.get(path, headers={"Booking-Key": "ключ"}).status_code == 404


def test_a_citizen_reads_only_their_own(client: Client, spot: Spot) -> None:
    citizen, another = cast.a_person("citizen"), cast.a_person("another")
    client.force_login(citizen)
    path = f"/api/v1/bookings/{post_signed_in(client, spot)}/"

    assert client.get(path).status_code == 200
    client.force_login(another)
    assert client.get(path).status_code == 404


def post_signed_in(client: Client, spot: Spot) -> str:
    reference: str = post(client, wish(spot)).json()["reference"]
    return reference


def test_a_form_is_told_that_json_is_wanted(client: Client, spot: Spot) -> None:
    answer = client.post("/api/v1/bookings/", {"spot": spot.pk})
    assert answer.status_code == 415
    assert answer["Content-Type"] == "application/problem+json"
    assert not Booking.objects.exists()


def test_a_body_that_is_too_large_is_refused(client: Client, spot: Spot) -> None:
    body = b'{"spot": "' + b"1" * 3_000_000 + b'"}'
    answer = client.post("/api/v1/bookings/", body, content_type="application/json")
    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:curblight:problem:too-large"
    assert not Booking.objects.exists()


def test_another_site_cannot_book_with_a_signed_in_persons_session(spot: Spot) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.a_person("citizen"))
    answer = browser.post("/api/v1/bookings/", wish(spot), content_type="application/json")
    assert answer.status_code == 403
    assert answer["Content-Type"] == "application/problem+json"
    assert not Booking.objects.exists()
