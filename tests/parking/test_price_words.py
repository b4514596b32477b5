"""Every kind of line of a quote, and every refusal, is said in words."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation

from parking import formatting, price_words
from parking.pricing import Quote, QuoteError, Tariff, quote
from tests.cast import NOW, TWO_EURO_AN_HOUR, at

BAND = TWO_EURO_AN_HOUR["bands"][0]


def priced(minutes: int = 120, vehicle_class: str | None = None, **parts: Any) -> Quote:
    tariff = Tariff.parse({**TWO_EURO_AN_HOUR, **parts})
    return quote(tariff=tariff, start=NOW, end=at(minutes), vehicle_class=vehicle_class)


def said(quote: Quote) -> str:
    return " | ".join(row.text for row in price_words.rows(quote)).replace("\xa0", " ")


def test_a_share_has_the_decimal_sign_of_the_reader() -> None:
    assert price_words.percent(2550) == "25.5"
    assert price_words.percent(10000) == "100"
    with translation.override("ru"):
        assert price_words.percent(2550) == "25,5"
        assert formatting.percent(Decimal("25.50")).startswith("25,5")
        assert formatting.percent(100).startswith("100")


def test_a_band_says_when_how_long_and_the_rate() -> None:
    assert said(priced()) == "10:00–12:00, 2 h at 2.00 € an hour"


@pytest.mark.parametrize(
    ("parts", "minutes", "words"),
    [
        ({"free_first_min": 15}, 60, "10:00–10:15, the first 15 min cost nothing"),
        ({"free_if_leq_min": 30}, 30, "up to 30 min cost nothing"),
        (
            {"ladder": [{"upto_min": 90, "total": 300}]},
            60,
            "1 h with a charge: the price for up to 1 h 30 min",
        ),
        ({"increment": {"minutes": 15}}, 50, "10 min added: sold in steps of 15 min"),
        (
            {"increment": {"minutes": 15, "mode": "completed"}},
            50,
            "5 min not charged: sold in steps of 15 min",
        ),
        ({"cap_per_local_day": 300}, 120, "No more than 3.00 € on Tue 3 March 2026"),
        ({"max_charge": 300}, 120, "No stay costs more than 3.00 €"),
        ({"min_charge": 500}, 120, "No stay costs less than 5.00 €"),
        ({"fixed_fee": 35}, 120, "Fee for each stay"),
        ({"rounding": {"unit": 50, "mode": "up"}}, 100, "Rounded to 0.50 €"),
        (
            {"tax": {"code": "vat", "rate_bp": 2550, "included": False}},
            120,
            "Tax, 25.5 % on top",
        ),
        (
            {
                "window_flats": [
                    {"from": "10:00", "to": "11:00", "amount": 150, "applies_if": "covers_whole"}
                ]
            },
            120,
            "10:00–11:00, one price for these hours",
        ),
    ],
)
def test_what_moves_the_price_is_said(parts: dict[str, Any], minutes: int, words: str) -> None:
    price = priced(minutes, **parts)
    assert words in said(price)
    assert sum(row.amount for row in price_words.rows(price)) == price.total


def test_a_vehicle_class_is_named() -> None:
    price = priced(vehicle_class="electric", vehicle_classes={"electric": {"percent": 50}})
    assert "Electric vehicle: 50 % of the price" in said(price)


def test_minutes_without_a_charge_are_said() -> None:
    late = {"bands": [{**BAND, "from": "11:00", "to": "20:00"}]}
    assert "10:00–11:00, no charge at this time" in said(priced(**late))


def test_a_stay_over_two_days_names_the_days() -> None:
    tariff = Tariff.parse({**TWO_EURO_AN_HOUR, "cap_per_local_day": 10_000})
    text = said(quote(tariff=tariff, start=NOW, end=NOW + timedelta(days=1)))
    assert "Tue 3 March 2026, 10:00–24:00" in text
    assert "Wed 4 March 2026, 00:00–10:00" in text


def test_an_unknown_class_is_shown_as_it_is_written() -> None:
    assert price_words.class_words("shared_van") == "shared van"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (QuoteError("ladder_exceeded", "x", {"longest_min": 90, "minutes": 91}), "1 h 30 min"),
        (QuoteError("nonexistent_end", "x", {"next_valid": "2026-03-29T04:00"}), "04:00"),
        (QuoteError("unknown_vehicle_class", "x", {}), "choose another"),
        (QuoteError("stay_too_long", "x", {"days": 30}), "30 days"),
        (QuoteError("end_before_start", "x"), "after the start"),
        (QuoteError("not_whole_minute", "x"), "whole minutes"),
        (QuoteError("something_new", "Said plainly."), "Said plainly."),
    ],
)
def test_every_refusal_is_said(error: QuoteError, words: str) -> None:
    assert words in price_words.why_not(error)
