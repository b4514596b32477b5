"""Amounts are minor units, and the table knows how many decimals they have."""

import pytest

from parking.money import UnknownCurrency, currencies, exponent, plain_amount


@pytest.mark.parametrize(
    ("currency", "decimals"),
    [("EUR", 2), ("JPY", 0), ("IRR", 0), ("VND", 0), ("KWD", 3), ("CLF", 4)],
)
def test_each_currency_has_its_decimals(currency: str, decimals: int) -> None:
    assert exponent(currency) == decimals


@pytest.mark.parametrize("wrong", ["", "eur", "XYZ", "EURO", None, 978, ["EUR"]])
def test_a_currency_outside_the_table_is_refused(wrong: object) -> None:
    with pytest.raises(UnknownCurrency, match="is not a currency"):
        exponent(wrong)


def test_the_table_names_no_currency_twice_and_each_by_three_letters() -> None:
    known = list(currencies())

    assert len(known) > 150
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in known)


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (1250, "EUR", "12.50"),
        (5, "EUR", "0.05"),
        (-5, "EUR", "−0.05"),
        (0, "EUR", "0.00"),
        (1250, "JPY", "1250"),
        (-1250, "IRR", "−1250"),
        (1250, "KWD", "1.250"),
        (10**17 + 1, "EUR", "1000000000000000.01"),
    ],
)
def test_an_amount_is_written_without_a_float(amount: int, currency: str, text: str) -> None:
    assert plain_amount(amount, currency) == text
