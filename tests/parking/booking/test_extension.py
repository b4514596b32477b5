"""A stay can grow while it lasts, as far as the rules and the next booking let it."""

from datetime import timedelta

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from parking import booking, extension, locking, refusals
from parking.models import Booking, Closure, Slot, SlotState, Spot, StayRules
from parking.terms import StayRefused
from tests import cast

pytestmark = pytest.mark.django_db


def room(slot: Slot, minutes: float = 30) -> extension.Room:
    return extension.room(booking_id=slot.booking_id, now=cast.at(minutes))


def extend(slot: Slot, to: float, minutes: float = 30) -> Slot:
    return extension.extend(
        booking_id=slot.booking_id, to=cast.at(to), now=cast.at(minutes), actor="citizen"
    )


def test_an_extension_is_a_held_slot_that_goes_on_where_the_stay_ends(spot: Spot) -> None:
    [first] = cast.a_stay(spot, 60)
    longer = extend(first, 90)

    assert (longer.start, longer.end) == (cast.at(60), cast.at(90))
    assert (longer.state, longer.held_until) == (SlotState.HELD, cast.at(40))
    assert (longer.amount, longer.tariff_id) == (100, first.tariff_id)
    assert longer.quote["lines"][-1] == {"kind": "paid", "amount": -200}
    assert Booking.objects.count() == 1
    first.refresh_from_db()
    assert (first.state, first.end) == (SlotState.CONFIRMED, cast.at(60))


def test_the_page_knows_the_limits_before_anybody_pays(spot: Spot) -> None:
    StayRules.objects.update(longest_stay_min=120, slot_step_min=15)
    [first] = cast.a_stay(spot, 60)
    found = room(first)

    assert found.latest == cast.at(120)
    assert "longest stay" in found.limit
    assert [(choice.minutes, choice.quote.total) for choice in found.choices] == [
        (15, 50),
        (30, 100),
        (60, 200),
    ]


def test_the_next_booking_limits_it(spot: Spot) -> None:
    [first] = cast.a_stay(spot, 60)
    cast.a_hold(spot, cast.at(75), minutes=30)
    found = room(first)

    assert found.latest == cast.at(75)
    assert "Somebody else" in found.limit
    with pytest.raises(refusals.SpotTaken):
        extend(first, 80)
    assert extend(first, 75).amount == 50


def test_where_the_next_booking_follows_at_once_there_is_no_room(spot: Spot) -> None:
    [first] = cast.a_stay(spot, 60)
    cast.a_hold(spot, cast.at(60), minutes=30)
    found = room(first)

    assert (found.latest, found.choices) == (None, [])
    assert "Somebody else" in found.limit


def test_bookable_hours_and_closures_limit_it(spot: Spot) -> None:
    [first] = cast.a_stay(spot, 60)
    StayRules.objects.update(bookable_from="08:00", bookable_to="12:00")  # 10:00 is NOW
    assert room(first).latest == cast.at(120)
    Closure.objects.create(
        zone=spot.zone, period=DateTimeTZRange(cast.at(90), cast.at(500)), reason="Crane"
    )
    found = room(first)
    assert found.latest == cast.at(90)
    assert "Crane" in found.limit
    with pytest.raises(StayRefused, match="Crane"):
        extend(first, 95)


@pytest.mark.parametrize("to", [60, 45, 0, -60])
def test_an_end_that_is_not_later_is_refused(spot: Spot, to: float) -> None:
    [first] = cast.a_stay(spot, 60)
    with pytest.raises(StayRefused):
        extend(first, to)
    assert Slot.objects.count() == 1


def test_an_end_off_the_grid_is_refused(spot: Spot) -> None:
    [first] = cast.a_stay(spot, 60)
    with pytest.raises(StayRefused, match="steps of 5 minutes"):
        extend(first, 62)


def test_one_extension_at_a_time(spot: Spot) -> None:
    [first] = cast.a_stay(spot, 60)
    longer = extend(first, 90)
    with pytest.raises(refusals.ChangePending) as pending:
        extend(first, 120)
    assert pending.value.slot == longer
    with pytest.raises(refusals.ChangePending):
        room(first)


def test_a_stay_that_is_over_or_not_paid_cannot_grow(spot: Spot) -> None:
    held = cast.a_hold(spot, cast.at(600))
    with pytest.raises(refusals.NotBooked):
        room(held)
    [first] = cast.a_stay(spot, 60)
    with pytest.raises(refusals.NotBooked):
        extend(first, 90, minutes=60)
    cancelled = locking.lock_slot(first.pk)
    booking.cancel(slot=cancelled, now=cast.at(30), actor="citizen")
    with pytest.raises(refusals.NotBooked):
        extend(first, 90)


