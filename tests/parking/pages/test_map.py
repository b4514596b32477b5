"""The map's layers are kept by the browser; what is busy is asked each time."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.gis.geos import LineString, MultiLineString
from django.test import Client

from parking import map_layer
from parking.models import Spot, Street, Zone
from tests import cast

EVERYWHERE = "24.9,60.1,25.0,60.2"
PERIOD = {"from": "2026-03-03T08:00:00Z", "to": "2026-03-03T09:00:00Z"}


def busy(client: Client, **query: str) -> list[int]:
    response = client.get("/map/busy.json", {"bbox": EVERYWHERE, **PERIOD, **query})
    assert response.status_code == 200
    return response.json()["busy"]


def test_columns_hold_every_spot_in_use(client: Client, zone: Zone) -> None:
    spot = cast.a_spot(zone, "K-1", features=["accessible", "loading"], bearing=90)
    cast.a_spot(zone, "K-2", is_active=False)
    layer = client.get("/map/spots.json").json()
    assert layer["id"] == [spot.pk]
    assert (layer["lon"], layer["lat"]) == ([24_935_000], [60_168_000])
    assert layer["number"] == ["K-1"]
    assert [layer["streets"][place] for place in layer["street"]] == ["Fredrikinkatu"]
    names = [
        name for bit, name in enumerate(layer["feature_names"]) if layer["features"][0] >> bit & 1
    ]
    assert names == ["accessible", "loading"]
    assert len({len(layer[column]) for column in ("id", "lon", "lat", "zone", "bearing")}) == 1


def test_an_empty_city_has_an_empty_layer(client: Client, db: None) -> None:
    assert client.get("/map/spots.json").json()["id"] == []
    assert client.get("/map/streets.json").json() == {"zones": [], "streets": []}


@pytest.mark.parametrize("address", ["/map/spots.json", "/map/streets.json"])
def test_an_unchanged_layer_costs_one_query_and_no_body(
    client: Client, spot: Spot, address: str, django_assert_num_queries: Any
) -> None:
    etag = client.get(address)["ETag"]
    with django_assert_num_queries(1):
        again = client.get(address, headers={"If-None-Match": etag})
    assert again.status_code == 304
    assert again.content == b""
    assert again["ETag"] == etag


def test_an_address_with_the_version_is_kept_for_good_and_any_other_is_asked_again(
    client: Client, spot: Spot
) -> None:
    version = map_layer.spots_version()
    assert "immutable" in client.get("/map/spots.json", {"v": version})["Cache-Control"]
    assert "no-cache" in client.get("/map/spots.json", {"v": "old"})["Cache-Control"]


def test_every_change_of_a_spot_is_a_new_version(zone: Zone) -> None:
    spot = cast.a_spot(zone)
    versions = {map_layer.spots_version()}
    other = cast.a_spot(zone, "K-2")
    versions.add(map_layer.spots_version())
    other.is_active = False
    other.save()
    versions.add(map_layer.spots_version())
    spot.delete()
    versions.add(map_layer.spots_version())
    Zone.objects.update(is_active=False)
    other.delete()
    versions.add(map_layer.spots_version())
    assert len(versions) == 5


def test_zones_and_streets_are_drawn(client: Client, zone: Zone) -> None:
    line = MultiLineString(LineString((24.93, 60.16), (24.94, 60.17)))
    Street.objects.create(name="Bulevardi", geometry=line, width_m=18)
    before = map_layer.ground_version()
    ground = client.get("/map/streets.json").json()
    assert ground["streets"] == [
        {"name": "Bulevardi", "width": 18, "lines": [[[24.93, 60.16], [24.94, 60.17]]]}
    ]
    drawn = ground["zones"][0]
    assert (drawn["id"], drawn["code"], drawn["name"]) == (zone.pk, "kamppi", "Kamppi")
    assert len(drawn["polygons"][0][0]) == 5
    assert 24.92 < drawn["at"][0] < 24.95
    Street.objects.update(width_m=19)
    assert map_layer.ground_version() != before


def test_busy_names_the_taken_spots_in_view(client: Client, zone: Zone) -> None:
    taken = cast.a_spot(zone, "K-1")
    cast.a_spot(zone, "K-2")
    cast.a_hold(taken)
    assert busy(client) == [taken.pk]
    assert busy(client, bbox="25.0,60.0,25.1,60.1") == []
    assert busy(client, **{"from": "2026-03-03T09:00:00Z", "to": "2026-03-03T10:00:00Z"}) == []


@pytest.mark.parametrize("address", ["/map/busy.json", "/api/v1/spots/"])
def test_an_unchanged_answer_is_not_sent_again(client: Client, zone: Zone, address: str) -> None:
    taken = cast.a_spot(zone)
    question = {"bbox": EVERYWHERE, **PERIOD}
    etag = client.get(address, question)["ETag"]
    again = client.get(address, question, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    cast.a_hold(taken)
    changed = client.get(address, question, headers={"If-None-Match": etag})
    assert (changed.status_code, changed["ETag"] != etag) == (200, True)


def test_busy_says_nothing_of_who(client: Client, spot: Spot) -> None:
    slot = cast.a_hold(spot)
    body = client.get("/map/busy.json", {"bbox": EVERYWHERE, **PERIOD}).content.decode()
    assert slot.booking.plate not in body
    assert slot.booking.reference not in body


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"bbox": ""}, "bbox"),
        ({"bbox": "1,2,3,4,5"}, "bbox"),
        ({"bbox": "24,60,24,61"}, "bbox"),
        ({"from": ""}, "from"),
        ({"from": "2026-03-03T08:00:00"}, "from"),
        ({"from": "soon"}, "from"),
        ({"from": "0001-01-01T00:00:00Z"}, "from"),
        ({"from": "2026-03-03T08:00:00Z\x00"}, "from"),
        ({"to": "2026-03-03T08:00:00Z"}, "to"),
        ({"to": "2026-05-03T08:00:00Z"}, "to"),
        ({"to": "9999-12-31T23:59:59-23:59"}, "to"),
    ],
)
def test_a_bad_question_is_answered_with_its_field(
    client: Client, db: None, query: dict[str, str], field: str
) -> None:
    response = client.get("/map/busy.json", {"bbox": EVERYWHERE, **PERIOD, **query})
    assert response.status_code == 400
    assert list(response.json()["errors"]) == [field]


def test_only_reading_is_allowed(client: Client, db: None) -> None:
    for address in ("/map/spots.json", "/map/streets.json", "/map/busy.json"):
        assert client.post(address).status_code == 405
