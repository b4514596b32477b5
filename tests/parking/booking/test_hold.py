"""A hold claims one spot for ten minutes at a frozen price."""

import pytest
from django.db import IntegrityError
from psycopg import errors

from parking import booking, locking, refusals
from parking.models import Booking, BookingEvent, Slot, SlotState, Spot, Zone
from parking.terms import NotPriced, SpotUnknown, StayRefused
from tests import cast


def test_a_hold_freezes_price_tariff_and_deadline(spot: Spot) -> None:
    slot = cast.a_hold(spot, minutes=90)

    assert slot.state == SlotState.HELD
    assert (slot.amount, slot.currency) == (300, "EUR")
    assert slot.tariff.zone == spot.zone
    assert slot.quote["total"] == 300
    assert sum(line["amount"] for line in slot.quote["lines"]) == 300
    assert slot.held_until == cast.at(10)
    assert slot.booking.plate == "ABC123"


@pytest.mark.parametrize(("start", "minutes"), [(0, 60), (30, 60), (-0, 30), (30, 15)])
def test_a_second_hold_that_shares_a_moment_is_refused(
    spot: Spot, start: int, minutes: int
) -> None:
    cast.a_hold(spot, minutes=60)

    with pytest.raises(refusals.SpotTaken):
        cast.a_hold(spot, cast.at(start), minutes=minutes)

    assert Slot.objects.count() == 1
    assert Booking.objects.count() == 1, "the refused booking left a row behind"


def test_holds_that_only_touch_are_both_accepted(spot: Spot) -> None:
    cast.a_hold(spot, minutes=60)
    after = cast.a_hold(spot, cast.at(60), minutes=60)
    assert after.state == SlotState.HELD


def test_the_same_time_on_the_next_spot_is_free(spot: Spot, zone: Zone) -> None:
    cast.a_hold(spot)
    assert cast.a_hold(cast.a_spot(zone, "K-2")).state == SlotState.HELD


def test_a_stay_that_costs_nothing_is_confirmed_with_its_reason(db: None) -> None:
    spot = cast.a_spot(cast.a_zone(tariff=cast.FREE_OF_CHARGE))
    slot = cast.a_hold(spot)
    assert (slot.state, slot.amount) == (SlotState.CONFIRMED, 0)
    assert slot.free_reason == booking.FREE_BY_TARIFF
    assert slot.confirmed_at == cast.NOW


def test_a_spot_out_of_use_is_unknown(spot: Spot) -> None:
    Spot.objects.update(is_active=False)
    with pytest.raises(SpotUnknown):
        cast.a_hold(spot)


def test_a_zone_out_of_use_has_no_spots(spot: Spot) -> None:
    Zone.objects.update(is_active=False)
    with pytest.raises(SpotUnknown):
        cast.a_hold(spot)


def test_a_zone_without_a_tariff_sells_nothing(db: None) -> None:
    zone = cast.a_zone(approved=False)
    with pytest.raises(NotPriced):
        cast.a_hold(cast.a_spot(zone))
    assert not Booking.objects.exists()


def test_all_broken_rules_are_said_at_once(spot: Spot) -> None:
    with pytest.raises(StayRefused) as refusal:
        cast.a_hold(spot, cast.at(-121), minutes=1000)
    assert {failure.rule for failure in refusal.value.failures} == {
        "starts_on_the_grid",
        "ends_on_the_grid",
        "not_in_the_past",
        "not_too_long",
    }


def test_a_period_that_runs_backwards_is_refused_not_a_database_error(spot: Spot) -> None:
    with pytest.raises(StayRefused):
        cast.a_hold(spot, cast.at(60), minutes=-30)


def test_the_database_refuses_what_the_code_would_let_through(spot: Spot) -> None:
    slot = cast.a_hold(spot)
    other = Booking.objects.get(id=slot.booking_id)
    other.pk, other.reference = None, "2B3C4D5F"
    other.save(force_insert=True)
    slot.pk, slot.booking = None, other
    with pytest.raises(IntegrityError) as refusal:
        slot.save(force_insert=True)
    assert isinstance(refusal.value.__cause__, errors.ExclusionViolation)


def test_the_history_cannot_be_rewritten(spot: Spot) -> None:
    slot = locking.lock_slot(cast.a_hold(spot).pk)
    booking.begin_expiry(slot=slot, now=cast.at(1), actor="citizen")
    event = BookingEvent.objects.get()
    event.actor = "somebody else"
    with pytest.raises(Exception, match="append-only"):
        event.save()
