"""The page of a spot: what it is, what a stay costs, and why it cannot be had."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.gis.geos import LineString, MultiLineString
from django.test import Client

from parking import access
from parking.models import Spot, Street, Zone
from tests import cast
from tests.cast import TWO_EURO_AN_HOUR
from tests.parking.pages.conftest import text_of

pytestmark = pytest.mark.django_db

STAY = {"on": "2026-03-03", "at": "10:00", "length": "60"}
CLASSES = {**TWO_EURO_AN_HOUR, "vehicle_classes": {"electric": {"percent": 50}}}


def page_of(client: Client, spot: Spot, **query: Any) -> Any:
    return client.get(f"/spots/{spot.pk}/", query)


def test_the_price_stands_line_by_line(client: Client, spot: Spot) -> None:
    text = text_of(page_of(client, spot, **STAY)).replace("\xa0", " ")
    assert "Spot K-1, Fredrikinkatu" in text
    assert "10:00–11:00, 1 h at 2.00 € an hour 2.00 €" in text
    assert "To pay 2.00 €" in text
    assert "Hold this spot and pay 2.00 €" in text


def test_without_a_time_the_next_two_hours_are_shown(client: Client, spot: Spot) -> None:
    assert "10:00–12:00" in text_of(page_of(client, spot))


def test_without_a_time_a_short_zone_shows_its_longest_stay(client: Client) -> None:
    spot = cast.a_spot(cast.a_zone("short", longest_stay_min=45))
    text = text_of(page_of(client, spot))
    assert "10:00–10:45" in text
    assert "The longest stay" not in text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"length": "600"}, "The longest stay here is 240 minutes."),
        ({"length": "5"}, "The shortest stay here is 15 minutes."),
        ({"at": "10:03"}, "Starts lie on steps of 5 minutes."),
        ({"on": "2026-03-02"}, "This start has already passed."),
        ({"on": "2026-05-01"}, "This zone can be booked 7 days ahead."),
    ],
)
def test_broken_rules_are_said_at_their_fields_and_nothing_can_be_held(
    client: Client, spot: Spot, query: dict[str, str], words: str
) -> None:
    response = page_of(client, spot, **{**STAY, **query})
    assert response.status_code == 200
    assert words in text_of(response)
    assert b'id="hold"' not in response.content
    assert b'aria-invalid="true"' in response.content


def test_a_start_that_has_passed_offers_the_next_one(client: Client, spot: Spot) -> None:
    text = text_of(page_of(client, spot, **{**STAY, "on": "2026-03-02"}))
    assert "Start as soon as possible" in text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"on": "x"}, "Write the date"),
        ({"at": "x"}, "Write the time"),
        ({"length": "0"}, "Choose a length"),
        ({"length": "1" * 5000}, "Choose a length"),
        ({"vehicle_class": "tank"}, ""),
    ],
)
def test_what_makes_no_sense_is_said(
    client: Client, spot: Spot, query: dict[str, str], words: str
) -> None:
    response = page_of(client, spot, **{**STAY, **query})
    assert response.status_code == (400 if words else 200)
    assert words in text_of(response)


def test_a_vehicle_class_changes_the_price(client: Client) -> None:
    spot = cast.a_spot(cast.a_zone(tariff=CLASSES))
    text = text_of(page_of(client, spot, **STAY, vehicle_class="electric")).replace("\xa0", " ")
    assert "To pay 1.00 €" in text
    refused = page_of(client, spot, **STAY, vehicle_class="tank")
    assert refused.status_code == 400
    assert "This vehicle class has no price here." in text_of(refused)


def test_taken_shows_the_nearest_free_with_distance_and_price(client: Client, zone: Zone) -> None:
    taken = cast.a_spot(zone, "K-1")
    cast.a_spot(zone, "K-2", metres_east=40)
    cast.a_spot(zone, "K-3", metres_east=20)
    also_taken = cast.a_spot(zone, "K-4", metres_east=10)
    cast.a_hold(taken)
    cast.a_hold(also_taken)
    response = page_of(client, taken, **STAY)
    text = text_of(response).replace("\xa0", " ")
    assert "Spot K-3 Fredrikinkatu 20 m away 2.00 €" in text
    assert text.index("Spot K-3") < text.index("Spot K-2")
    assert "Spot K-4" not in text
    assert b'id="hold"' not in response.content


def test_alternatives_are_only_where_the_stay_is_sold(client: Client, zone: Zone) -> None:
    taken = cast.a_spot(zone, "K-1")
    cast.a_spot(cast.a_zone("short", longest_stay_min=30), "S-1", metres_east=10)
    cast.a_hold(taken)
    text = text_of(page_of(client, taken, **STAY))
    assert "S-1" not in text
    assert "Nothing within 500 m is free at this time." in text


def test_whoever_needs_an_accessible_bay_is_offered_only_these(client: Client, zone: Zone) -> None:
    taken = cast.a_spot(zone, "K-1", features=["accessible"])
    cast.a_spot(zone, "K-2", metres_east=10)
    cast.a_spot(zone, "K-3", metres_east=50, features=["accessible"])
    cast.a_hold(taken)
    text = text_of(page_of(client, taken, **STAY))
    assert "Spot K-3" in text
    assert "Spot K-2" not in text


def test_the_nearest_is_nearest_in_metres_not_in_degrees(client: Client, zone: Zone) -> None:
    taken = cast.a_spot(zone, "K-1")
    cast.a_spot(zone, "EAST", metres_east=40)
    north = cast.a_spot(zone, "NORTH")
    north.location.y += 60 / 111_320  # a degree of latitude is twice as long here
    north.save()
    cast.a_hold(taken)
    text = text_of(page_of(client, taken, **STAY))
    assert text.index("Spot EAST") < text.index("Spot NORTH")


def test_a_spot_out_of_use_is_not_there(client: Client, spot: Spot) -> None:
    assert client.get("/spots/999999999/").status_code == 404
    assert client.get(f"/spots/{10**30}/").status_code == 404
    Spot.objects.update(is_active=False)
    assert page_of(client, spot).status_code == 404
    Spot.objects.update(is_active=True)
    Zone.objects.update(is_active=False)
    assert page_of(client, spot).status_code == 404


def test_streets_and_neighbours_are_drawn(client: Client, zone: Zone) -> None:
    spot = cast.a_spot(zone, "K-1", bearing=17)
    cast.a_spot(zone, "K-2", metres_east=10)
    cast.a_spot(zone, "K-3", metres_east=4_000)
    line = MultiLineString(LineString((24.92, 60.168), (24.95, 60.168)))
    Street.objects.create(name="Bulevardi", geometry=line, width_m=18)
    locator = page_of(client, spot).context["locator"]
    assert [(mark.x, mark.y, mark.is_here) for mark in locator.spots] == [
        (10.0, 0.0, False),
        (0.0, 0.0, True),
    ]
    assert [street.name for street in locator.streets] == ["Bulevardi"]
    assert locator.streets[0].path.startswith("M-90")


def test_a_street_that_runs_west_is_not_named_upside_down(client: Client, spot: Spot) -> None:
    line = MultiLineString(LineString((24.95, 60.1681), (24.92, 60.168)))
    Street.objects.create(name="Bulevardi", geometry=line)
    (street,) = page_of(client, spot).context["locator"].streets
    assert -90 < street.angle <= 90


def test_figures_in_the_drawing_have_points_in_every_language(client: Client, spot: Spot) -> None:
    cast.a_spot(spot.zone, "K-2", metres_east=10.5)
    page = client.get(f"/ru/spots/{spot.pk}/").content.decode()
    assert "translate(10.5 0.0)" in page


def test_a_returning_visitor_finds_plate_and_email(client: Client, spot: Spot) -> None:
    citizen = cast.a_person("citizen")
    cast.a_hold(spot, cast.at(300), user=citizen, plate="OLD123")
    cast.a_hold(spot, cast.at(600), plate="ALIEN9")
    client.force_login(citizen)
    form = page_of(client, spot, **STAY).context["form"]
    assert form.initial == {
        "plate": "OLD123",
        "vehicle_class": "",
        "email": "citizen@example.org",
    }


def test_a_stranger_finds_nothing_of_others(client: Client, spot: Spot) -> None:
    cast.a_hold(spot, cast.at(300), plate="OLD123")
    response = page_of(client, spot, **STAY)
    assert response.context["form"].initial["plate"] == ""
    assert "OLD123" not in response.content.decode()


def test_a_guest_is_remembered_in_this_browser(client: Client, spot: Spot) -> None:
    slot = cast.a_hold(spot, cast.at(300), plate="OLD123")
    session = client.session
    session[access._SESSION_KEY] = [slot.booking.reference]
    session.save()
    initial = page_of(client, spot, **STAY).context["form"].initial
    assert (initial["plate"], initial["email"]) == ("OLD123", "guest@example.org")


def test_the_number_of_queries_is_fixed(
    client: Client, zone: Zone, django_assert_max_num_queries: Any
) -> None:
    spots = [cast.a_spot(zone, f"K-{n}", metres_east=6 * n) for n in range(12)]
    cast.a_hold(spots[0])
    page_of(client, spots[1], **STAY)  # reads the tariff
    # spot, tariff, is it free, terms, what is cheaper nearby, surroundings
    with django_assert_max_num_queries(6):
        page_of(client, spots[1], **STAY)
    # and, where it is taken, alternatives and what they cost
    with django_assert_max_num_queries(7):
        page_of(client, spots[0], **STAY)
