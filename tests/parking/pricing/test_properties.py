"""What holds for every tariff and every stay."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from parking.pricing import QuoteError, Tariff, quote
from tests.parking.pricing.strategies import Example, examples
from tests.parking.pricing.test_second_opinion import price

SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
# What may make the longer stay the cheaper one, beside lots that end in a cheaper band.
LEAPS = {"ladder", "window_flats", "increment"}


def answer(example: Example) -> tuple[int, int] | str:
    try:
        given_price = price(Tariff.parse(example.document), example)
    except QuoteError as error:
        return error.code
    return given_price.chargeable_min, given_price.total


@SETTINGS
@given(examples(), st.integers(1, 600))
def test_longer_is_never_cheaper_without_a_ladder_a_flat_or_lots(
    example: Example, minutes: int
) -> None:
    document = {key: value for key, value in example.document.items() if key not in LEAPS}
    assume("bands" in document)
    shorter = replace(example, document=document)
    longer = replace(shorter, end=example.end + timedelta(minutes=minutes))

    tariff = Tariff.parse(document)

    assert price(tariff, shorter).total <= price(tariff, longer).total


@SETTINGS
@given(examples())
def test_the_order_of_bands_does_not_matter_where_priorities_differ(example: Example) -> None:
    assume("bands" in example.document)
    turned = {**example.document, "bands": example.document["bands"][::-1]}

    assert answer(replace(example, document=turned)) == answer(example)


@SETTINGS
@given(examples())
def test_the_same_question_has_the_same_answer(example: Example) -> None:
    assert answer(example) == answer(example)


@SETTINGS
@given(examples())
def test_a_price_is_a_multiple_of_the_unit_plus_the_fee(example: Example) -> None:
    document = {key: value for key, value in example.document.items() if key != "tax"}
    tariff = Tariff.parse(document)
    try:
        given_price = quote(
            tariff=tariff,
            start=example.start,
            end=example.end,
            vehicle_class=example.vehicle_class,
        )
    except QuoteError:
        return
    fee = tariff.fixed_fee if given_price.chargeable_min else 0
    assert given_price.total >= 0
    assert (given_price.total - fee) % tariff.rounding.unit == 0