def test_the_frozen_tariff_prices_the_whole_stay() -> None:
    fee = {**cast.TWO_EURO_AN_HOUR, "fixed_fee": 30, "max_charge": 500}
    spot = cast.a_spot(cast.a_zone(tariff=fee, longest_stay_min=600))
    [first] = cast.a_stay(spot, 60)
    assert first.amount == 230
    begun = first.tariff.in_force.lower
    first.tariff.zone.tariffs.update(in_force=DateTimeTZRange(begun, cast.at(1)))

    assert extend(first, 90).amount == 100, "the fee is paid once"


def test_what_the_cap_covers_is_free_and_confirmed_at_once() -> None:
    capped = {**cast.TWO_EURO_AN_HOUR, "max_charge": 200}
    spot = cast.a_spot(cast.a_zone(tariff=capped))
    [first] = cast.a_stay(spot, 60)
    longer = extend(first, 180)

    assert (longer.amount, longer.state) == (0, SlotState.CONFIRMED)
    assert longer.free_reason
    assert room(first, 30).end == cast.at(180)


def test_a_ladder_ends_where_it_sells_no_more() -> None:
    ladder = {
        **{key: cast.TWO_EURO_AN_HOUR[key] for key in ("currency", "time_zone")},
        "ladder": [{"upto_min": 60, "total": 100}, {"upto_min": 90, "total": 300}],
    }
    spot = cast.a_spot(cast.a_zone(tariff=ladder))
    [first] = cast.a_stay(spot, 60)
    found = room(first)

    assert found.latest == cast.at(90)
    assert "longest stay sold" in found.limit
    with pytest.raises(StayRefused):
        extend(first, 95)


def test_asking_costs_the_same_number_of_queries_however_full_the_street(
    spot: Spot, django_assert_num_queries: object
) -> None:
    [first] = cast.a_stay(spot, 60)
    for number in range(10):
        cast.a_hold(spot, cast.at(100 + 30 * number), minutes=30)
    with django_assert_num_queries(4):
        room(first)


def test_after_the_end_of_the_present_stay_others_can_still_book(spot: Spot) -> None:
    [first] = cast.a_stay(spot, 60)
    extend(first, 90)
    assert cast.a_hold(spot, first.end + timedelta(minutes=30)).state == SlotState.HELD
    with pytest.raises(refusals.SpotTaken):
        cast.a_hold(spot, first.end)


def test_minutes_kept_free_before_the_next_booking_limit_it(spot: Spot) -> None:
    StayRules.objects.update(buffer_min=15)
    [first] = cast.a_stay(spot, 60)
    cast.a_hold(spot, cast.at(120), minutes=30)

    assert room(first).latest == cast.at(105)
    with pytest.raises(refusals.SpotTaken):
        extend(first, 110)
    longer = extend(first, 105)
    assert longer.claim.upper == cast.at(120), "the extension keeps free what the stay did"


def test_an_event_shortens_it(spot: Spot) -> None:
    [first] = cast.a_stay(spot, 60)
    Closure.objects.create(
        zone=spot.zone,
        period=DateTimeTZRange(cast.at(0), cast.at(500)),
        kind="event",
        reason="Street market",
        longest_stay_min=90,
    )
    found = room(first)
    assert found.latest == cast.at(90)
    assert "Street market" in found.limit


def test_the_vehicles_next_stay_in_the_zone_limits_it(spot: Spot) -> None:
    StayRules.objects.update(no_return_min=60)
    other = cast.a_spot(spot.zone, "K-2")
    [first] = cast.a_stay(spot, 60)
    cast.a_hold(other, cast.at(180), minutes=30)

    found = room(first)
    assert found.latest == cast.at(120)
    assert "next stay in this zone at 13:00" in found.limit
    with pytest.raises(StayRefused, match="must lie between"):
        extend(first, 125)


def test_a_closure_of_another_street_does_not_matter(spot: Spot) -> None:
    [first] = cast.a_stay(spot, 60)
    Closure.objects.create(
        zone=spot.zone,
        street="Elsewhere",
        period=DateTimeTZRange(cast.at(60), cast.at(500)),
        reason="Crane",
    )
    assert room(first).latest == cast.at(240)
