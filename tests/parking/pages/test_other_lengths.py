"""A spot's page says which longer stay costs the same, and which shorter one much less."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from parking.models import Closure, Spot
from tests import cast
from tests.cast import TWO_EURO_AN_HOUR
from tests.parking.pages.conftest import text_of

pytestmark = pytest.mark.django_db

STAY = {"on": "2026-03-03", "at": "10:00", "length": "65"}
BY_THE_HOUR = {**TWO_EURO_AN_HOUR, "increment": {"minutes": 60}}
DAYTIME = {
    **TWO_EURO_AN_HOUR,
    "bands": [{**TWO_EURO_AN_HOUR["bands"][0], "from": "09:00", "to": "21:00"}],
}


def text(client: Client, spot: Spot, **query: Any) -> str:
    response = client.get(f"/spots/{spot.pk}/", {**STAY, **query})
    assert response.status_code == 200
    return text_of(response).replace("\xa0", " ")


def a_spot(tariff: dict[str, Any] | None = None, **rules: Any) -> Spot:
    return cast.a_spot(cast.a_zone(tariff=tariff or BY_THE_HOUR, **rules))


def test_a_begun_step_says_what_is_left_of_it_and_what_it_costs(client: Client) -> None:
    spot = a_spot()
    said = text(client, spot)
    assert "Until 12:00 it costs the same. Stay until 12:00" in said
    assert "5 min shorter costs 2.00 € less. Stay until 11:00" in said
    page = client.get(f"/spots/{spot.pk}/", STAY).content.decode()
    assert f'href="/spots/{spot.pk}/?on=2026-03-03&amp;at=10%3A00&amp;length=120"' in page
    chosen = text(client, spot, length="120")
    assert "To pay 4.00 €" in chosen
    assert "it costs the same" not in chosen
    assert "less" not in chosen


def test_where_every_minute_counts_nothing_is_said(client: Client, spot: Spot) -> None:
    assert client.get(f"/spots/{spot.pk}/", STAY).context["advice"].ends == []


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"longest_stay_min": 90}, "Until 11:30 it costs the same."),
        ({"bookable_from": "08:00", "bookable_to": "11:40"}, "Until 11:40 it costs the same."),
        ({"longest_stay_min": 65}, None),
    ],
)
def test_the_rules_of_the_zone_are_kept(
    client: Client, rules: dict[str, Any], said: str | None
) -> None:
    page = text(client, a_spot(**rules))
    assert said in page if said else "it costs the same" not in page


def test_the_next_booking_ends_it(client: Client) -> None:
    spot = a_spot()
    cast.a_hold(spot, cast.at(90))
    assert "Until 11:30 it costs the same." in text(client, spot)
    cast.a_hold(spot, cast.at(65), minutes=20)
    assert "it costs the same" not in text(client, spot)


def test_the_minutes_between_bookings_stay_free(client: Client) -> None:
    spot = a_spot(buffer_min=10)
    cast.a_hold(spot, cast.at(90))
    assert "Until 11:20 it costs the same." in text(client, spot)


@pytest.mark.parametrize(
    ("closure", "said"),
    [
        ({"reason": "works"}, "Until 11:30 it costs the same."),
        (
            {"reason": "fair", "kind": "event", "longest_stay_min": 100},
            "Until 11:40 it costs the same.",
        ),
        (
            {"reason": "fair", "kind": "event", "longest_stay_min": 30},
            "Until 11:30 it costs the same.",
        ),
        (
            {"reason": "fair", "kind": "event", "longest_stay_min": 200},
            "Until 12:00 it costs the same.",
        ),
        ({"reason": "works", "street": "Bulevardi"}, "Until 12:00 it costs the same."),
    ],
)
def test_closures_and_events_end_it(client: Client, closure: dict[str, Any], said: str) -> None:
    spot = a_spot()
    Closure.objects.create(zone=spot.zone, period=(cast.at(90), cast.at(200)), **closure)
    assert said in text(client, spot)


def test_whatever_is_proposed_can_be_had(client: Client) -> None:
    spot = a_spot(buffer_min=10)
    Closure.objects.create(
        zone=spot.zone,
        period=(cast.at(80), cast.at(200)),
        reason="fair",
        kind="event",
        longest_stay_min=95,
    )
    (same, shorter) = client.get(f"/spots/{spot.pk}/", STAY).context["advice"].ends
    for proposed in (same, shorter):
        chosen = client.get(f"/spots/{spot.pk}/?{proposed.query}")
        assert chosen.context["quote"] is not None
        assert not chosen.context["is_taken"]


def test_a_taken_spot_has_no_such_advice(client: Client) -> None:
    spot = a_spot()
    cast.a_hold(spot)
    assert "it costs the same" not in text(client, spot)


def test_the_end_of_the_charge_is_said_when_it_is_near(client: Client) -> None:
    spot = a_spot(DAYTIME)
    assert "From 21:00 there is no charge." in text(client, spot, at="19:00")
    assert "there is no charge" not in text(client, spot, at="18:00")
    late = text(client, spot, at="20:30")
    assert "there is no charge" not in late
    assert "it costs the same. Stay until Wed 4 March 2026, 00:30" in late


@pytest.mark.parametrize(
    ("keys", "length", "said"),
    [
        ({"free_if_leq_min": 15}, "60", "Stays of up to 15 min cost nothing."),
        ({"cap_per_local_day": 300}, "90", "You pay at most 3.00 € a day here."),
        ({"cap_per_local_day": 300}, "30", None),
        ({"max_charge": 300}, "90", "You pay at most 3.00 € for a stay here."),
        ({"cap_per_local_day": 300}, "120", None),
    ],
)
def test_free_minutes_and_highest_prices_are_said_plainly(
    client: Client, keys: dict[str, Any], length: str, said: str | None
) -> None:
    page = text(client, a_spot({**TWO_EURO_AN_HOUR, **keys}), length=length)
    assert said in page if said else "You pay at most" not in page


def test_free_minutes_in_the_lines_are_not_said_twice(client: Client) -> None:
    page = text(client, a_spot({**TWO_EURO_AN_HOUR, "free_first_min": 15}))
    assert page.count("15 min cost nothing") == 1


def test_advice_takes_one_query(client: Client) -> None:
    spot = a_spot()
    client.get(f"/spots/{spot.pk}/", STAY)
    with CaptureQueriesContext(connection) as with_advice:
        client.get(f"/spots/{spot.pk}/", STAY)
    with CaptureQueriesContext(connection) as without:
        client.get(f"/spots/{spot.pk}/", {**STAY, "length": "120"})
    assert len(with_advice) == len(without) + 1 == 7


def test_a_form_that_was_refused_is_not_led_away_from(client: Client) -> None:
    spot = a_spot()
    response = client.post(f"/spots/{spot.pk}/hold/", {**STAY, "plate": "", "email": "x"})
    assert response.status_code == 400
    assert "10:00–11:05" in text_of(response)
    assert "it costs the same" not in text_of(response)
