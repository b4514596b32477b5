"""Changing a stay: another spot, another time, at the price of the whole new stay."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from parking import booking, changes, corrections, extension, locking, refund_policy, refusals
from parking.models import (
    Booking,
    BookingEvent,
    Light,
    MeterCommand,
    Slot,
    SlotKind,
    SlotState,
    Spot,
    StayRules,
    TariffState,
    TariffVersion,
    Zone,
)
from parking.pricing import Tariff
from parking.stays import Stay, stay_of
from parking.terms import SpotUnknown, StayRefused
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def other(spot: Spot) -> Spot:
    return cast.a_spot(spot.zone, "K-2", metres_east=6)


def change(slot: Slot, now: datetime, **wish: Any) -> Slot:
    """Make a change as the pages do, and pay for it where it costs something."""
    with refusals.contended(), transaction.atomic():
        agreed = changes.propose(booking_id=slot.booking_id, now=now, locked=True, **wish)
        made = changes.make(change=agreed, now=now, actor="citizen")
    return paid(made, now) if agreed.due else made


def paid(slot: Slot, now: datetime) -> Slot:
    with transaction.atomic():
        held = locking.lock_slot(slot.pk)
        booking.confirm(slot=held, now=now, actor="processor")
    return held


def supersede(zone: Zone, at: datetime, document: dict[str, Any]) -> TariffVersion:
    """End the zone's tariff at the moment, where the next one begins."""
    before = TariffVersion.objects.get()
    before.in_force = DateTimeTZRange(before.in_force.lower, at)
    before.save()
    return TariffVersion.objects.create(
        zone=zone,
        version=2,
        document=document,
        sha256=Tariff.parse(document).sha256,
        state=TariffState.APPROVED,
        in_force=DateTimeTZRange(at, None),
    )


def rules_broken(slot: Slot, now: datetime, **wish: Any) -> list[tuple[str, str]]:
    with pytest.raises(StayRefused) as refused:
        changes.propose(booking_id=slot.booking_id, now=now, **wish)
    return [(failure.rule, failure.field) for failure in refused.value.failures]


def stay(slot: Slot) -> Stay:
    return stay_of(locking.slots_of(slot.booking_id))


def test_another_spot_costs_nothing_and_frees_the_old_one(spot: Spot, other: Spot) -> None:
    (old,) = cast.a_stay(spot, 120, start=60)

    new = change(old, cast.at(5), spot_id=other.pk)

    old.refresh_from_db()
    assert (old.state, old.ended_at) == (SlotState.REPLACED, cast.at(5))
    assert (new.state, new.kind, new.amount) == (SlotState.CONFIRMED, SlotKind.CHANGE, 0)
    assert (new.spot, new.period, new.free_reason) == (other, old.period, changes.COVERED)
    assert stay(old).price == 200
    assert Booking.objects.get().spot == other
    cast.a_hold(spot, cast.at(60))  # the old place is free
    with pytest.raises(refusals.SpotTaken):
        cast.a_hold(other, cast.at(60))
    assert [event.kind for event in BookingEvent.objects.order_by("id")][:2] == [
        "confirmed",
        "changed",
    ]


def test_a_dearer_time_waits_for_its_money_while_the_old_stay_stands(spot: Spot) -> None:
    (old,) = cast.a_stay(spot, 120, start=60)
    wish = {"start": cast.at(90), "end": cast.at(180)}
    with transaction.atomic():
        agreed = changes.propose(booking_id=old.booking_id, now=cast.at(5), locked=True, **wish)
        new = changes.make(change=agreed, now=cast.at(5), actor="citizen")

    assert (agreed.due, agreed.refund) == (100, 0)
    assert (new.state, new.amount) == (SlotState.HELD, 100)
    assert stay(old).start == cast.at(60)
    assert stay(old).waiting == new
    with pytest.raises(refusals.SpotTaken):
        cast.a_hold(spot, cast.at(120))
    with pytest.raises(refusals.ChangePending):
        changes.propose(booking_id=old.booking_id, now=cast.at(6), end=cast.at(240))

    paid(new, cast.at(7))

    assert (stay(old).start, stay(old).end, stay(old).price) == (cast.at(90), cast.at(180), 300)
    cast.a_hold(spot, cast.at(60), minutes=30)


