"""Rules that count what others hold: asked of the database, whole, for one stay."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from pytest_django import DjangoAssertNumQueries

from parking import availability, booking, locking, refusals, terms
from parking.models import Booking, Closure, Slot, SlotState, Spot, StayRules, Zone
from tests import cast

pytestmark = pytest.mark.django_db


def refused(spot: Spot, start: float = 0, minutes: int = 60, **fields: Any) -> list[str]:
    before = Booking.objects.count()
    with pytest.raises(terms.StayRefused) as refusal:
        cast.a_hold(spot, cast.at(start), minutes, **fields)
    assert Booking.objects.count() == before, "the refused booking left a row behind"
    return [failure.rule for failure in refusal.value.failures]


def two_spots(**rules: Any) -> tuple[Spot, Spot]:
    zone = cast.a_zone(**rules)
    return cast.a_spot(zone, "K-1"), cast.a_spot(zone, "K-2")


def end(slot: Slot) -> None:
    """Give a hold back as the sweeper does."""
    locked = locking.lock_slot(slot.pk)
    booking.begin_expiry(slot=locked, now=cast.at(1), actor="clock")
    booking.release(slot=locked, now=cast.at(1), actor="clock")


def test_a_vehicle_may_not_come_back_to_any_spot_of_the_zone() -> None:
    first, second = two_spots(no_return_min=60)
    cast.a_hold(first)
    assert refused(second, 60) == ["no_return"]
    assert cast.a_hold(second, cast.at(120)).state == SlotState.HELD
    assert cast.a_hold(second, cast.at(0), plate="XYZ987").state == SlotState.HELD


def test_another_zone_does_not_count() -> None:
    first, _second = two_spots(no_return_min=60, most_stays_ahead=1)
    cast.a_hold(cast.a_spot(cast.a_zone("other")))
    assert cast.a_hold(first).state == SlotState.HELD


def test_a_stay_that_was_given_back_does_not_count() -> None:
    first, second = two_spots(no_return_min=60, most_stays_ahead=1)
    end(cast.a_hold(first))
    assert cast.a_hold(second, cast.at(60)).state == SlotState.HELD


def test_a_vehicle_has_its_share_and_no_more() -> None:
    first, second = two_spots(most_stays_ahead=2)
    cast.a_hold(first)
    cast.a_hold(second, cast.at(60))
    assert refused(first, 240) == ["fair_share"]
    assert cast.a_hold(first, cast.at(240), plate="XYZ987").state == SlotState.HELD


def test_only_a_share_of_the_street_is_reserved_in_advance() -> None:
    first, second = two_spots(reservable_percent=50, walk_up_min=15)
    cast.a_hold(first, cast.at(60))
    assert refused(second, 60, plate="XYZ987") == ["reservable_share"]
    assert cast.a_hold(second, cast.at(15), 60).state == SlotState.HELD, "whoever comes now may"


def test_a_walk_up_takes_nothing_of_the_share() -> None:
    first, second = two_spots(reservable_percent=50, walk_up_min=15)
    cast.a_hold(first, cast.at(15), 120)
    assert cast.a_hold(second, cast.at(60), plate="XYZ987").state == SlotState.HELD


def test_another_street_has_a_share_of_its_own() -> None:
    first, second = two_spots(reservable_percent=50)
    Spot.objects.filter(pk=second.pk).update(street="Bulevardi")
    assert refused(second, 60) == ["reservable_share"], "half of one spot is none"
    cast.a_spot(second.zone, "K-3")
    cast.a_hold(first, cast.at(60))
    cast.a_spot(second.zone, "B-2", is_active=True)
    Spot.objects.filter(number="B-2").update(street="Bulevardi")
    assert cast.a_hold(second, cast.at(60), plate="XYZ987").state == SlotState.HELD


def test_a_booking_does_not_stand_in_its_own_way() -> None:
    first, second = two_spots(no_return_min=60, most_stays_ahead=1, reservable_percent=50)
    slot = cast.a_hold(first, cast.at(60))
    wanted = {
        "spot_id": second.pk,
        "start": cast.at(90),
        "end": cast.at(150),
        "now": cast.NOW,
        "plate": "ABC123",
    }
    with pytest.raises(terms.StayRefused):
        terms.terms(**wanted)
    assert terms.terms(**wanted, booking_id=slot.booking_id).quote.total == 200


def test_without_a_plate_the_vehicle_is_not_asked_for() -> None:
    first, second = two_spots(no_return_min=60, most_stays_ahead=1)
    cast.a_hold(first)
    wanted = {"spot_id": second.pk, "start": cast.at(60), "end": cast.at(90), "now": cast.NOW}
    assert terms.terms(**wanted).quote.total == 100


def test_an_extension_is_the_stay_it_extends() -> None:
    first, _second = two_spots(most_stays_ahead=2)
    slot = cast.a_hold(first)
    slot.pk, slot.period = None, DateTimeTZRange(cast.at(60), cast.at(90))
    slot.save(force_insert=True)
    assert cast.a_hold(first, cast.at(240)).state == SlotState.HELD


def test_zones_without_such_rules_pay_one_round_trip(
    spot: Spot, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    cast.a_hold(spot)  # meets the zone
    with django_assert_num_queries(1 + 2):  # and the savepoint of the test's own transaction
        cast.a_hold(spot, cast.at(60))


@pytest.mark.parametrize(
    ("start", "minutes", "free"),
    [
        (60, 60, False),
        (70, 60, False),
        (75, 60, True),
        (-75, 60, True),
        (-70, 60, False),
        (-60, 60, False),
    ],
)
def test_a_buffer_keeps_minutes_free_on_both_sides(start: int, minutes: int, free: bool) -> None:
    spot, other = two_spots(buffer_min=15)
    cast.a_hold(spot)
    period = {"start": cast.at(start), "end": cast.at(start + minutes)}
    assert availability.is_free(spot_id=spot.pk, **period) is free
    assert availability.is_free(spot_id=other.pk, **period)
    near = availability.nearest_free(spot_id=other.pk, **period)
    assert (spot.pk in [found.id for found in near]) is free
    assert (spot.pk in availability.busy_spot_ids(bbox=(24, 60, 25, 61), **period)) is not free
    if free:
        cast.a_hold(spot, cast.at(start), minutes, now=cast.at(-80))
    else:
        with pytest.raises(refusals.SpotTaken):
            cast.a_hold(spot, cast.at(start), minutes, now=cast.at(-80))


@pytest.mark.parametrize(("start", "free"), [(60, True), (-60, False), (-75, True)])
def test_a_stay_from_before_the_rule_is_followed_but_not_crowded(start: int, free: bool) -> None:
    """Nothing was kept free after it when it was held; what comes before it keeps its own."""
    spot, _other = two_spots()
    cast.a_hold(spot)
    StayRules.objects.update(buffer_min=15)
    period = {"start": cast.at(start), "end": cast.at(start + 60)}
    assert availability.is_free(spot_id=spot.pk, **period) is free
    if free:
        assert cast.a_hold(spot, cast.at(start), now=cast.at(-80)).claim is not None
    else:
        with pytest.raises(refusals.SpotTaken):
            cast.a_hold(spot, cast.at(start), now=cast.at(-80))


def test_once_the_rule_is_gone_stays_touch_again() -> None:
    spot, _other = two_spots(buffer_min=15)
    cast.a_hold(spot)
    StayRules.objects.update(buffer_min=0)
    assert availability.is_free(spot_id=spot.pk, start=cast.at(60), end=cast.at(120))
    assert cast.a_hold(spot, cast.at(60)).claim is None


def test_slots_of_one_booking_touch_within_the_buffer() -> None:
    spot, _other = two_spots(buffer_min=15)
    slot = cast.a_hold(spot)
    slot.pk = None
    slot.period = DateTimeTZRange(cast.at(60), cast.at(90))
    slot.claim = DateTimeTZRange(cast.at(60), cast.at(105))
    slot.save(force_insert=True)
    assert Slot.objects.live().count() == 2
    with pytest.raises(refusals.SpotTaken):
        cast.a_hold(spot, cast.at(95))


@pytest.mark.parametrize("where", ["zone", "street", "spot"])
def test_an_event_closes_or_shortens_where_it_is(where: str, zone: Zone) -> None:
    inside, outside = cast.a_spot(zone, "K-1"), cast.a_spot(zone, "K-2")
    Spot.objects.filter(pk=outside.pk).update(street="Bulevardi")
    event = Closure.objects.create(
        zone=zone,
        street="Fredrikinkatu" if where == "street" else "",
        spot=inside if where == "spot" else None,
        period=(cast.at(30), cast.at(90)),
        kind="event",
        reason="Street market",
        longest_stay_min=30,
    )
    assert refused(inside) == ["not_too_long_for_event"]
    assert not availability.is_free(spot_id=inside.pk, start=cast.at(0), end=cast.at(60))
    assert availability.is_free(spot_id=inside.pk, start=cast.at(30), end=cast.at(60))
    elsewhere = availability.is_free(spot_id=outside.pk, start=cast.at(0), end=cast.at(60))
    assert elsewhere is (where != "zone")
    assert cast.a_hold(inside, cast.at(30), 30).state == SlotState.HELD
    Closure.objects.filter(pk=event.pk).update(longest_stay_min=None)
    assert refused(inside, 60, 30) == ["not_closed"]
    if where == "zone":
        assert refused(outside) == ["not_closed"]
    else:
        assert cast.a_hold(outside).state == SlotState.HELD
