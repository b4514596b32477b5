"""The find page: what is free, where, at which price; also for addresses that make no sense."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.gis.geos import Point
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test import Client

from parking.models import Closure, Spot, Zone
from tests import cast
from tests.cast import NOW
from tests.parking.pages.conftest import text_of

pytestmark = pytest.mark.django_db

STAY = {"on": "2026-03-03", "at": "10:00", "length": "60"}


def found(client: Client, **query: Any) -> list[str]:
    """Return the numbers of the spots that the list shows."""
    response = client.get("/", {**STAY, **query})
    assert response.status_code == 200
    return [spot.number for group in response.context["results"]["groups"] for spot in group.spots]


def test_first_visit_looks_two_hours_ahead_from_the_next_step(client: Client, spot: Spot) -> None:
    response = client.get("/")
    text = text_of(response)
    assert response.status_code == 200
    assert "Tue 3 March 2026, 10:00–12:00" in text
    assert "1 of 1 spots free" in text
    assert "4.00 €" in text.replace("\xa0", " ")


def test_taken_spots_are_left_out_unless_all_are_asked_for(client: Client, zone: Zone) -> None:
    taken, free = cast.a_spot(zone, "K-1"), cast.a_spot(zone, "K-2")
    cast.a_hold(taken)
    assert found(client) == [free.number]
    assert found(client, show="all") == [taken.number, free.number]
    assert "Taken" in text_of(client.get("/", {**STAY, "show": "all"}))


def test_a_stay_beside_a_taken_time_is_free(client: Client, spot: Spot) -> None:
    cast.a_hold(spot, minutes=60)
    assert found(client, at="11:00") == [spot.number]
    assert found(client, at="10:55") == []


def test_numbers_are_in_the_order_that_people_count(client: Client, zone: Zone) -> None:
    for number in ("K-10", "K-2", "K-1"):
        cast.a_spot(zone, number)
    assert found(client) == ["K-1", "K-2", "K-10"]


def test_a_house_number_that_no_spot_has_is_not_in_the_way(client: Client, zone: Zone) -> None:
    cast.a_spot(zone, "K-1")
    cast.a_spot(zone, "K-2")
    assert found(client, place="Fredrikinkatu 77") == ["K-1", "K-2"]
    assert "Numbers of houses are not known" in text_of(
        client.get("/", {**STAY, "place": "kamppi 77"})
    )
    assert found(client, place="Fredrikinkatu 2") == ["K-2"]
    assert found(client, place="77") == []


def test_a_price_leaves_out_zones_that_cost_more(client: Client, zone: Zone) -> None:
    cast.a_spot(zone, "K-1")
    cast.a_spot(cast.a_zone("free", tariff=cast.FREE_OF_CHARGE), "F-1")
    assert found(client) == ["F-1", "K-1"]
    assert found(client, price="0") == ["F-1"]
    assert found(client, price="200") == ["F-1", "K-1"]
    assert found(client, price="199", zone="kamppi") == []
    response = client.get("/", {**STAY, "price": "150"})
    assert [total for total, _words in response.context["price_choices"]] == [0, 150, 200]
    assert response.context["map_state"]["only"] == [Zone.objects.get(code="free").pk]


@pytest.mark.parametrize(
    ("place", "numbers"),
    [
        ("fredrik", ["K-1"]),
        ("FREDRIK", ["K-1"]),
        ("bulevardi kamppi", ["K-2"]),
        ("k-2", ["K-2"]),
        ("100%", []),
        ("_", []),
        ("ملاصدرا", ["K-3"]),
        ("خيابان", ["K-3"]),
    ],
)
def test_all_words_must_be_in_zone_street_or_number(
    client: Client, zone: Zone, place: str, numbers: list[str]
) -> None:
    cast.a_spot(zone, "K-1")
    for number, street in (("K-2", "Bulevardi"), ("K-3", "خیابان ملاصدرا")):
        spot = cast.a_spot(zone, number)
        spot.street = street
        spot.save()
    assert found(client, place=place) == numbers


def test_features_must_all_be_there(client: Client, zone: Zone) -> None:
    cast.a_spot(zone, "K-1", features=["ev"])
    cast.a_spot(zone, "K-2", features=["ev", "accessible"])
    cast.a_spot(zone, "K-3")
    assert found(client, feature=["ev"]) == ["K-1", "K-2"]
    assert found(client, feature=["ev", "accessible"]) == ["K-2"]


def test_zone_and_area_narrow_the_list(client: Client, zone: Zone) -> None:
    other = cast.a_zone("toolo")
    cast.a_spot(zone, "K-1")
    far = cast.a_spot(other, "T-1")
    far.location = Point(24.99, 60.2, srid=4326)
    far.save()
    assert found(client, zone="toolo") == ["T-1"]
    assert found(client, bbox="24.9,60.1,24.95,60.19") == ["K-1"]


def test_a_zone_that_limits_reservations_still_offers_its_spots(client: Client) -> None:
    cast.a_spot(cast.a_zone(reservable_percent=50))
    response = client.get("/", {"on": "2026-03-03", "at": "14:00", "length": "60"})
    assert "can be reserved in advance" not in text_of(response)
    assert "2.00" in text_of(response)


def test_a_zone_that_refuses_the_stay_says_why_and_offers_nothing(client: Client) -> None:
    cast.a_spot(cast.a_zone("short", longest_stay_min=30), "S-1")
    cast.a_spot(cast.a_zone("long"), "L-1")
    response = client.get("/", STAY)
    assert "The longest stay here is 30 minutes." in text_of(response)
    assert "1 of 2 spots free" in text_of(response)
    assert found(client) == ["L-1"]
    everything = text_of(client.get("/", {**STAY, "show": "all"}))
    assert "S-1 Fredrikinkatu Not at this time" in everything


def test_closures_of_a_zone_and_of_a_spot_are_respected(client: Client, zone: Zone) -> None:
    marathon = cast.a_zone("marathon")
    cast.a_spot(marathon, "M-1")
    closed, open_spot = cast.a_spot(zone, "K-1"), cast.a_spot(zone, "K-2")
    period = DateTimeTZRange(cast.at(30), cast.at(90))
    Closure.objects.create(zone=marathon, period=period, reason="Marathon")
    Closure.objects.create(zone=zone, spot=closed, period=period, reason="Roadworks")
    assert found(client) == [open_spot.number]
    assert "Closed: Marathon." in text_of(client.get("/", STAY))


def test_a_zone_without_a_price_is_not_on_sale(client: Client, spot: Spot) -> None:
    ended = DateTimeTZRange(datetime(2020, 1, 1, tzinfo=UTC), NOW)
    spot.zone.tariffs.update(in_force=ended)
    assert "There is no price for this time yet" in text_of(client.get("/", STAY))
    assert found(client) == []


def test_inactive_spots_and_zones_are_not_shown(client: Client, zone: Zone) -> None:
    cast.a_spot(zone, "K-1", is_active=False)
    gone = cast.a_zone("gone")
    cast.a_spot(gone, "G-1")
    Zone.objects.filter(pk=gone.pk).update(is_active=False)
    text = text_of(client.get("/", {**STAY, "show": "all"}))
    assert "K-1" not in text
    assert "Gone" not in text


def test_a_long_list_has_pages(client: Client, zone: Zone) -> None:
    for number in range(1, 61):
        cast.a_spot(zone, f"K-{number}")
    assert len(found(client)) == 50
    assert found(client, page="2") == [f"K-{number}" for number in range(51, 61)]
    assert found(client, page="99") == found(client, page="2")
    response = client.get("/", {**STAY, "place": "Fredrik", "page": "2"})
    assert "51 to 60 of 60" in text_of(response)
    assert "place=Fredrik" in response.context["results"]["previous"]


def test_the_number_of_queries_does_not_grow(
    client: Client, zone: Zone, django_assert_num_queries: Any
) -> None:
    cast.a_spot(zone, "K-1")
    client.get("/", STAY)  # reads the tariff
    with django_assert_num_queries(4):  # offers, counts, list, version of the layer
        client.get("/", STAY)
    for code in ("a", "b", "c", "d"):
        other = cast.a_zone(code)
        for number in range(5):
            cast.a_hold(cast.a_spot(other, f"{code}-{number}", features=["ev"]), minutes=30)
    with django_assert_num_queries(4):
        client.get("/", {**STAY, "show": "all"})


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"on": "tomorrow"}, "Write the date as year-month-day"),
        ({"on": "2026-02-30"}, "Write the date as year-month-day"),
        ({"on": "9999-12-31"}, "Choose a date in this century."),
        ({"on": "0001-01-01"}, "Choose a date in this century."),
        ({"at": "25:00"}, "Write the time as hours:minutes"),
        ({"at": "10"}, "Write the time as hours:minutes"),
        ({"on": "2026-03-29", "at": "03:30"}, "choose 04:00 or later"),
        ({"length": "x"}, "Choose a length."),
        ({"length": "-5"}, "Choose a length."),
        ({"length": "9" * 30}, "Nobody can book for more than 31 days."),
        ({"length": "99999"}, "Nobody can book for more than 31 days."),
        ({"length": "²"}, "Choose a length."),
        ({"zone": "atlantis"}, "There is no such zone."),
        ({"zone": "a b"}, "Enter a valid “slug”"),
        ({"feature": "helipad"}, "No spot has “helipad”."),
        ({"show": "some"}, "Select a valid choice"),
        ({"place": "x" * 81}, "at most 80 characters"),
        ({"place": "a\x00b"}, "Null characters are not allowed"),
        ({"bbox": "1,2,3"}, "west,south,east,north"),
        ({"bbox": "a,b,c,d"}, "west,south,east,north"),
        ({"bbox": "nan,0,1,1"}, "west,south,east,north"),
        ({"bbox": "inf,0,1,1"}, "west,south,east,north"),
        ({"bbox": "25,60,24,61"}, "West must lie before east"),
        ({"bbox": "0,0,1,91"}, "within the globe"),
        ({"price": "-1"}, "greater than or equal to 0"),
        ({"price": "cheap"}, "Enter a whole number"),
        ({"page": "0"}, "Ensure this value is greater than or equal to 1"),
        ({"page": "x"}, "Enter a whole number"),
    ],
)
def test_what_makes_no_sense_is_said_at_its_field(
    client: Client, spot: Spot, query: dict[str, str], words: str
) -> None:
    response = client.get("/", {**STAY, **query})
    text = text_of(response)
    assert response.status_code == 400
    assert words in text
    assert "Please mend the marked fields" in text
    assert spot.number not in text.split("Results")[-1]


def test_nothing_free_says_what_helps(client: Client, spot: Spot) -> None:
    cast.a_hold(spot)
    response = client.get("/", STAY)
    assert "Nothing is free for this time" in text_of(response)
    assert "show=all" in response.content.decode()


def test_nothing_found_offers_to_search_everywhere(client: Client, spot: Spot) -> None:
    text = text_of(client.get("/", {**STAY, "place": "nowhere"}))
    assert "No spot is like this" in text
    assert "Search everywhere" in text


def test_a_city_without_spots_says_so(client: Client, db: None) -> None:
    assert "There are no spots yet" in text_of(client.get("/", STAY))


def test_default_start_lies_on_the_grid_of_every_zone(client: Client, set_clock: Any) -> None:
    cast.a_zone("five", slot_step_min=5)
    cast.a_zone("half", slot_step_min=30)
    set_clock(datetime.fromisoformat("2026-03-03T08:01:20+00:00"))
    assert "10:30–12:30" in text_of(client.get("/"))


def test_the_map_is_told_the_same_search(client: Client, zone: Zone) -> None:
    cast.a_spot(zone)
    state = client.get("/", {**STAY, "feature": "ev", "zone": "kamppi"}).context["map_state"]
    assert state["from"] == "2026-03-03T10:00:00+02:00"
    assert state["to"] == "2026-03-03T11:00:00+02:00"
    assert state["zone"] == "kamppi"
    assert state["features"] == ["ev"]
    assert state["zones"][str(zone.pk)]["price"] == "2.00\xa0€"
    assert state["zones"][str(zone.pk)]["reasons"] == []
