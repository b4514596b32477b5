"""A zone's prices in words: every part of a tariff document is said."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test import Client

from parking.models import Zone
from tests import cast
from tests.cast import NOW, TWO_EURO_AN_HOUR
from tests.parking.pages.conftest import text_of

pytestmark = pytest.mark.django_db

WEEK = ["mon", "tue", "wed", "thu", "fri"]
BAND = {"days": WEEK, "from": "09:00", "to": "21:00", "tiers": [{"per_hour": 400}]}


def text(client: Client, *, rules: dict[str, Any] | None = None, **parts: Any) -> str:
    cast.a_zone(tariff={**TWO_EURO_AN_HOUR, "bands": [BAND], **parts}, **(rules or {}))
    response = client.get("/zones/kamppi/tariff/")
    assert response.status_code == 200
    return text_of(response).replace("\xa0", " ")


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({}, "Mon–Fri 09:00–21:00 4.00 € an hour"),
        ({"bands": [{**BAND, "days": ["sat", "sun"]}]}, "Sat, Sun 09:00"),
        ({"bands": [{**BAND, "days": ["mon", "wed", "thu", "fri"]}]}, "Mon, Wed–Fri"),
        ({"bands": [{**BAND, "days": [*WEEK, "sat", "sun"], "to": "24:00"}]}, "every day 09:00–24"),
        (
            {"bands": [{**BAND, "tiers": [{"upto_min": 90, "per_hour": 400}, {"per_hour": 600}]}]},
            "4.00 € an hour after 1 h 30 min: 6.00 € an hour",
        ),
        ({"ladder": [{"upto_min": 30, "total": 100}]}, "30 min 1.00 €"),
        ({"free_first_min": 15}, "The first 15 min cost nothing."),
        ({"free_if_leq_min": 15}, "Stays of up to 15 min cost nothing."),
        ({"cap_per_local_day": 2000}, "No day costs more than 20.00 €."),
        ({"max_charge": 2000}, "No stay costs more than 20.00 €."),
        ({"min_charge": 50}, "No stay with a charge costs less than 0.50 €."),
        ({"fixed_fee": 35}, "Each stay with a charge bears a fee of 0.35 €."),
        ({"increment": {"minutes": 15}}, "Time is sold in steps of 15 min."),
        ({"rounding": {"unit": 10}}, "Prices are rounded to 0.10 €."),
        ({"vehicle_classes": {"disabled": {"percent": 0}}}, "badge: no charge."),
        ({"vehicle_classes": {"electric": {"percent": 50}}}, "Electric vehicle: 50 % of"),
        ({"tax": {"code": "vat", "rate_bp": 2550}}, "Prices include 25.5 % tax."),
        (
            {"tax": {"code": "vat", "rate_bp": 500, "included": False}},
            "5 % tax comes on top.",
        ),
        (
            {"holidays": {"2026-12-25": "x"}, "holiday_behaves_like": "sun"},
            "Public holidays are priced like a Sunday.",
        ),
        (
            {"holidays": {"2026-12-25": "x", "2020-12-25": "x"}, "holiday_behaves_like": "sun"},
            "Public holidays Fri 25 December 2026 Rules",
        ),
        (
            {
                "window_flats": [
                    {"from": "18:00", "to": "06:00", "amount": 150, "applies_if": "covers_whole"}
                ]
            },
            "Staying for all of 18:00–06:00 costs 1.50 € in one.",
        ),
        (
            {
                "window_flats": [
                    {"from": "18:00", "to": "06:00", "amount": 150, "applies_if": "touches"}
                ]
            },
            "Any stay within 18:00–06:00 costs 1.50 € in one.",
        ),
    ],
)
def test_each_part_of_the_tariff_is_said(client: Client, parts: dict[str, Any], words: str) -> None:
    assert words in text(client, **parts)


def test_the_rules_of_staying_are_said(client: Client) -> None:
    said = text(
        client,
        rules={
            "longest_stay_min": 120,
            "grace_min": 7,
            "refund_unused": False,
            "bookable_from": "06:00",
            "bookable_to": "22:00",
        },
    )
    assert "Stays last from 15 min to 2 h." in said
    assert "cancels within 7 min" in said
    assert "unused time is not refunded" in said
    assert "Bookable from 06:00 to 22:00." in said


def test_a_zone_without_a_price_says_so(client: Client, zone: Zone) -> None:
    zone.tariffs.update(in_force=DateTimeTZRange(datetime(2020, 1, 1, tzinfo=UTC), NOW))
    assert "No price is in force here today" in text_of(client.get("/zones/kamppi/tariff/"))


def test_an_unknown_zone_is_not_there(client: Client, zone: Zone) -> None:
    assert client.get("/zones/atlantis/tariff/").status_code == 404
    Zone.objects.update(is_active=False)
    assert client.get("/zones/kamppi/tariff/").status_code == 404