def test_a_change_that_nobody_pays_leaves_the_stay_as_it_was(spot: Spot) -> None:
    (old,) = cast.a_stay(spot, 120, start=60)
    with transaction.atomic():
        agreed = changes.propose(
            booking_id=old.booking_id, now=cast.at(5), locked=True, end=cast.at(180)
        )
        new = changes.make(change=agreed, now=cast.at(5), actor="citizen")
    with transaction.atomic():
        held = locking.lock_slot(new.pk)
        booking.begin_expiry(slot=held, now=cast.at(15), actor="clock")
        booking.release(slot=held, now=cast.at(15), actor="clock")

    old.refresh_from_db()
    assert old.state == SlotState.CONFIRMED
    assert (stay(old).end, stay(old).price, stay(old).waiting) == (cast.at(120), 200, None)
    # Meanwhile it was extended: late money for the change finds another stay, and goes back.
    with transaction.atomic():
        longer = extension.extend(
            booking_id=old.booking_id, to=cast.at(150), now=cast.at(16), actor="citizen"
        )
    paid(longer, cast.at(17))
    with pytest.raises(refusals.WrongState):
        paid(new, cast.at(18))
    assert stay(old).price == 300


def test_a_cheaper_time_gives_the_difference_back(spot: Spot) -> None:
    slots = cast.a_stay(spot, 120, 180, start=60)
    now = cast.at(30)

    agreed = changes.propose(booking_id=slots[0].booking_id, now=now, end=cast.at(90))
    assert (agreed.due, agreed.refund) == (0, 300)
    assert agreed.back == {slots[1].pk: 200, slots[0].pk: 100}, "the newest first"

    new = change(slots[0], now, end=cast.at(90))
    assert new.state == SlotState.CONFIRMED
    assert [slot.returned for slot in stay(new).slots] == [100, 200, 0]
    assert stay(new).price == 100
    assert refund_policy.due(stay=stay(new), now=cast.at(31)) == {
        slots[0].pk: 100,
        slots[1].pk: 0,
        new.pk: 0,
    }


def test_a_stay_that_runs_goes_on_elsewhere_from_this_minute(spot: Spot, other: Spot) -> None:
    (old,) = cast.a_stay(spot, 120)

    new = change(old, cast.at(30.5), spot_id=other.pk)

    assert (new.start, new.end, new.priced_from) == (cast.at(30), cast.at(120), cast.at(0))
    assert new.amount == 0
    assert (stay(new).start, stay(new).end, stay(new).price) == (cast.at(0), cast.at(120), 400)
    # What is used is used, on whichever spot.
    assert sum(refund_policy.due(stay=stay(new), now=cast.at(60)).values()) == 200
    with transaction.atomic():
        longer = extension.extend(
            booking_id=old.booking_id, to=cast.at(150), now=cast.at(60), actor="citizen"
        )
    assert (longer.amount, longer.spot) == (100, other)


def test_a_stay_that_runs_keeps_its_start_and_ends_in_the_future(spot: Spot) -> None:
    (old,) = cast.a_stay(spot, 120)
    assert rules_broken(old, cast.at(30), start=cast.at(60)) == [("has_begun", "from")]
    assert rules_broken(old, cast.at(30), end=cast.at(30)) == [("end_is_past", "to")]

    agreed = changes.propose(booking_id=old.booking_id, now=cast.at(30), end=cast.at(60))
    assert agreed.refund == 200
    StayRules.objects.update(refund_unused=False)
    agreed = changes.propose(booking_id=old.booking_id, now=cast.at(30), end=cast.at(60))
    assert agreed.refund == 0, "this zone keeps what was paid for time that has begun"
    agreed = changes.propose(booking_id=old.booking_id, now=cast.at(5), end=cast.at(60))
    assert agreed.refund == 200, "but for the grace"


@pytest.mark.parametrize(
    ("wish", "rule"),
    [
        ({}, "unchanged"),
        ({"start": cast.at(62)}, "starts_on_the_grid"),
        ({"end": cast.at(122)}, "ends_on_the_grid"),
        ({"end": cast.at(65)}, "not_too_short"),
        ({"end": cast.at(600)}, "not_too_long"),
        ({"start": cast.at(-60)}, "not_in_the_past"),
        ({"start": cast.at(20 * 1440), "end": cast.at(20 * 1440 + 60)}, "not_too_far_ahead"),
        ({"end": cast.at(125)}, "too_little_to_pay"),
    ],
)
def test_the_rules_of_the_zone_bind_a_change(
    spot: Spot, wish: dict[str, datetime], rule: str
) -> None:
    (old,) = cast.a_stay(spot, 120, start=60)
    assert rule in [name for name, _field in rules_broken(old, cast.at(1), **wish)]
    assert Slot.objects.count() == 1


def test_what_a_lead_time_asks_of_a_start_it_does_not_ask_of_a_spot(
    spot: Spot, other: Spot
) -> None:
    (old,) = cast.a_stay(spot, 120, start=60)
    StayRules.objects.update(lead_time_min=60)
    assert ("lead_time", "from") in rules_broken(old, cast.at(50), start=cast.at(65))
    assert changes.propose(booking_id=old.booking_id, now=cast.at(50), spot_id=other.pk).due == 0


