"""The engine and a pricer that was written from the rules alone agree."""

import json

import pytest
from hypothesis import HealthCheck, event, given, settings

from parking.pricing import Quote, QuoteError, Tariff, quote
from tests.parking.pricing.slow_pricer import NotSold, slow_price
from tests.parking.pricing.strategies import Example, examples


def compare(example: Example) -> None:
    """Fail unless both pricers give the same answer, and the quote adds up."""
    tariff = Tariff.parse(example.document)
    try:
        expected = slow_price(example.document, example.start, example.end, example.vehicle_class)
    except NotSold:
        event("not sold")
        with pytest.raises(QuoteError) as refused:
            price(tariff, example)
        assert refused.value.code == "ladder_exceeded"
        return
    given_price = price(tariff, example)
    event("free" if given_price.total == 0 else "paid")
    assert (given_price.chargeable_min, given_price.total) == expected
    assert sum(line.amount for line in given_price.lines) == given_price.total
    assert given_price.tax.net + given_price.tax.tax == given_price.total
    assert Quote.from_json(json.loads(json.dumps(given_price.as_json()))) == given_price
    assert len(given_price.texts()) == len(given_price.lines)


def price(tariff: Tariff, example: Example) -> Quote:
    return quote(
        tariff=tariff,
        start=example.start,
        end=example.end,
        vehicle_class=example.vehicle_class,
    )


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(examples())
def test_both_pricers_agree_on_any_tariff_and_stay(example: Example) -> None:
    compare(example)
