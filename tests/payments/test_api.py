"""Programs pay for a booking and cancel it as people do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils.dateparse import parse_datetime

from parking.models import Slot, Spot
from payments import checkout
from payments.models import Payment, PaymentState, RefundReason
from tests import cast
from tests.payments.processor import Processor


def booked(client: Client, spot: Spot) -> tuple[str, dict[str, str]]:
    """Book through the API; return the booking's address and the header that opens it."""
    start = cast.soon() + timedelta(hours=2)
    answer = client.post(
        "/api/v1/bookings/",
        {
            "spot": spot.pk,
            "from": start.isoformat(),
            "to": (start + timedelta(hours=1)).isoformat(),
            "vehicle": "ABC 123",
            "email": "guest@example.org",
        },
        content_type="application/json",
    )
    assert answer.status_code == 201, answer.content
    body = answer.json()
    return f"/api/v1/bookings/{body['reference']}/", {"Booking-Key": body["key"]}


def paid(client: Client, spot: Spot, processor: Processor) -> tuple[str, dict[str, str]]:
    processor.control("clock", reset=True)
    path, key = booked(client, spot)
    url = client.post(f"{path}checkout/", headers=key).json()["url"]
    payment = Payment.objects.get()
    assert url == payment.session_url
    assert processor.pay(payment.session_id or "") == "paid"
    checkout.sync_payment(payment_id=payment.id, now=payment.created_at)
    return path, key


def test_a_booking_is_paid_and_cancelled(client: Client, spot: Spot, processor: Processor) -> None:
    path, key = paid(client, spot, processor)
    assert client.get(path, headers=key).json()["state"] == "confirmed"

    answer = client.post(f"{path}cancel/", headers=key)

    assert answer.status_code == 200, answer.content
    assert (answer.json()["state"], answer.json()["refunded"]) == ("cancelled", 200)
    refund = Payment.objects.get().refunds.get()
    assert (refund.amount, refund.reason) == (200, RefundReason.CANCELLED)


def test_cancelling_twice_is_409_and_refunds_once(
    client: Client, spot: Spot, processor: Processor
) -> None:
    path, key = paid(client, spot, processor)
    client.post(f"{path}cancel/", headers=key)
    assert client.post(f"{path}cancel/", headers=key).status_code == 409
    assert Payment.objects.get().refunds.count() == 1


def test_a_second_checkout_gives_the_same_page(
    client: Client, spot: Spot, processor: Processor
) -> None:
    processor.control("clock", reset=True)
    path, key = booked(client, spot)
    first, second = (client.post(f"{path}checkout/", headers=key).json() for _ in range(2))
    assert first == second
    assert Payment.objects.count() == 1


def test_a_paid_booking_asks_for_no_second_payment(
    client: Client, spot: Spot, processor: Processor
) -> None:
    path, key = paid(client, spot, processor)
    answer = client.post(f"{path}checkout/", headers=key)
    assert answer.status_code == 409
    assert answer["Content-Type"] == "application/problem+json"
    assert Payment.objects.filter(state=PaymentState.PAID).count() == 1


def test_a_hold_is_prolonged_once(client: Client, spot: Spot) -> None:
    path, key = booked(client, spot)
    before = parse_datetime(client.get(path, headers=key).json()["held_until"])
    answer = client.post(f"{path}longer-hold/", headers=key)
    assert answer.status_code == 200, answer.content
    assert before is not None
    assert parse_datetime(answer.json()["held_until"]) == before + timedelta(minutes=10)
    again = client.post(f"{path}longer-hold/", headers=key)
    assert (again.status_code, again.json()["title"]) == (
        409,
        "There is no more time to give: it is given once.",
    )


def test_a_paid_booking_is_not_prolonged(client: Client, spot: Spot, processor: Processor) -> None:
    path, key = paid(client, spot, processor)
    assert client.post(f"{path}longer-hold/", headers=key).status_code == 409


def test_a_silent_processor_is_503_and_the_spot_stays_held(
    client: Client, spot: Spot, processor: Processor
) -> None:
    processor.control("clock", reset=True)
    path, key = booked(client, spot)
    for _ in range(6):
        processor.fail("lost_request", "/v1/checkout/sessions")
    answer = client.post(f"{path}checkout/", headers=key)
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert Slot.objects.get().state == "held"


def test_strangers_cancel_nothing(client: Client, spot: Spot, processor: Processor) -> None:
    path, _ = paid(client, spot, processor)
    stranger: Any = Client()
    for action in ("cancel/", "checkout/", "longer-hold/"):
        assert stranger.post(f"{path}{action}").status_code == 404
        assert stranger.post(f"{path}{action}", headers={"Booking-Key": "x"}).status_code == 404
    assert Slot.objects.get().state == "confirmed"
