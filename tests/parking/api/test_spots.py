"""`GET /api/v1/spots/` tells which spots are there and which are free."""

from datetime import datetime, timedelta

import pytest
from django.contrib.gis.geos import Point
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from parking import availability
from parking.models import Closure, Spot, StayRules, Zone
from tests import cast
from tests.parking.sensors import Sensor

QUESTION = {
    "bbox": "24.92,60.16,24.95,60.18",
    "from": "2026-03-03T10:00:00+02:00",
    "to": "2026-03-03T12:00:00+02:00",
}


def ask(client: Client, **changes: object) -> dict:
    answer = client.get("/api/v1/spots/", {**QUESTION, **changes})
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "application/geo+json"
    return answer.json()


def test_a_free_spot_is_a_geojson_feature(client: Client, spot: Spot) -> None:
    collection = ask(client)
    assert collection == {
        "type": "FeatureCollection",
        "truncated": False,
        "features": [
            {
                "type": "Feature",
                "id": spot.pk,
                "geometry": {"type": "Point", "coordinates": [24.935, 60.168]},
                "properties": {
                    "number": "K-1",
                    "street": "Fredrikinkatu",
                    "zone": "kamppi",
                    "features": [],
                    "free": True,
                },
            }
        ],
    }


@pytest.mark.parametrize(
    ("start", "minutes", "free"),
    [(-60, 60, True), (120, 60, True), (-30, 60, False), (30, 30, False), (-30, 240, False)],
)
def test_a_slot_makes_its_spot_busy_only_where_it_overlaps(
    client: Client, spot: Spot, start: int, minutes: int, free: bool
) -> None:
    cast.a_hold(spot, minutes=120)
    period = {"from": cast.at(start).isoformat(), "to": cast.at(start + minutes).isoformat()}
    assert ask(client, **period)["features"][0]["properties"]["free"] is free


def test_a_closure_makes_a_zone_busy(client: Client, spot: Spot) -> None:
    Closure.objects.create(zone=spot.zone, period=(cast.at(60), cast.at(90)), reason="street works")
    assert ask(client)["features"][0]["properties"]["free"] is False


def test_spots_outside_the_view_or_out_of_use_are_left_out(client: Client, zone: Zone) -> None:
    cast.a_spot(zone, "in")
    cast.a_spot(zone, "far", metres_east=5000)
    cast.a_spot(zone, "off", is_active=False)
    numbers = [feature["properties"]["number"] for feature in ask(client)["features"]]
    assert numbers == ["in"]


def test_all_asked_features_must_be_there(client: Client, zone: Zone) -> None:
    cast.a_spot(zone, "plain")
    cast.a_spot(zone, "both", features=["accessible", "ev"])
    cast.a_spot(zone, "ev", features=["ev"])
    found = ask(client, features="accessible,ev")["features"]
    assert [feature["properties"]["number"] for feature in found] == ["both"]


def test_a_name_can_hold_whatever_a_city_writes(client: Client, zone: Zone) -> None:
    nasty = 'О"Нил\\ ل %s {0}\n'
    cast.a_spot(zone, "x")
    Spot.objects.update(street=nasty)
    assert ask(client)["features"][0]["properties"]["street"] == nasty


def test_a_large_view_is_cut_at_two_thousand_and_says_so(client: Client, zone: Zone) -> None:
    Spot.objects.bulk_create(
        Spot(zone=zone, number=f"S{n}", location=Point(24.935, 60.168, srid=4326))
        for n in range(availability.MOST_FEATURES + 1)
    )
    collection = ask(client)
    assert len(collection["features"]) == availability.MOST_FEATURES
    assert collection["truncated"] is True


def test_the_answer_takes_one_query(
    client: Client, spot: Spot, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        ask(client)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"bbox": ""}, "bbox"),
        ({"bbox": "1,2,3"}, "bbox"),
        ({"bbox": "a,b,c,d"}, "bbox"),
        ({"bbox": "nan,60,25,61"}, "bbox"),
        ({"bbox": "25,60,24,61"}, "bbox"),
        ({"bbox": "24,61,25,60"}, "bbox"),
        ({"bbox": "24,60,25,inf"}, "bbox"),
        ({"bbox": "-181,60,25,61"}, "bbox"),
        ({"from": "yesterday"}, "from"),
        ({"from": ""}, "from"),
        ({"to": "2026-03-03T10:00:00+02:00"}, "to"),
        ({"to": "2026-13-03T10:00:00+02:00"}, "to"),
        ({"to": "2027-03-03T10:00:00+02:00"}, "to"),
        ({"from": "0001-01-01T00:00:00+14:00"}, "from"),
        ({"to": "9999-12-31T23:59:59-12:00"}, "to"),
        ({"features": "pool"}, "features"),
        ({"features": "ev\x00"}, "features"),
    ],
)
def test_bad_input_names_its_field(client: Client, spot: Spot, changes: dict, field: str) -> None:
    answer = client.get("/api/v1/spots/", {**QUESTION, **changes})
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert field in answer.json()["errors"]


