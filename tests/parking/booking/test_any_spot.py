"""Any free spot: the nearest that fits, and never one that is set aside for others."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.gis.geos import Point
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from parking.any_spot import NothingFree, hold_any
from parking.models import Closure, Slot, SlotState, StayRules, Zone
from parking.terms import SpotUnknown, StayRefused
from tests import cast

pytestmark = pytest.mark.django_db


def hold(zone: Zone, minutes: int = 60, start: int = 0, **fields: Any) -> Slot:
    wanted = {"plate": "ABC123", "email": "guest@example.org", **fields}
    return hold_any(
        zone_id=zone.pk, start=cast.at(start), end=cast.at(start + minutes), now=cast.NOW, **wanted
    )


@pytest.fixture
def zone() -> Zone:
    zone = cast.a_zone()
    for number in range(4):
        cast.a_spot(zone, f"K-{number}", metres_east=100 * number)
    return zone


def test_each_gets_another_spot_until_none_is_left(zone: Zone) -> None:
    slots = [hold(zone) for _ in range(4)]
    assert len({slot.spot_id for slot in slots}) == 4
    assert {slot.state for slot in slots} == {SlotState.HELD}
    with pytest.raises(NothingFree):
        hold(zone)
    assert hold(zone, start=60).state == SlotState.HELD, "later there is room"


def test_the_nearest_to_a_point_comes_first(zone: Zone) -> None:
    here = Point(24.935 + 205 / 55_500, 60.168, srid=4326)
    assert [hold(zone, near=here).spot.number for _ in range(4)] == ["K-2", "K-3", "K-1", "K-0"]


def test_a_bay_that_is_set_aside_goes_only_to_who_asks_for_it(zone: Zone) -> None:
    zone.spots.exclude(number="K-0").update(features=["accessible"])
    zone.spots.filter(number="K-3").update(features=["accessible", "ev"])

    assert hold(zone).spot.number == "K-0"
    with pytest.raises(NothingFree):
        hold(zone)
    assert hold(zone, features=["accessible", "ev"]).spot.number == "K-3"
    assert hold(zone, features=["accessible"]).spot.number in {"K-1", "K-2"}


def test_closed_and_unused_spots_are_not_handed_out(zone: Zone) -> None:
    spots = list(zone.spots.order_by("number"))
    for spot in spots[:2]:
        Closure.objects.create(
            zone=zone, spot=spot, period=DateTimeTZRange(cast.at(30), cast.at(40)), reason="Crane"
        )
    zone.spots.filter(pk=spots[2].pk).update(is_active=False)
    assert hold(zone).spot == spots[3]
    with pytest.raises(NothingFree):
        hold(zone)


def test_the_rules_are_asked_as_for_a_chosen_spot(zone: Zone) -> None:
    with pytest.raises(StayRefused, match="longest stay"):
        hold(zone, minutes=600)
    with pytest.raises(StayRefused, match="after the start"):
        hold(zone, minutes=-5)
    StayRules.objects.update(most_stays_ahead=1)
    hold(zone)
    with pytest.raises(StayRefused, match="1 stay running or to come"):
        hold(zone)
    assert hold(zone, plate="XYZ789").spot.number != "K-0"
    assert Slot.objects.count() == 2


def test_an_unknown_or_unused_zone_has_no_spots(zone: Zone) -> None:
    Zone.objects.update(is_active=False)
    with pytest.raises(SpotUnknown):
        hold(zone)
    with pytest.raises(SpotUnknown):
        hold_any(zone_id=0, start=cast.at(0), end=cast.at(60), now=cast.NOW)
