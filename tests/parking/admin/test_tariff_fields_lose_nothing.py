"""A document that goes through the fields of the editor comes out as it went in."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from django.test import override_settings
from hypothesis import given, settings

from parking.admin.tariffs.editing import Edited, TariffEditor
from parking.pricing import Tariff
from parking.pricing.document import read_document
from tests.parking.admin.html_form import fields_of
from tests.parking.pricing.cities import TARIFFS
from tests.parking.pricing.helpers import band, document
from tests.parking.pricing.strategies import Example, examples

AWKWARD: dict[str, dict[str, Any]] = {
    "usual values written out": document(
        free_first_min=0, max_charge=None, rounding={"unit": 1}, tax={}, holidays={}
    ),
    "days out of order, a priority of nothing": document(
        band(days=["sun", "mon"], priority=0), band("10:00", "11:00", priority=-3)
    ),
    "names with spaces": document(
        vehicle_classes={" a: b ": {"percent": 7}}, holidays={"2026-12-25": " Joulu päivä "}
    ),
    "a currency without decimals": {
        **document(band(per_hour=20_000), fixed_fee=5),
        "currency": "IRR",
    },
    "three decimals": {**document(band(per_hour=1_005)), "currency": "KWD"},
    "a band without rates under a ladder": {
        **document(ladder=[{"upto_min": 30, "total": 100}]),
        "bands": [{"days": ["mon"], "from": "09:00", "to": "24:00"}],
    },
    "a tax that is a fraction": document(tax={"code": "vat", "rate_bp": 2550, "included": False}),
}


def _through_the_fields(whole: dict[str, Any]) -> Edited:
    html = TariffEditor().render("document", copy.deepcopy(whole), {"id": "id_document"})
    with override_settings(CITY_CURRENCY=whole["currency"], CITY_TIME_ZONE=whole["time_zone"]):
        return Edited.posted(fields_of(html), "document")


def _means(whole: dict[str, Any]) -> Any:
    return read_document(whole)


@pytest.mark.parametrize("whole", [*TARIFFS.values(), *AWKWARD.values()])
def test_a_tariff_that_nobody_touched_keeps_its_hash(whole: dict[str, Any]) -> None:
    edited = _through_the_fields(whole)

    assert edited.author == "fields"
    assert edited.problems == {}
    assert Tariff.parse(edited.document).sha256 == Tariff.parse(whole).sha256


@settings(max_examples=60, deadline=None)
@given(example=examples())
def test_any_tariff_comes_out_as_it_went_in(example: Example) -> None:
    edited = _through_the_fields(example.document)

    assert edited.problems == {}
    assert edited.document == example.document


@settings(max_examples=40, deadline=None)
@given(example=examples())
def test_the_fields_alone_say_the_whole_tariff(example: Example) -> None:
    """Without the JSON beside them: nothing hides in the wording that is kept."""
    whole = example.document
    data = fields_of(TariffEditor().render("document", whole, {"id": "id_document"}))
    data["document"] = ""

    with override_settings(CITY_CURRENCY=whole["currency"], CITY_TIME_ZONE=whole["time_zone"]):
        edited = Edited.posted(data, "document")

    assert edited.problems == {}
    assert _means(edited.document) == _means(whole)


def test_one_change_leaves_every_other_key_in_its_wording() -> None:
    whole = AWKWARD["usual values written out"]
    data = fields_of(TariffEditor().render("document", whole, {"id": "id_document"}))
    data["document:bands[0].tiers[0].per_hour"] = "4,5"

    with override_settings(CITY_CURRENCY="EUR", CITY_TIME_ZONE="Europe/Zurich"):
        edited = Edited.posted(data, "document")

    assert edited.document["bands"][0]["tiers"] == [{"per_hour": 450}]
    assert {**edited.document, "bands": 0} == {**whole, "bands": 0}


@pytest.mark.parametrize(
    ("name", "text", "path"),
    [
        ("bands[0].tiers[0].per_hour", "4.005", "bands[0].tiers[0].per_hour"),
        ("bands[0].tiers[0].per_hour", "four", "bands[0].tiers[0].per_hour"),
        ("bands[0].from", "9", "bands[0].from"),
        ("bands[0].priority", "1.5", "bands[0].priority"),
        ("free_first_min", "-5", "free_first_min"),
        ("holidays", "2026-13-01 Nothing", "holidays"),
        ("holidays", "2026-01-01 A\r\n2026-01-01 B", "holidays"),
        ("vehicle_classes[0].percent", "2000", "vehicle_classes[0]"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(name: str, text: str, path: str) -> None:
    whole = document(vehicle_classes={"disabled": {"percent": 0}})
    data = fields_of(TariffEditor().render("document", whole, {"id": "id_document"}))
    data[f"document:{name}"] = text

    with override_settings(CITY_CURRENCY="EUR", CITY_TIME_ZONE="Europe/Zurich"):
        edited = Edited.posted(data, "document")

    assert list(edited.problems) == [path]
    assert edited.document is not None


def test_everything_that_is_wrong_is_said_at_once() -> None:
    whole = document(band(), band(priority=1))
    data = fields_of(TariffEditor().render("document", whole, {"id": "id_document"}))
    data["document:bands[0].tiers[0].per_hour"] = "four"
    data["document:bands[1].to"] = "25:00"

    with override_settings(CITY_CURRENCY="EUR", CITY_TIME_ZONE="Europe/Zurich"):
        edited = Edited.posted(data, "document")

    assert list(edited.problems) == ["bands[0].tiers[0].per_hour", "bands[1].to"]


def test_rows_are_numbered_on_the_page_as_they_came() -> None:
    data = fields_of(
        TariffEditor().render("document", document(band(), band(priority=1)), {"id": "x"})
    )
    data["document:bands[0].remove"] = "1"
    data["document:bands[1].to"] = "25:00"

    with override_settings(CITY_CURRENCY="EUR", CITY_TIME_ZONE="Europe/Zurich"):
        edited = Edited.posted(data, "document")

    assert list(edited.problems) == ["bands[0].to"]
    assert edited.on_page("bands[0].to") == "bands[1].to"
    assert edited.on_page("bands[0].tiers[0].per_hour") == "bands[1].tiers[0].per_hour"
