"""The page that hands out any free spot of a zone."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.test import Client

from parking.models import Slot, Zone
from tests import cast
from tests.cast import TWO_EURO_AN_HOUR
from tests.parking.pages.conftest import text_of

pytestmark = pytest.mark.django_db

STAY = {"on": "2026-03-03", "at": "10:00", "length": "60"}
WHO = {"plate": "abc 123", "email": "guest@example.org"}
PAGE = "/zones/kamppi/any/"


@pytest.fixture
def zone(db: None) -> Zone:
    classes = {**TWO_EURO_AN_HOUR, "vehicle_classes": {"electric": {"percent": 50}}}
    zone = cast.a_zone(tariff=classes)
    cast.a_spot(zone, "K-1")
    cast.a_spot(zone, "K-2", metres_east=20, features=["accessible"])
    return zone


def test_it_says_the_price_and_how_many_are_free(client: Client, zone: Zone) -> None:
    said = text_of(client.get(PAGE, STAY)).replace("\xa0", " ")
    assert "Any free spot in Kamppi" in said
    assert "2 free" in said
    assert "Hold a spot and pay 2.00 €" in said
    half = client.get(PAGE, {**STAY, "vehicle_class": "electric"})
    assert "pay 1.00 €" in text_of(half).replace("\xa0", " ")


def test_it_holds_one_and_leads_to_its_booking(client: Client, zone: Zone) -> None:
    answer = client.post(PAGE, {**STAY, **WHO})
    slot = Slot.objects.get()
    assert answer["Location"] == f"/bookings/{slot.booking.reference}/"
    assert (slot.spot.number, slot.booking.plate) == ("K-1", "ABC123")
    assert client.get(answer["Location"]).status_code == 200, "the visitor may see it"


def test_a_taken_spot_leads_to_the_nearest_one_of_its_zone(client: Client, zone: Zone) -> None:
    cast.a_spot(zone, "K-0", metres_east=900)
    taken = cast.a_spot(zone, "K-9", metres_east=1000)
    cast.a_hold(taken, cast.at(0))
    page = client.get(f"/spots/{taken.pk}/", STAY)
    link = re.search(r'href="(/zones/kamppi/any/[^"]+)"', page.content.decode())
    assert link is not None
    nearest = client.get(html.unescape(link[1]))
    assert "the free spot that is nearest to spot K-9 and show" in text_of(nearest)
    assert 'name="near" value="K-9"' in nearest.content.decode()
    assert client.post(PAGE, {**STAY, **WHO, "near": "K-9"}).status_code == 302
    assert Slot.objects.latest("id").spot.number == "K-0"


def test_a_spot_of_nowhere_is_not_found(client: Client, zone: Zone) -> None:
    cast.a_spot(cast.a_zone("toolo"), "T-1")
    for number in ("T-1", "x" * 300, "\0", "\N{ARABIC-INDIC DIGIT ONE}"):
        assert client.get(PAGE, {**STAY, "near": number}).status_code == 404


def test_only_who_asks_gets_a_bay_that_is_set_aside(client: Client, zone: Zone) -> None:
    client.post(PAGE, {**STAY, **WHO})
    refused = client.post(PAGE, {**STAY, **WHO})
    assert refused.status_code == 409
    assert "No such spot is free" in text_of(refused)
    assert "abc 123" in refused.content.decode(), "what was typed is kept"
    assert client.post(PAGE, {**STAY, **WHO, "feature": "accessible"}).status_code == 302
    assert [slot.spot.number for slot in Slot.objects.order_by("id")] == ["K-1", "K-2"]


@pytest.mark.parametrize(
    ("given", "status", "words"),
    [
        ({"length": "600"}, 409, "The longest stay here is 240 minutes."),
        ({"plate": ""}, 400, "Write the number plate"),
        ({"email": "x"}, 400, "valid email"),
        ({"at": "25:00"}, 400, "Write the time as"),
        ({"vehicle_class": "tram"}, 400, "has no price here"),
    ],
)
def test_what_is_wrong_is_said_and_holds_nothing(
    client: Client, zone: Zone, given: dict[str, Any], status: int, words: str
) -> None:
    answer = client.post(PAGE, {**STAY, **WHO, **given})
    assert answer.status_code == status
    assert words in text_of(answer)
    assert not Slot.objects.exists()


def test_the_list_leads_there_with_the_stay_and_the_features(client: Client, zone: Zone) -> None:
    said = client.get("/", {**STAY, "feature": "accessible"}).content.decode()
    assert (
        f'href="{PAGE}?on=2026-03-03&amp;at=10%3A00&amp;length=60&amp;feature=accessible"' in said
    )
    assert client.get("/zones/nowhere/any/").status_code == 404
