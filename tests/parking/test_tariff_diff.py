"""Two tariffs are told apart in sentences, and none is kept back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given, settings

from parking.pricing import Tariff
from parking.pricing.document import Terms, read_document
from parking.tariff_diff import differences
from tests.parking.pricing.helpers import WORKDAYS, band, document
from tests.parking.pricing.strategies import Example, examples

BASE = document(band("09:00", "21:00", 400, WORKDAYS))
SPACE = "\N{NO-BREAK SPACE}"


def _said(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    said = differences(Tariff.parse(old), Tariff.parse(new))
    return [sentence.replace(SPACE, " ") for sentence in said]


@pytest.mark.parametrize(
    ("new", "sentence"),
    [
        (
            document(band("09:00", "21:00", 450, WORKDAYS)),
            "Mon–Fri 09:00–21:00: 4.00 € → 4.50 € an hour",
        ),
        (
            document(band("09:00", "20:00", 400, WORKDAYS)),
            "Mon–Fri 09:00–21:00 → Mon–Fri 09:00–20:00, at 4.00 € an hour",
        ),
        (
            document(*map(dict, BASE["bands"]), band("10:00", "18:00", 200, ["sat"])),
            "New: Sat 10:00–18:00, 2.00 € an hour",
        ),
        ({**BASE, "cap_per_local_day": 2000}, "Highest charge per day: no limit → 20.00 €"),
        ({**BASE, "min_charge": 50}, "Lowest charge of a stay: none → 0.50 €"),
        (
            {**BASE, "holidays": {"2026-12-25": "Christmas"}},
            "New public holiday: Fri 25 December 2026, Christmas",
        ),
        ({**BASE, "vehicle_classes": {"disabled": {"percent": 0}}}, "pays 0 %"),
        ({**BASE, "increment": {"minutes": 15}}, "Time is sold in steps of: 1 min → 15 min"),
        ({**BASE, "ladder": [{"upto_min": 30, "total": 100}]}, "up to 30 min cost 1.00 €"),
        (
            {
                **BASE,
                "window_flats": [
                    {"from": "18:00", "to": "06:00", "amount": 500, "applies_if": "touches"}
                ],
            },
            "New: one price for 18:00–06:00, 5.00 €, for any stay within it",
        ),
    ],
)
def test_a_change_is_one_sentence_there_and_its_opposite_back(
    new: dict[str, Any], sentence: str
) -> None:
    (said,) = _said(BASE, new)
    assert sentence in said

    (back,) = _said(new, BASE)
    assert back != said


def test_what_stays_is_not_named() -> None:
    old = document(band("09:00", "21:00", 400, WORKDAYS), band("09:00", "18:00", 200, ["sat"]))
    new = document(band("09:00", "18:00", 200, ["sat"]), band("09:00", "21:00", 400, ["mon"]))

    assert _said(old, new) == ["Mon–Fri 09:00–21:00 → Mon 09:00–21:00, at 4.00 € an hour"]


def test_the_same_document_is_said_to_be_the_same() -> None:
    assert _said(BASE, dict(BASE)) == ["Nothing differs: both are the same document."]
    assert _said(BASE, {**BASE, "free_first_min": 0}) == [
        "The prices are the same; the document is only written differently."
    ]


@settings(max_examples=60, deadline=None)
@given(one=examples(), two=examples())
def test_every_key_whose_meaning_changes_is_said(one: Example, two: Example) -> None:
    """One key at a time is taken over from another tariff."""
    old, other = read_document(one.document), read_document(two.document)
    for key in Terms.__dataclass_fields__:
        mixed = {**one.document, key: two.document.get(key)}
        try:
            new = read_document(mixed)
        except ValueError:
            continue
        said = _said(one.document, mixed)
        if getattr(old, key) == getattr(other, key):
            continue
        same_set = key == "bands" and sorted(map(repr, old.bands)) == sorted(map(repr, new.bands))
        assume(not same_set)
        assert not any("only written differently" in one for one in said), key
        assert not any("Nothing differs" in one for one in said), key
