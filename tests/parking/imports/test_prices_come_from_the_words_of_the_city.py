"""Hours, days, rates and longest stays; what the rows do not agree on; what a zone has already."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User

from parking.imports import Kind, Noun, Report
from parking.imports.errors import RowRefused
from parking.imports.hours import clock, days_of, per_hour
from parking.imports.mapping.prices import WEEK
from parking.models import StayRules, TariffVersion
from tests.cast import NOW
from tests.parking.imports.conftest import COLUMNS, Import, spot_rows
from tests.parking.imports.files import write_csv

PRICED = COLUMNS + (
    r"""
[tariff]
hours = "hours"
pattern = '''(?x) (?P<days>[A-Za-z-]+) \s (?P<from>[\d:]+)-(?P<to>[\d:]+)
                (?:\s(?P<rate>[\d.]+))? (?:\s max \s (?P<longest>\d+))?'''
rate = "rate"
rate_unit_min = 30
[tariff.days]
werktags = ["mon", "tue", "wed", "thu", "fri", "sat"]
"""
)


def with_hours(*hours: str, rate: str = "1.00") -> list[dict[str, Any]]:
    """Return a row for each of the hours."""
    return [
        row | {"hours": words, "rate": rate}
        for row, words in zip(spot_rows(len(hours)), hours, strict=True)
    ]


def notes(report: Report) -> list[str]:
    """Return the texts of the notes."""
    return [remark.text for remark in report.of(Kind.NOTE)]


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("8", "08:00"),
        ("8:30", "08:30"),
        ("18.30", "18:30"),
        ("1830", "18:30"),
        ("08:00AM", "08:00"),
        ("08:00 p.m.", "20:00"),
        ("12:00AM", "00:00"),
        ("12:30PM", "12:30"),
        ("24:00", "24:00"),
        ("24:00AM", "24:00"),
        ("00:00AM", "00:00"),
    ],
)
def test_a_time_of_day_is_read(text: str, time: str) -> None:
    assert clock(text) == time


@pytest.mark.parametrize("text", ["", "noon", "25:00", "24:01", "8:60", "-8"])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(RowRefused, match="no time of day"):
        clock(text)


def test_days_are_read_in_ranges_lists_and_words() -> None:
    words = {day: (day,) for day in WEEK} | {"werktags": WEEK[:6]}
    assert days_of("MON-SAT", words) == WEEK[:6]
    assert days_of("Sat – Mon", words) == ("mon", "sat", "sun")
    assert days_of("mon, wed/fri", words) == ("mon", "wed", "fri")
    assert days_of("SUN-SAT", words) == WEEK
    assert days_of("Werktags", words) == WEEK[:6]
    assert days_of("", words) == WEEK
    with pytest.raises(RowRefused, match=r"“Mo” is no day; name it under tariff\.days"):
        days_of("Mo-Sat", words)


@pytest.mark.parametrize(
    ("text", "minutes", "currency", "amount"),
    [
        ("0.25", 15, "USD", 100),
        ("1,50", 60, "EUR", 150),
        ("2", 30, "EUR", 400),
        ("9000", 60, "IRR", 9000),
    ],
)
def test_a_rate_becomes_minor_units_an_hour(
    text: str, minutes: int, currency: str, amount: int
) -> None:
    assert per_hour(text, unit_min=minutes, currency=currency) == amount


@pytest.mark.parametrize("text", ["free", "-1", "1.00", "0.01.2"])
def test_a_rate_that_no_coin_pays_is_refused(text: str) -> None:
    with pytest.raises(RowRefused):
        per_hour(text, unit_min=45, currency="EUR")


def test_the_most_common_words_of_a_zone_win_and_the_others_are_reported(
    run: Import, tmp_path: Path
) -> None:
    rows = with_hours(
        "mon-fri 9:00-17:00 max 240",
        "werktags 8-20, sun 10-18 0.50 max 120",
        "werktags 8-20, sun 10-18 0.50 max 120",
        "by agreement",
        "by agreement",
        "",
    )
    report = run(write_csv(tmp_path / "spots.csv", rows), PRICED)
    assert not report.refused
    version = TariffVersion.objects.get()
    assert version.document["bands"] == [
        {
            "days": list(WEEK[:6]),
            "from": "08:00",
            "to": "20:00",
            "tiers": [{"per_hour": 200}],
        },
        {"days": ["sun"], "from": "10:00", "to": "18:00", "tiers": [{"per_hour": 100}]},
    ]
    assert (version.document["currency"], version.in_force.lower) == ("EUR", NOW)
    assert StayRules.objects.get().longest_stay_min == 120
    said = notes(report)
    assert any(text.startswith("1 row says “Mon–Fri 09:00–17:00 2.00") for text in said)
    assert "hours “by agreement” do not fit the pattern (and 1 more row)" in said
    assert any("the rate is 1.00, but the hours say" in text for text in said)


def test_words_that_make_no_tariff_give_way_to_the_next(run: Import, tmp_path: Path) -> None:
    overlap = "mon 8:00-12:00, mon 10:00-14:00 2.00"
    rows = with_hours(overlap, overlap, "mon 9:00-17:00")
    report = run(write_csv(tmp_path / "spots.csv", rows), PRICED)
    assert [band["from"] for band in TariffVersion.objects.get().document["bands"]] == ["09:00"]
    assert any("is no tariff: bands" in text for text in notes(report))


def test_a_zone_without_readable_hours_gets_no_price_and_the_report_says_so(
    run: Import, tmp_path: Path
) -> None:
    report = run(write_csv(tmp_path / "spots.csv", with_hours("ask", "")), PRICED)
    assert report.counts[Noun.SPOTS].created == 2
    assert not TariffVersion.objects.exists()
    assert any("has no tariff and is not on sale" in text for text in notes(report))


def test_prices_in_another_currency_are_not_taken_for_the_citys(
    run: Import, tmp_path: Path
) -> None:
    mapping = PRICED.replace("[tariff]", '[tariff]\ncurrency = "USD"')
    report = run(write_csv(tmp_path / "spots.csv", with_hours("mon 9-17")), mapping)
    assert not TariffVersion.objects.exists()
    assert report.counts[Noun.SPOTS].created == 1
    assert "the mapping's prices are in USD, the city's in EUR" in notes(report)[0]


def test_the_same_currency_is_taken(run: Import, tmp_path: Path, settings: LazySettings) -> None:
    settings.CITY_CURRENCY = "USD"
    mapping = PRICED.replace("[tariff]", '[tariff]\ncurrency = "USD"\nin_force = 2026-01-01')
    run(write_csv(tmp_path / "spots.csv", with_hours("mon 9-17")), mapping)
    version = TariffVersion.objects.get()
    assert version.document["currency"] == "USD"
    assert version.in_force.lower == datetime(2025, 12, 31, 22, tzinfo=UTC)  # midnight in Helsinki


def test_a_price_that_a_zone_has_is_kept_unless_it_shall_be_replaced(
    run: Import, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "spots.csv", with_hours("mon 9-17 max 60"))
    run(path, PRICED)
    write_csv(path, with_hours("mon 9-17 2.00 max 90"))
    kept = run(path, PRICED, now=NOW + timedelta(hours=1))
    assert kept.changes == 0
    assert any("was kept" in text for text in notes(kept))
    assert StayRules.objects.get().longest_stay_min == 60

    later = NOW + timedelta(hours=2)
    replaced = run(path, PRICED, now=later, replace_terms=True)
    assert replaced.counts[Noun.TARIFFS].changed == 1
    assert StayRules.objects.get().longest_stay_min == 90
    new, old = TariffVersion.objects.order_by("-version")
    assert (old.version, old.in_force.lower, old.in_force.upper) == (1, NOW, later)
    assert (new.version, new.in_force.lower, new.in_force.upper) == (2, later, None)
    assert new.document["bands"][0]["tiers"] == [{"per_hour": 400}]
    again = run(path, PRICED, now=later + timedelta(hours=1), replace_terms=True)
    assert again.changes == 0


def test_a_replaced_price_never_begins_in_the_past(run: Import, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "spots.csv", with_hours("mon 9-17"))
    dated = PRICED.replace("[tariff]", "[tariff]\nin_force = 2020-01-01")
    run(path, dated)
    assert TariffVersion.objects.get().in_force.lower.year == 2019  # nothing was sold before
    write_csv(path, with_hours("mon 9-17 2.00"))
    run(path, dated, replace_terms=True)
    old, new = TariffVersion.objects.order_by("version")
    assert old.in_force.upper == new.in_force.lower == NOW


def test_a_replaced_price_ends_where_the_next_one_begins(run: Import, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "spots.csv", with_hours("mon 9-17"))
    run(path, PRICED)
    next_year = PRICED.replace("[tariff]", "[tariff]\nin_force = 2027-01-01")
    write_csv(path, with_hours("mon 9-17 3.00"))
    run(path, next_year, replace_terms=True)
    begins = datetime(2026, 12, 31, 22, tzinfo=UTC)
    write_csv(path, with_hours("mon 9-17 2.00"))
    later = NOW + timedelta(days=1)
    run(path, PRICED, now=later, replace_terms=True)
    periods = [
        (version.version, version.in_force.lower, version.in_force.upper)
        for version in TariffVersion.objects.order_by("in_force")
    ]
    assert periods == [(1, NOW, later), (3, later, begins), (2, begins, None)]


def test_a_draft_of_an_operator_is_neither_used_nor_touched(run: Import, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "spots.csv", with_hours("mon 9-17"))
    run(path)  # no prices yet
    zone = StayRules.objects.get().zone
    author = User.objects.create(username="operator")
    draft = TariffVersion.objects.create(
        zone=zone, version=1, document={}, sha256="0" * 64, proposed_by=author
    )
    run(path, PRICED)
    made = TariffVersion.objects.exclude(id=draft.pk).get()
    assert made.version == 2
    draft.refresh_from_db()
    assert (draft.state, draft.document) == ("draft", {})


def test_the_longest_stay_may_have_a_column_of_its_own(run: Import, tmp_path: Path) -> None:
    rows = [
        row | {"max": longest}
        for row, longest in zip(spot_rows(4), ("10", "10", "60", "?"), strict=True)
    ]
    mapping = (
        COLUMNS + '[stay_rules]\nlongest_stay_min = "max"\nslot_step_min = 10\ngrace_min = 20\n'
        "release_after_min = 20\ncorrections = 5\n"
    )
    report = run(write_csv(tmp_path / "spots.csv", rows), mapping)
    rules = StayRules.objects.get()
    assert (rules.longest_stay_min, rules.shortest_stay_min) == (10, 10)
    assert (rules.slot_step_min, rules.grace_min, rules.corrections) == (10, 20, 5)
    assert rules.release_after_min == 20
    said = notes(report)
    assert "its rows differ on the longest stay: 10 min ×2, 60 min ×1" in said
    assert "its longest stay is 10 min, and so its shortest is no longer" in said
    assert "stay_rules.longest_stay_min: “?” is no number of minutes" in said


@pytest.mark.parametrize(("rate", "told"), [("1.00", True), ("3.00", False)])  # for 30 minutes
def test_a_price_that_no_card_can_pay_is_brought_in_and_told(
    rate: str, told: bool, run: Import, tmp_path: Path
) -> None:
    rows = with_hours("Mon-Fri 09:00-18:00", rate=rate)

    said = notes(run(write_csv(tmp_path / "kerb.csv", rows), PRICED))

    assert TariffVersion.objects.count() == 1
    assert any("at least 0.50" in text for text in said) is told
    assert any("Mon–Fri 09:00–18:00: extending" in text for text in said) is told
