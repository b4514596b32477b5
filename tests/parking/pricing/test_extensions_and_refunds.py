"""A stay that grows costs the difference; one that shrinks gives it back."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parking.pricing import QuoteError, Tariff, extension_price, quote, refund_of_unused
from tests.parking.pricing.helpers import band, tariff

START = datetime(2026, 5, 11, 7, 0, tzinfo=UTC)  # 09:00 in Zürich
TIERS = [{"upto_min": 60, "per_hour": 100}, {"per_hour": 1000}]
RISING = tariff({**band(), "tiers": TIERS}, fixed_fee=25)
NIGHT = tariff(
    window_flats=[{"from": "18:00", "to": "06:00", "amount": 500, "applies_if": "covers_whole"}]
)


def after(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def price(priced_by: Tariff, minutes: int) -> int:
    return quote(tariff=priced_by, start=START, end=after(minutes)).total


def extend(priced_by: Tariff, old: int, new: int, paid: int) -> int:
    return extension_price(
        tariff=priced_by, start=START, old_end=after(old), new_end=after(new), paid=paid
    )


def refund(priced_by: Tariff, used: int, paid: int) -> int:
    return refund_of_unused(tariff=priced_by, start=START, used_until=after(used), paid=paid)


def test_an_extension_goes_on_where_the_tiers_were_and_pays_the_fee_once() -> None:
    assert extend(RISING, 60, 120, paid=125) == 1000


def test_an_extension_that_makes_the_stay_cheaper_costs_nothing() -> None:
    paid = price(NIGHT, 20 * 60)
    assert (paid, price(NIGHT, 21 * 60)) == (8000, 9 * 400 + 500)
    assert extend(NIGHT, 20 * 60, 21 * 60, paid) == 0


@pytest.mark.parametrize(("old", "new"), [(60, 60), (60, 30), (-30, 30)])
def test_what_does_not_grow_is_no_extension(old: int, new: int) -> None:
    with pytest.raises(QuoteError) as refused:
        extend(RISING, old, new, paid=125)

    assert refused.value.code == "not_an_extension"


def test_a_refund_is_what_was_paid_less_the_price_of_the_used_part() -> None:
    assert refund(RISING, 60, paid=1125) == 1000
    assert refund(RISING, 120, paid=1125) == 0


def test_all_comes_back_where_nothing_was_used() -> None:
    assert refund(RISING, 0, paid=1125) == 1125
    assert refund(RISING, -600, paid=1125) == 1125


def test_a_refund_is_never_below_zero() -> None:
    assert refund(NIGHT, 20 * 60, paid=price(NIGHT, 21 * 60)) == 0


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_parts_and_whole_agree(data: st.DataObject) -> None:
    priced_by = data.draw(st.sampled_from([RISING, tariff(cap_per_local_day=900), NIGHT]))
    first = data.draw(st.integers(0, 2000))
    whole = data.draw(st.integers(first + 1, 3000))
    paid = price(priced_by, first)

    added = extend(priced_by, first, whole, paid)
    back = refund(priced_by, first, price(priced_by, whole))

    assert added == max(0, price(priced_by, whole) - paid)
    assert 0 <= back <= price(priced_by, whole)
    if priced_by is not NIGHT:
        assert back == added
