"""The rules that not every zone has are said on its pages, at the field that must change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from parking.models import Closure, Slot, Spot
from tests import cast
from tests.parking.pages.conftest import text_of

pytestmark = pytest.mark.django_db

FORM = {
    "on": "2026-03-03",
    "at": "10:00",
    "length": "60",
    "plate": "abc-123",
    "email": "guest@example.org",
}
EVERY_RULE = {
    "lead_time_min": 30,
    "no_return_min": 120,
    "most_stays_ahead": 2,
    "buffer_min": 10,
    "reservable_percent": 50,
}


def hold(client: Client, spot: Spot, **changes: Any) -> Any:
    return client.post(f"/spots/{spot.pk}/hold/", {**FORM, **changes})


def errors_at(response: Any, name: str) -> list[str]:
    """Return the errors of a field of the stay or of the hold."""
    where = "form" if name == "plate" else "stay"
    return [str(message) for message in response.context[where].errors.get(name, [])]


def test_a_return_too_soon_is_said_at_the_start(client: Client) -> None:
    spot = cast.a_spot(cast.a_zone(no_return_min=120))
    cast.a_hold(spot)
    response = hold(client, spot, at="11:30")
    assert response.status_code == 409
    assert errors_at(response, "at") == ["This vehicle may come back from 13:00."]
    assert 'value="abc-123"' in response.content.decode(), "what was typed is lost"
    assert Slot.objects.count() == 1
    assert hold(client, spot, at="13:00").status_code == 302


def test_one_stay_too_many_is_said_at_the_plate_together_with_the_rest(client: Client) -> None:
    spot = cast.a_spot(cast.a_zone(most_stays_ahead=1))
    cast.a_hold(spot)
    response = hold(client, spot, at="14:00", length="245")
    assert errors_at(response, "plate") == [
        "A vehicle may have 1 stay running or to come in this zone."
    ]
    assert errors_at(response, "length") == ["The longest stay here is 240 minutes."]
    assert "A vehicle may have 1 stay" in text_of(response)
    assert Slot.objects.count() == 1


def test_a_full_street_is_said_before_anybody_types_a_plate(client: Client) -> None:
    spot = cast.a_spot(cast.a_zone(reservable_percent=50))
    stay = {"on": "2026-03-03", "at": "11:00", "length": "60"}
    text = text_of(client.get(f"/spots/{spot.pk}/", stay))
    assert "Only 50 % of this street can be reserved in advance" in text
    assert "Hold this spot and pay" not in text


def test_a_lead_time_moves_the_start_that_is_offered(client: Client) -> None:
    spot = cast.a_spot(cast.a_zone(lead_time_min=30))
    assert "10:30–12:30" in text_of(client.get(f"/spots/{spot.pk}/"))
    early = text_of(client.get(f"/spots/{spot.pk}/", {"on": "2026-03-03", "at": "10:10"}))
    assert "Book at least 30 minutes ahead: the first start is 10:30." in early
    assert "Start as soon as possible" in early


def test_a_time_in_the_buffer_is_taken(client: Client) -> None:
    spot = cast.a_spot(cast.a_zone(buffer_min=10))
    cast.a_hold(spot)
    stay = {"on": "2026-03-03", "length": "60"}
    taken = client.get(f"/spots/{spot.pk}/", {**stay, "at": "11:05"})
    assert taken.context["is_taken"]
    assert not client.get(f"/spots/{spot.pk}/", {**stay, "at": "11:10"}).context["is_taken"]
    assert hold(client, spot, at="11:05", plate="xyz-987").status_code == 409


def test_an_event_is_named_on_the_spots_page_and_in_the_list(client: Client) -> None:
    spot = cast.a_spot(cast.a_zone())
    Closure.objects.create(
        zone=spot.zone,
        period=(cast.NOW, cast.NOW + timedelta(hours=3)),
        kind="event",
        reason="Match at the arena",
        longest_stay_min=30,
    )
    words = "Match at the arena: no stay is longer than 30 minutes then."
    stay = {"on": "2026-03-03", "at": "10:00", "length": "60"}
    assert words in text_of(client.get(f"/spots/{spot.pk}/", stay))
    assert words in text_of(client.get("/", {**stay, "show": "all"}))
    short = text_of(client.get(f"/spots/{spot.pk}/", {**stay, "length": "30"}))
    assert "Match at the arena" not in short


def test_the_rules_are_said_in_words_where_a_zone_has_them(client: Client) -> None:
    spot = cast.a_spot(cast.a_zone(**EVERY_RULE))
    sign = text_of(client.get("/zones/kamppi/tariff/")).replace("\xa0", " ")
    for words in (
        "Book at least 30 min before you come.",
        "Between two stays, a vehicle leaves this zone for at least 2 h.",
        "A vehicle may have 2 stays running or to come in this zone.",
        "Between two bookings, a spot stays free for 10 min.",
        "At most 50 % of a street can be reserved in advance; the rest is for",
        "those who start within 15 min of booking.",
    ):
        assert words in sign
    beside = text_of(client.get(f"/spots/{spot.pk}/")).replace("\xa0", " ")
    assert "Book ahead at least 30 min Coming back after 2 h Stays per vehicle 2" in beside
    assert "Free between bookings 10 min To be reserved in advance 50 % of the street" in beside


def test_a_zone_without_them_says_nothing_of_them(client: Client, spot: Spot) -> None:
    said = text_of(client.get("/zones/kamppi/tariff/")) + text_of(client.get(f"/spots/{spot.pk}/"))
    for word in ("before you come", "Between two", "A vehicle may", "reserved", "Coming back"):
        assert word not in said


def test_the_page_of_a_zone_with_such_rules_takes_one_query_more(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    spot = cast.a_spot(cast.a_zone(**EVERY_RULE))
    stay = {"on": "2026-03-03", "at": "11:00", "length": "60"}
    client.get(f"/spots/{spot.pk}/", stay)  # reads the tariff
    with django_assert_max_num_queries(6):
        client.get(f"/spots/{spot.pk}/", stay)
