"""A spot's page names the nearest of the cheapest free spots within 300 m, if it saves money."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test import Client
from django.test.utils import CaptureQueriesContext

from parking.models import Closure, Spot, StayRules, Zone
from tests import cast
from tests.cast import FREE_OF_CHARGE, TWO_EURO_AN_HOUR
from tests.parking.pages.conftest import text_of

pytestmark = pytest.mark.django_db

STAY = {"on": "2026-03-03", "at": "10:00", "length": "60"}
ONE_EURO_AN_HOUR = {
    **TWO_EURO_AN_HOUR,
    "bands": [{**TWO_EURO_AN_HOUR["bands"][0], "tiers": [{"per_hour": 100}]}],
}
HALF_FOR_ELECTRIC = {**TWO_EURO_AN_HOUR, "vehicle_classes": {"electric": {"percent": 50}}}


@pytest.fixture
def cheap(db: None) -> Zone:
    return cast.a_zone("cheap", tariff=ONE_EURO_AN_HOUR)


def page_of(client: Client, spot: Spot, **query: Any) -> Any:
    response = client.get(f"/spots/{spot.pk}/", {**STAY, **query})
    assert response.status_code == 200
    return response


def cheaper_on(client: Client, spot: Spot, **query: Any) -> str | None:
    found = page_of(client, spot, **query).context["advice"].cheaper
    return found.spot.number if found else None


def test_what_it_saves_and_the_way_there_are_said(client: Client, spot: Spot, cheap: Zone) -> None:
    other = cast.a_spot(cheap, "1207", metres_east=180)
    response = page_of(client, spot)
    text = text_of(response).replace("\xa0", " ")
    away = response.context["advice"].cheaper.spot.distance_m
    assert f"Spot 1207, {away} m away: 1.00 € less Fredrikinkatu · 3 min on foot" in text
    assert 175 <= away <= 185
    link = f'href="/spots/{other.pk}/?on=2026-03-03&amp;at=10%3A00&amp;length=60"'
    assert link in response.content.decode()


def test_the_nearest_of_the_cheapest_is_named(client: Client, spot: Spot, cheap: Zone) -> None:
    cast.a_spot(cheap, "FAR", metres_east=200)
    cast.a_spot(cheap, "NEAR", metres_east=100)
    cast.a_spot(cast.a_zone("free", tariff=FREE_OF_CHARGE), "FREE", metres_east=290)
    assert cheaper_on(client, spot) == "FREE"
    Zone.objects.filter(code="free").update(is_active=False)
    assert cheaper_on(client, spot) == "NEAR"


def test_what_costs_the_same_or_more_is_not_named(client: Client, spot: Spot, cheap: Zone) -> None:
    cast.a_spot(spot.zone, "SAME", metres_east=10)
    cast.a_spot(cast.a_zone("twin"), "TWIN", metres_east=10)
    assert cheaper_on(client, spot) is None
    assert cheaper_on(client, cast.a_spot(cheap, "CHEAP", metres_east=20)) is None


def test_beyond_300_m_nothing_is_named(client: Client, spot: Spot, cheap: Zone) -> None:
    cast.a_spot(cheap, "FAR", metres_east=320)
    assert cheaper_on(client, spot) is None


@pytest.mark.parametrize("why", ["taken", "closed", "out of use", "not sold", "refused"])
def test_what_cannot_be_had_then_is_not_named(
    client: Client, spot: Spot, cheap: Zone, why: str
) -> None:
    other = cast.a_spot(cheap, "1207", metres_east=100)
    assert cheaper_on(client, spot) == "1207"
    if why == "taken":
        cast.a_hold(other)
    elif why == "closed":
        Closure.objects.create(zone=cheap, spot=other, period=(cast.at(30), cast.at(90)))
    elif why == "out of use":
        Spot.objects.filter(pk=other.pk).update(is_active=False)
    elif why == "not sold":  # approved tariffs can only be ended
        first = cheap.tariffs.get().in_force.lower
        cheap.tariffs.update(in_force=DateTimeTZRange(first, cast.at(-60)))
    else:
        StayRules.objects.filter(zone=cheap).update(longest_stay_min=30)
    assert cheaper_on(client, spot) is None


def test_a_street_whose_share_is_reserved_is_not_named(
    client: Client, spot: Spot, cheap: Zone
) -> None:
    cast.a_spot(cheap, "1207", metres_east=100)
    later = {"at": "14:00"}
    StayRules.objects.filter(zone=cheap).update(reservable_percent=100)
    assert cheaper_on(client, spot, **later) == "1207"
    StayRules.objects.filter(zone=cheap).update(reservable_percent=0)
    assert cheaper_on(client, spot, **later) is None


def test_only_spots_with_the_same_features_suit(client: Client, spot: Spot, cheap: Zone) -> None:
    cast.a_spot(cheap, "BAY", metres_east=50, features=["accessible"])
    assert cheaper_on(client, spot) is None
    bay = cast.a_spot(spot.zone, "K-2", features=["accessible"])
    cast.a_spot(cheap, "PLAIN", metres_east=10)
    assert cheaper_on(client, bay) == "BAY"


def test_the_vehicle_is_priced_as_each_zone_does(client: Client, cheap: Zone) -> None:
    spot = cast.a_spot(cast.a_zone("green", tariff=HALF_FOR_ELECTRIC))
    cast.a_spot(cheap, "1207", metres_east=100)
    assert cheaper_on(client, spot) == "1207"
    assert cheaper_on(client, spot, vehicle_class="electric") is None
    response = page_of(client, spot)
    assert "vehicle_class=electric" not in response.context["stay_query"]


def test_a_taken_spot_shows_alternatives_and_marks_the_cheapest(
    client: Client, spot: Spot, cheap: Zone
) -> None:
    cast.a_spot(spot.zone, "SAME", metres_east=10)
    cast.a_spot(cheap, "1207", metres_east=100)
    cast.a_hold(spot)
    response = page_of(client, spot)
    assert response.context["advice"] is None
    text = text_of(response).replace("\xa0", " ")
    assert "1.00 € Cheapest" in text
    assert "2.00 € Cheapest" not in text


def test_where_all_cost_the_same_none_is_marked(client: Client, spot: Spot) -> None:
    cast.a_spot(spot.zone, "K-2", metres_east=10)
    cast.a_hold(spot)
    assert "Cheapest" not in text_of(page_of(client, spot))


def test_many_spots_take_no_more_queries_than_one(client: Client, spot: Spot, cheap: Zone) -> None:
    cast.a_spot(cheap, "0", metres_east=100)
    page_of(client, spot)  # tariffs are read once for each process
    with CaptureQueriesContext(connection) as few:
        page_of(client, spot)
    for number in range(1, 20):
        cast.a_spot(cheap, str(number), metres_east=100 + number)
    with CaptureQueriesContext(connection) as many:
        page_of(client, spot)
    assert len(few) == len(many) <= 8
