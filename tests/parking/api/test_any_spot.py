"""Programs book any spot of a zone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from parking.models import Slot, Zone
from tests import cast

pytestmark = pytest.mark.django_db


def ask(client: Client, **wanted: Any) -> Any:
    start = cast.soon() + timedelta(hours=2)
    body = {
        "from": start.isoformat(),
        "to": (start + timedelta(hours=1)).isoformat(),
        "vehicle": "ABC 123",
        "email": "guest@example.org",
        **wanted,
    }
    return client.post("/api/v1/bookings/", body, content_type="application/json")


@pytest.fixture
def zone() -> Zone:
    zone = cast.a_zone()
    for number in range(3):
        cast.a_spot(zone, f"K-{number}", metres_east=100 * number)
    return zone


def test_the_nearest_free_spot_of_the_zone_is_held(client: Client, zone: Zone) -> None:
    near = f"{24.935 + 200 / 55_500},60.168"
    numbers = [
        ask(client, zone="kamppi", near=near).json()["spot"]["number"] for _attempt in range(3)
    ]
    assert numbers == ["K-2", "K-1", "K-0"]
    answer = ask(client, zone="kamppi", near=near)
    assert (answer.status_code, answer.json()["type"][-12:]) == (409, "nothing-free")
    assert Slot.objects.count() == 3


def test_features_are_kept_to(client: Client, zone: Zone) -> None:
    zone.spots.filter(number="K-1").update(features=["ev"])
    assert ask(client, zone="kamppi", features="ev").json()["spot"]["number"] == "K-1"
    assert ask(client, zone="kamppi", features="ev").status_code == 409


@pytest.mark.parametrize(
    ("wanted", "status", "field"),
    [
        ({}, 400, "spot"),
        ({"spot": 1, "zone": "kamppi"}, 400, "spot"),
        ({"zone": "kamppi", "near": "here"}, 400, "near"),
        ({"zone": "kamppi", "near": "200,0"}, 400, "near"),
        ({"zone": "kamppi", "near": "nan,0"}, 400, "near"),
        ({"zone": "kamppi", "near": "1,2,3"}, 400, "near"),
        ({"zone": "kamppi", "features": "pool"}, 400, "features"),
        ({"zone": "nowhere"}, 404, None),
    ],
)
def test_bad_wishes_are_told_by_field_and_hold_nothing(
    client: Client, zone: Zone, wanted: dict[str, Any], status: int, field: str | None
) -> None:
    answer = ask(client, **wanted)
    assert answer.status_code == status, answer.content
    if field:
        assert list(answer.json()["errors"]) == [field]
    assert not Slot.objects.exists()


def test_the_same_key_holds_one_spot(client: Client, zone: Zone) -> None:
    start = (cast.soon() + timedelta(hours=2)).isoformat()
    body = {
        "from": start,
        "to": (cast.soon() + timedelta(hours=3)).isoformat(),
        "vehicle": "ABC123",
        "email": "guest@example.org",
        "zone": "kamppi",
    }
    answers = [
        client.post(
            "/api/v1/bookings/",
            body,
            content_type="application/json",
            headers={"Idempotency-Key": "once"},
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["reference"] == answers[1].json()["reference"]
    assert Slot.objects.count() == 1
