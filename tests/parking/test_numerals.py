"""Digits, days and money as each language writes them, and as any keyboard types them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import translation
from django.utils.datastructures import MultiValueDict

from parking import formatting, numerals, price_words
from parking.forms import StayForm

AMOUNTS = {
    "en": ("1,234.50 €", "−2.00 €", "1,234,560 IRR"),
    "fa": ("۱٬۲۳۴٫۵۰ €", "\u200e−۲٫۰۰ €", "۱۲۳٬۴۵۶ تومان"),
    "ru": ("1 234,50 €", "−2,00 €", "1 234 560 IRR"),
    "vi": ("1.234,50 €", "−2,00 €", "1.234.560 IRR"),
}


@pytest.mark.parametrize("language", AMOUNTS)
def test_money_is_written_as_the_language_does(language: str) -> None:
    with translation.override(language):
        written = (
            formatting.money(123450, "EUR"),
            formatting.money(-200, "EUR"),
            formatting.money(1234560, "IRR"),
        )
    assert tuple(text.replace("\xa0", " ") for text in written) == AMOUNTS[language]


def test_a_rial_that_is_no_whole_toman_is_not_lost() -> None:
    with translation.override("fa"):
        assert formatting.money(15, "IRR") == "۱٫۵\xa0تومان"
        assert price_words.percent(2550) == "۲۵٫۵"


def test_an_iranian_plate_has_persian_digits_for_its_readers_and_no_other_has() -> None:
    with translation.override("fa"):
        assert formatting.plate_signs("12ب34567") == "۱۲ب۳۴۵۶۷"
        assert formatting.plate_signs("ABC123") == "ABC123"
    assert formatting.plate_signs("12ب34567") == "12ب34567"


def test_days_and_times_are_those_of_the_reader() -> None:
    moment = datetime(2026, 3, 21, 16, 5, tzinfo=UTC)  # the first day of 1405, in Helsinki 18:05
    said = {}
    for language in ("en", "fa", "ru", "vi"):
        with translation.override(language):
            said[language] = (formatting.day(moment), formatting.clock(moment))
    assert said["en"] == ("Sat 21 March 2026", "18:05")
    assert said["fa"] == ("شنبه ۱ فروردین ۱۴۰۵", "۱۸:۰۵")
    assert said["ru"][0].endswith("21 марта 2026")
    assert said["vi"][0].endswith("21/3/2026")


@pytest.mark.parametrize(
    "typed",
    [
        "2026-03-03",
        "2026/3/3",
        "۱۴۰۴/۱۲/۱۲",
        "1404-12-12",
        "١٤٠٤/١٢/١٢",
        "２０２６-０３-０３",
        " 1404.12.12 ",
    ],
)
def test_a_day_is_read_in_either_calendar_and_any_digits(typed: str) -> None:
    assert numerals.read_day(typed) == date(2026, 3, 3)


@pytest.mark.parametrize("typed", ["", "1404/12/30", "2026-02-29", "3 March", "1404/13/01", "99"])
def test_what_is_no_day_is_refused(typed: str) -> None:
    with pytest.raises(ValueError):
        numerals.read_day(typed)


def test_leap_years_of_the_two_calendars_meet() -> None:
    """The length of Esfand and the first day of the year, as Iran's calendar has them."""
    leaps = [1375, 1379, 1383, 1387, 1391, 1395, 1399, 1403, 1408]
    last = {year: numerals.read_day(f"{year + 1}/1/1") - timedelta(days=1) for year in leaps}
    with translation.override("fa"):
        assert [numerals.day_typed(day)[-2:] for day in last.values()] == ["۳۰"] * len(leaps)
    assert numerals.read_day("1404/01/01") == date(2025, 3, 21)
    assert numerals.read_day("1278/10/11") == date(1900, 1, 1)
    assert numerals.read_day("1479/10/10") == date(2100, 12, 31)


def typed(**fields: str) -> StayForm:
    return StayForm(MultiValueDict({name: [text] for name, text in fields.items()}))


def test_a_stay_can_be_typed_in_persian() -> None:
    form = typed(on="۱۴۰۴/۱۲/۱۲", at="۱۸:۰۵", length="۱۲۰")
    assert form.is_valid(), form.errors
    assert form.period_query() == {"on": "2026-03-03", "at": "18:05", "length": "120"}


def test_the_field_of_a_day_is_jalali_for_those_who_live_by_it() -> None:
    form = typed(on="2026-03-03", at="18:05", length="120")
    assert 'type="date"' in str(form["on"])
    assert 'value="2026-03-03"' in str(form["on"])
    with translation.override("fa"):
        field = str(form["on"])
    assert 'type="text"' in field
    assert 'value="۱۴۰۴/۱۲/۱۲"' in field
    assert field.count("<option") == 14
    with translation.override("fa"):
        assert 'value="فردا"' in str(typed(on="فردا", at="", length="")["on"])