def test_a_quote_explains_its_price(client: Client, spot: Spot) -> None:
    start = cast.soon()
    answer = client.get(
        f"/api/v1/spots/{spot.pk}/quote/",
        {"from": start.isoformat(), "to": (start + timedelta(minutes=90)).isoformat()},
    )
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert (body["total"], body["currency"], body["chargeable_min"]) == (300, "EUR", 90)
    assert sum(line["amount"] for line in body["lines"]) == 300
    assert body["free"] is True


def test_a_quote_says_every_rule_that_a_stay_breaks(client: Client, spot: Spot) -> None:
    answer = client.get(
        f"/api/v1/spots/{spot.pk}/quote/",
        {"from": "2026-03-03T10:01:00Z", "to": "2026-03-03T10:02:00Z"},
    )
    assert answer.status_code == 422
    errors = answer.json()["errors"]
    assert len(errors["from"]) == 2
    assert len(errors["to"]) == 2


def test_a_quote_of_an_unknown_spot_is_404(client: Client, zone: Zone) -> None:
    start = cast.soon()
    period = {"from": start.isoformat(), "to": (start + timedelta(minutes=60)).isoformat()}
    assert client.get("/api/v1/spots/999/quote/", period).status_code == 404


def a_quote(client: Client, spot: Spot, minutes: int) -> dict:
    start = cast.soon()
    answer = client.get(
        f"/api/v1/spots/{spot.pk}/quote/",
        {"from": start.isoformat(), "to": (start + timedelta(minutes=minutes)).isoformat()},
    )
    assert answer.status_code == 200, answer.content
    return answer.json()


@pytest.mark.django_db
def test_a_quote_says_how_much_longer_costs_the_same(client: Client) -> None:
    by_the_hour = {**cast.TWO_EURO_AN_HOUR, "increment": {"minutes": 60}}
    spot = cast.a_spot(cast.a_zone(tariff=by_the_hour))
    until = datetime.fromisoformat(a_quote(client, spot, 65)["same_price_until"])
    assert until == cast.soon() + timedelta(minutes=120)
    assert a_quote(client, spot, 120)["same_price_until"] is None


def test_a_quote_names_a_cheaper_spot_nearby(client: Client, spot: Spot) -> None:
    assert a_quote(client, spot, 60)["cheaper_nearby"] is None
    other = cast.a_spot(cast.a_zone("free", tariff=cast.FREE_OF_CHARGE), "F-1", metres_east=100)
    found = a_quote(client, spot, 60)["cheaper_nearby"]
    assert 95 <= found.pop("distance_m") <= 105
    assert found == {
        "spot": other.pk,
        "number": "F-1",
        "street": "Fredrikinkatu",
        "zone": "Free",
        "total": 0,
        "currency": "EUR",
        "saving": 200,
    }


def test_a_quote_of_a_taken_spot_gives_no_advice(client: Client, spot: Spot) -> None:
    cast.a_spot(cast.a_zone("free", tariff=cast.FREE_OF_CHARGE), "F-1", metres_east=100)
    cast.a_hold(spot, cast.soon(), now=cast.soon())
    body = a_quote(client, spot, 60)
    assert (body["free"], body["cheaper_nearby"], body["same_price_until"]) == (False, None, None)


def test_a_quote_says_by_when_somebody_must_have_parked(client: Client, db: None) -> None:
    start = cast.soon()
    period = {
        "from": start.isoformat(),
        "to": (start + timedelta(minutes=60)).isoformat(),
    }

    def arrive_by(spot: Spot) -> str | None:
        answer = client.get(f"/api/v1/spots/{spot.pk}/quote/", period)
        assert answer.status_code == 200, answer.content
        return answer.json()["arrive_by"]

    watched = cast.a_zone(release_after_min=15)
    said = arrive_by(Sensor(watched).spot)
    assert said is not None
    assert datetime.fromisoformat(said) == start + timedelta(minutes=15)
    assert arrive_by(cast.a_spot(watched, "K-9")) is None, "it has no sensor"
    StayRules.objects.update(release_after_min=None)
    assert arrive_by(Spot.objects.get(number="K-1")) is None