def test_only_spots_of_the_zone_that_are_in_use_can_be_had(spot: Spot, other: Spot) -> None:
    far = cast.a_spot(cast.a_zone("ullanlinna"), "Z-1")
    (old,) = cast.a_stay(spot, 120, start=60)
    assert rules_broken(old, cast.at(1), spot_id=far.pk) == [("same_zone", "spot")]
    Spot.objects.filter(id=other.pk).update(is_active=False)
    with pytest.raises(SpotUnknown):
        changes.propose(booking_id=old.booking_id, now=cast.at(1), spot_id=other.pk)


def test_a_spot_that_others_have_is_refused_before_anybody_pays(spot: Spot, other: Spot) -> None:
    (old,) = cast.a_stay(spot, 120, start=60)
    cast.a_hold(other, cast.at(90))
    with pytest.raises(refusals.SpotTaken):
        changes.propose(booking_id=old.booking_id, now=cast.at(1), spot_id=other.pk)
    StayRules.objects.update(buffer_min=10)
    with pytest.raises(refusals.SpotTaken):
        changes.propose(
            booking_id=old.booking_id,
            now=cast.at(1),
            spot_id=other.pk,
            start=cast.at(15),
            end=cast.at(85),
        )


def test_the_tariff_stays_unless_the_stay_starts_at_another_time(
    spot: Spot, other: Spot, zone: Zone
) -> None:
    (old,) = cast.a_stay(spot, 120, start=60)
    dearer = supersede(zone, cast.at(70), cast.FOUR_EURO_AN_HOUR)

    moved = changes.propose(booking_id=old.booking_id, now=cast.at(1), spot_id=other.pk)
    assert (moved.due, moved.tariff_id) == (0, old.tariff_id)
    later = changes.propose(
        booking_id=old.booking_id, now=cast.at(1), start=cast.at(90), end=cast.at(150)
    )
    assert (later.due, later.tariff_id) == (200, dearer.pk)


def test_changes_count_among_the_corrections_of_a_person(spot: Spot, other: Spot) -> None:
    (old,) = cast.a_stay(spot, 120, start=60)
    for number in range(3):
        change(old, cast.at(number), spot_id=(other if number % 2 == 0 else spot).pk)
    with pytest.raises(corrections.TooOften):
        changes.propose(booking_id=old.booking_id, now=cast.at(9), spot_id=spot.pk)
    with pytest.raises(corrections.TooOften):
        corrections.correct_plate(
            booking_id=old.booking_id, plate="XYZ789", now=cast.at(9), actor="citizen"
        )
    forced = changes.propose(
        booking_id=old.booking_id, now=cast.at(9), spot_id=spot.pk, is_a_choice=False
    )
    assert forced.due == 0


def test_what_is_over_or_not_booked_cannot_be_changed(spot: Spot, other: Spot) -> None:
    held = cast.a_hold(spot)
    with pytest.raises(refusals.NotBooked):
        changes.propose(booking_id=held.booking_id, now=cast.at(1), spot_id=other.pk)
    (old,) = cast.a_stay(other, 180, start=120)
    with pytest.raises(refusals.NotBooked):
        changes.propose(booking_id=old.booking_id, now=cast.at(180), spot_id=spot.pk)


def test_both_lights_follow(zone: Zone) -> None:
    one, two = (
        cast.a_spot(zone, f"M-{n}", meter=cast.a_meter(zone, f"MTR-{n}"), position=1)
        for n in (1, 2)
    )
    (old,) = cast.a_stay(one, 120)
    before = MeterCommand.objects.count()

    change(old, cast.at(30), spot_id=two.pk)

    lights = dict(Light.objects.values_list("spot__number", "desired_light"))
    assert lights["M-2"] == "green"
    assert lights["M-1"] != "green"
    told = MeterCommand.objects.order_by("id")[before:].values_list("meter__serial", flat=True)
    assert set(told) == {"MTR-1", "MTR-2"}


def test_the_database_keeps_a_booking_in_one_place_at_a_time(spot: Spot, other: Spot) -> None:
    (old,) = cast.a_stay(spot, 120)
    old.pk, old.spot, old.kind, old.follows_id = None, other, SlotKind.CHANGE, old.pk
    with pytest.raises(IntegrityError, match="slot_one_place_at_a_time"):
        old.save(force_insert=True)


def test_the_database_gives_back_no_more_than_the_price(spot: Spot) -> None:
    (old,) = cast.a_stay(spot, 120)
    with pytest.raises(IntegrityError, match="slot_returned_of_its_price"):
        Slot.objects.filter(id=old.pk).update(returned=old.amount + 1)


def test_spots_are_locked_by_their_ids_however_many_the_city_has(spot: Spot) -> None:
    slot, other = cast.a_hold(spot), cast.a_spot(spot.zone, "K-9")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        asked = {"booking": slot.booking_id, "and_spot": other.pk}
        cursor.execute(f"EXPLAIN {locking._LOCK_SPOTS}", asked)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert plan.startswith("LockRows"), plan
    assert "Index Cond: (id = ANY" in plan, plan
