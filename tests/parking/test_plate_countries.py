"""What differs between countries: letters that can be typed otherwise, and usual shapes."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from parking.plate_countries import COUNTRIES
from parking.plates import BadPlate, has_usual_shape, look_alike, normalise, spellings

DIGITS = [
    "".join(chr(ord(zero) + n) for n in range(10))
    for zero in (chr(code) for code in range(0x11000))
    if unicodedata.category(zero) == "Nd" and unicodedata.digit(zero) == 0
]
RUSSIAN = "АВЕКМНОРСТУХ"
LATIN = "ABEKMHOPCTYX"
SEPARATORS = [" ", "-", "–", "·", ".", "/", "\u00a0", "\u200c", "\u202f", "\u200f"]


@pytest.mark.parametrize(
    ("country", "typed", "plate"),
    [
        ("RU", "а 123 вс 77", "A123BC77"),
        ("RU", "A123BC77", "A123BC77"),
        ("UA", "аі 1234 ск", "AI1234CK"),
        ("IR", "۱۲ ب ۳۴۵ ۶۷", "12ب34567"),
        ("IR", "12b34567", "12ب34567"),
        ("IR", "12 ب 345 ایران 67", "12ب34567"),
        ("IR", "12 الف 345 67", "12ا34567"),
        ("IR", "12 alef 345 - 67", "12ا34567"),
        ("IR", "12 sad 345 67", "12ص34567"),
        ("IR", "12 ھ 345 67", "12ه34567"),
        ("IR", "12345678", "12345678"),  # a motorcycle
        ("VN", "29-MĐ1 234.56", "29MD123456"),
        ("VN", "29b-123.45", "29B12345"),  # not an Iranian ب
        ("DE", "zü-ab 12", "ZÜAB12"),
        ("DE", "B-AB 123", "BAB123"),
        ("DE", "BA-B 123", "BAB123"),
        ("TR", "34 İZ 123", "34IZ123"),
        ("TR", "34 ız 123", "34IZ123"),
        ("GR", "αβε-1234", "ABE1234"),
    ],
)
def test_a_country_has_one_spelling_on_every_keyboard(country: str, typed: str, plate: str) -> None:
    assert normalise(typed, country=country) == plate
    assert normalise(plate, country=country) == plate


@pytest.mark.parametrize("country", COUNTRIES)
def test_the_example_of_each_country_has_its_shape(country: str) -> None:
    one = COUNTRIES[country]
    assert has_usual_shape(normalise(one.example, country=country), country=country)
    assert not has_usual_shape("ZZZZZZ0000", country=country)
    assert not has_usual_shape(normalise(one.example, country=country)[:-1] + "№", country=country)


def test_of_a_country_that_we_do_not_know_every_shape_is_usual() -> None:
    assert has_usual_shape("ZZZZZZ0000", country="XX")
    assert not has_usual_shape("ZZZZZZ0000")
    assert has_usual_shape("ABC123")


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("12b34567", "12ب34567"),  # stored in Tehran, typed by somebody with a Latin keyboard
        ("12ب34567", "12B34567"),  # stored where nobody knew the letter
        ("29MD123456", "29MD123456"),
        ("29-MĐ1 234.56", "29MD123456"),
        ("а123вс77", "A123BC77"),
    ],
)
def test_who_looks_for_a_plate_finds_it_however_it_was_written_down(
    typed: str, stored: str
) -> None:
    assert stored in spellings(typed)


def test_a_lookup_does_not_reach_for_other_plates() -> None:
    assert spellings("ABC-123") == {"ABC123"}
    assert spellings("12 ب 345 67") == {"12ب34567", "12B34567"}


@example(text="\u1100-\u11611", country="")  # two letters of Hangul that come to make one
@given(text=st.text(max_size=20), country=st.sampled_from(["", *COUNTRIES]))
def test_a_spelling_is_its_own_spelling(text: str, country: str) -> None:
    try:
        plate = normalise(text, country=country)
    except BadPlate:
        return
    assert normalise(plate, country=country) == plate
    assert plate in spellings(text)


@given(
    digits=st.sampled_from(DIGITS),
    number=st.lists(st.integers(0, 9), min_size=2, max_size=10),
    separator=st.sampled_from(SEPARATORS),
)
def test_the_digits_of_every_script_are_the_same(
    digits: str, number: list[int], separator: str
) -> None:
    typed = separator.join(digits[n] for n in number)
    assert normalise(typed) == "".join(str(n) for n in number)


@given(
    letters=st.lists(st.integers(0, len(LATIN) - 1), min_size=3, max_size=3),
    keyboards=st.lists(st.tuples(st.booleans(), st.booleans()), min_size=3, max_size=3),
    number=st.integers(0, 999),
    region=st.integers(1, 999),
    separator=st.sampled_from(SEPARATORS),
)
def test_a_russian_plate_is_the_same_on_any_mixture_of_keyboards(
    letters: list[int],
    keyboards: list[tuple[bool, bool]],
    number: int,
    region: int,
    separator: str,
) -> None:
    def typed(at: int) -> str:
        is_cyrillic, is_small = keyboards[at]
        sign = (RUSSIAN if is_cyrillic else LATIN)[letters[at]]
        return sign.lower() if is_small else sign

    parts = [typed(0), f"{number:03}", typed(1) + typed(2), f"{region:02}"]
    plate = normalise(separator.join(parts), country="RU")
    first, second, third = (LATIN[letter] for letter in letters)
    assert plate == f"{first}{number:03}{second}{third}{region:02}"
    assert has_usual_shape(plate, country="RU")


@given(
    signs=st.text("ABGOSZI0125678XYП", min_size=2, max_size=8),
    swaps=st.lists(st.booleans(), min_size=8, max_size=8),
)
def test_a_slip_between_signs_that_look_alike_is_a_near_miss(signs: str, swaps: list[bool]) -> None:
    twins = dict(zip("OIZSGB", "012568", strict=True))
    twins |= {digit: letter for letter, digit in twins.items()}
    slip = "".join(
        twins.get(sign, sign) if swap else sign for sign, swap in zip(signs, swaps, strict=False)
    )
    assume(slip != signs)
    assert look_alike(signs, slip)
    assert look_alike(slip, signs)
