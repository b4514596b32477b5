"""The API says the rules that count what others hold by field, all at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from parking.models import Booking
from tests import cast
from tests.parking.api.test_bookings import post, wish

pytestmark = pytest.mark.django_db


def test_all_broken_rules_come_by_field_and_without_the_plate(client: Client) -> None:
    zone = cast.a_zone(no_return_min=60, most_stays_ahead=1)
    assert post(client, wish(cast.a_spot(zone, "K-1"))).status_code == 201
    end = (cast.soon() + timedelta(minutes=245)).isoformat()
    answer = post(client, wish(cast.a_spot(zone, "K-2"), to=end))
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:curblight:problem:stay-refused"
    errors = answer.json()["errors"]
    assert sorted(errors) == ["from", "to", "vehicle"]
    assert errors["from"][0].startswith("This vehicle may come back from ")
    assert errors["to"] == ["The longest stay here is 240 minutes."]
    assert "ABC123" not in answer.content.decode()
    assert Booking.objects.count() == 1


def test_a_time_within_the_buffer_is_taken_and_not_free(client: Client) -> None:
    spot = cast.a_spot(cast.a_zone(buffer_min=10))
    assert post(client, wish(spot)).status_code == 201
    start = cast.soon() + timedelta(minutes=65)
    period = {"from": start.isoformat(), "to": (start + timedelta(minutes=60)).isoformat()}
    answer = post(client, wish(spot, **period))
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:curblight:problem:spot-taken"
    assert client.get(f"/api/v1/spots/{spot.pk}/quote/", period).json()["free"] is False


def test_a_quote_says_that_the_street_is_reserved(client: Client) -> None:
    spot = cast.a_spot(cast.a_zone(reservable_percent=0, walk_up_min=0))
    start = cast.soon()
    period = {"from": start.isoformat(), "to": (start + timedelta(minutes=60)).isoformat()}
    answer = client.get(f"/api/v1/spots/{spot.pk}/quote/", period)
    assert answer.status_code == 422
    assert answer.json()["errors"]["from"][0].startswith("Only 0 % of this street")
