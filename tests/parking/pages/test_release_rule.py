"""Where a zone gives unused spots to others, every page says so before anybody books."""

from __future__ import annotations

import pytest
from django.test import Client

from parking.models import StayRules, Zone
from tests import cast
from tests.parking.pages.conftest import text_of
from tests.parking.sensors import Sensor

STAY = {"on": "2026-03-03", "at": "11:00", "length": "60"}
WORDS = "If nobody has parked by 11:15, the spot is given to others; unused time is refunded."


@pytest.fixture
def zone(db: None) -> Zone:
    """A zone that gives a spot to others after 15 minutes."""
    return cast.a_zone(release_after_min=15)


def shown(client: Client, address: str, **query: str) -> str:
    answer = client.get(address, {**STAY, **query})
    assert answer.status_code == 200
    return text_of(answer)


def test_a_spot_with_a_sensor_says_until_when_it_waits(zone: Zone, client: Client) -> None:
    page = f"/spots/{Sensor(zone).spot.pk}/"
    assert WORDS in shown(client, page)
    assert "nobody has parked" not in shown(client, page, length="15")
    StayRules.objects.update(refund_unused=False)
    assert WORDS.replace("is refunded", "is not refunded") in shown(client, page)


def test_a_spot_without_a_sensor_says_nothing(zone: Zone, client: Client) -> None:
    assert "nobody has parked" not in shown(client, f"/spots/{cast.a_spot(zone).pk}/")


def test_any_spot_says_that_it_depends_on_the_sensor(zone: Zone, client: Client) -> None:
    Sensor(zone)
    page = f"/zones/{zone.code}/any/"
    assert f"On a spot with a sensor: {WORDS}" in shown(client, page)
    assert "nobody has parked" not in shown(client, page, length="15")


def test_the_printed_prices_name_the_rule(zone: Zone, client: Client) -> None:
    page = f"/zones/{zone.code}/tariff/"
    words = "Where a spot's sensor has seen nobody 15 min after the start"
    assert words in text_of(client.get(page)).replace("’", "'").replace("\xa0", " ")
    StayRules.objects.update(release_after_min=None)
    assert "has seen nobody" not in text_of(client.get(page))
