"""What goes back when a stay ends early; an extended stay is priced as one."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parking import locking, refund_policy
from parking.models import Slot, Spot, StayRules
from parking.pricing import Tariff, quote
from parking.stays import stay_of
from tests import cast

RISING = {
    **cast.TWO_EURO_AN_HOUR,
    "bands": [
        {
            **cast.TWO_EURO_AN_HOUR["bands"][0],
            "tiers": [{"upto_min": 60, "per_hour": 200}, {"per_hour": 600}],
        }
    ],
}


def due(slots: list[Slot], minutes: float) -> list[int]:
    fresh = locking.slots_of(slots[0].booking_id)
    back = refund_policy.due(stay=stay_of(fresh), now=cast.at(minutes))
    return [back[slot.pk] for slot in slots]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("minutes", "start", "refunded"),
    [
        (5, 60, 200),  # before the start
        (10, 0, 200),  # within ten minutes of booking
        (30, 0, 100),  # the second half is unused
        (30.5, 0, 96),  # a minute that has begun is used: 31 minutes cost 1.04
        (59, 0, 3),
        (60, 0, 0),
    ],
)
def test_unused_time_goes_back(spot: Spot, minutes: float, start: int, refunded: int) -> None:
    assert due(cast.a_stay(spot, start + 60, start=start), minutes) == [refunded]


@pytest.mark.django_db
def test_a_zone_may_keep_what_was_paid_but_for_the_grace(spot: Spot) -> None:
    StayRules.objects.update(refund_unused=False)
    slots = cast.a_stay(spot, 60)
    assert due(slots, 5) == [200]
    assert due(slots, 30) == [0]

    longer = cast.a_stay(spot, 160, 220, start=100)
    assert due(longer, 165) == [0, 200], "the extension was booked six minutes ago"
    assert due(longer, 175) == [0, 0]


@pytest.mark.django_db
def test_an_extended_stay_is_priced_as_one_stay() -> None:
    spot = cast.a_spot(cast.a_zone(tariff=RISING))
    slots = cast.a_stay(spot, 60, 120)
    assert [slot.amount for slot in slots] == [200, 600]

    # 90 of 120 minutes: 2.00 + 3.00 are used; the dear hour is the one that is given back.
    assert due(slots, 90) == [0, 300]


@pytest.mark.django_db
def test_the_newest_slot_gives_back_first_and_what_is_over_gives_nothing() -> None:
    spot = cast.a_spot(cast.a_zone(tariff=RISING, longest_stay_min=600))
    slots = cast.a_stay(spot, 120, 180, 240)

    assert due(slots, 200) == [0, 0, 400]
    assert due(slots, 185) == [0, 0, 600], "booked six minutes ago: all of it, though five are used"


@pytest.mark.django_db(transaction=False)
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    lengths=st.lists(st.integers(3, 24).map(lambda n: n * 5), min_size=1, max_size=4),
    minutes=st.integers(11, 700),
)
def test_what_is_kept_is_the_price_of_what_was_used(
    spot: Spot, lengths: list[int], minutes: int
) -> None:
    StayRules.objects.update(longest_stay_min=1000, grace_min=0)
    Slot.objects.filter(spot=spot).update(state="released")
    ends = [sum(lengths[: count + 1]) for count in range(len(lengths))]
    slots = cast.a_stay(spot, *ends)

    back = due(slots, minutes)

    used = min(minutes, ends[-1])
    price = quote(
        tariff=Tariff.parse(cast.TWO_EURO_AN_HOUR), start=cast.NOW, end=cast.at(used)
    ).total
    assert sum(slot.amount for slot in slots) - sum(back) == price
    assert all(0 <= part <= slot.amount for part, slot in zip(back, slots, strict=True))
