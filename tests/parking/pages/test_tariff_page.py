"""A zone's prices in words: every part of a tariff document is said."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test import Client

from parking.languages import in_language
from parking.models import TariffState, TariffVersion, Zone
from parking.pricing import Tariff
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
            "Public holidays Fri 25 December 2026 Also",
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


def test_it_says_which_version_holds_since_when(client: Client) -> None:
    said = text(client)
    assert "Valid from Wed 1 January 2020, 02:00 Spots of this zone" in said
    assert f"Tariff version 1 {Zone.objects.get().tariffs.get().sha256[:12]}" in said
    assert "Other prices" not in said


@pytest.fixture
def next_year(client: Client) -> Zone:
    """A zone whose price doubles with the year 2027 in Helsinki."""
    zone = cast.a_zone(tariff=TWO_EURO_AN_HOUR)
    begins = datetime(2026, 12, 31, 22, tzinfo=UTC)
    first = zone.tariffs.get()
    first.in_force = DateTimeTZRange(first.in_force.lower, begins)
    first.save(update_fields=["in_force"])
    document = {**TWO_EURO_AN_HOUR, "bands": [BAND]}
    for version, state in ((2, TariffState.APPROVED), (3, TariffState.DRAFT)):
        TariffVersion.objects.create(
            zone=zone,
            version=version,
            document=document,
            sha256=Tariff.parse(document).sha256,
            state=state,
            in_force=DateTimeTZRange(begins, None),
        )
    return zone


def at(client: Client, moment: str, status: int = 200) -> str:
    response = client.get("/zones/kamppi/tariff/", {"at": moment})
    assert response.status_code == status
    return text_of(response).replace("\xa0", " ")


def test_prices_to_come_are_announced_and_can_be_seen(client: Client, next_year: Zone) -> None:
    response = client.get("/zones/kamppi/tariff/")
    said = text_of(response).replace("\xa0", " ")
    assert "until Fri 1 January 2027, 00:00" in said
    assert "Other prices are decided for stays that start from Fri 1 January 2027, 00:00" in said
    assert "2.00 € an hour" in said
    assert "4.00 €" not in said
    assert b'href="/zones/kamppi/tariff/?at=2027-01-01"' in response.content
    then = at(client, "2027-01-01")
    assert "4.00 € an hour" in then
    assert "2.00 €" not in then
    assert "Tariff version 2" in then
    assert "Prices of today" in then
    assert "Other prices" not in then


def test_a_moment_of_the_day_can_be_asked_too(client: Client, next_year: Zone) -> None:
    assert "Tariff version 1" in at(client, "2026-12-31T23:59")
    assert "Tariff version 2" in at(client, "2027-01-01T00:00")


def test_a_draft_is_never_shown(client: Client) -> None:
    cast.a_zone(approved=False)
    assert "No price is in force here then." in at(client, "2026-05-01")
    assert "2.00" not in at(client, "2026-05-01")


def test_a_day_before_all_prices_says_when_they_begin(client: Client, next_year: Zone) -> None:
    said = at(client, "2019-05-01")
    assert "No price is in force here then." in said
    assert "stays that start from Wed 1 January 2020, 02:00" in said


@pytest.mark.parametrize(
    "moment", ["x", "2027-13-01", "0001-01-01", "9999-12-31", "2027-01-01T00:00Z", "\x00", "<b>"]
)
def test_what_is_no_date_is_said_and_today_is_shown(
    client: Client, next_year: Zone, moment: str
) -> None:
    said = at(client, moment, status=400)
    assert "is no date. Write it as year-month-day, such as 2027-01-01." in said
    assert "Tariff version 1" in said


def test_a_time_that_the_clocks_jump_over_is_refused(client: Client, next_year: Zone) -> None:
    assert "choose 04:00 or later" in at(client, "2026-03-29T03:30", status=400)


def test_the_week_is_drawn_with_a_name_for_each_stretch(client: Client) -> None:
    night = {"days": ["fri"], "from": "21:00", "to": "03:00", "tiers": [{"per_hour": 100}]}
    text(client, bands=[BAND, night])
    page = client.get("/zones/kamppi/tariff/").content.decode().replace("\xa0", " ")
    assert page.count("<rect") == 7
    assert "<title>Friday, 09:00–21:00: 4.00 €</title>" in page
    assert "<title>Friday, 21:00–24:00: 1.00 €</title>" in page
    assert "<title>Saturday, 00:00–03:00: 1.00 €</title>" in page


def test_the_drawing_is_mirrored_for_those_who_read_leftwards(client: Client, zone: Zone) -> None:
    def first_hour(language: str) -> str:
        page = in_language("/zones/kamppi/tariff/", language)
        return str(client.get(page).context["picture"].hours[0][0])

    assert first_hour("en") == "9.000%"
    assert first_hour("fa") == "91.000%"
    assert first_hour("ru") == "9.000%"


def test_the_page_of_prices_takes_two_queries(
    client: Client, next_year: Zone, django_assert_max_num_queries: Any
) -> None:
    at(client, "2026-05-01")  # reads the tariff
    with django_assert_max_num_queries(2):
        at(client, "2026-05-01")


def test_a_zone_without_a_price_says_so(client: Client, zone: Zone) -> None:
    zone.tariffs.update(in_force=DateTimeTZRange(datetime(2020, 1, 1, tzinfo=UTC), NOW))
    assert "No price is in force here today" in text_of(client.get("/zones/kamppi/tariff/"))


def test_an_unknown_zone_is_not_there(client: Client, zone: Zone) -> None:
    assert client.get("/zones/atlantis/tariff/").status_code == 404
    Zone.objects.update(is_active=False)
    assert client.get("/zones/kamppi/tariff/").status_code == 404
