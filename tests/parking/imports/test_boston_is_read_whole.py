"""Boston's own file: 6,955 rows, one of them without a place."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.gis.geos import Point
from django.db import connection
from django.db.models import Count
from django.test.utils import CaptureQueriesContext

from parking.imports import Kind, Noun, Report, import_file, read_mapping
from parking.models import Light, Meter, Spot, StayRules, TariffVersion, Zone
from parking.pricing import Tariff, quote
from tests.cast import NOW
from tests.parking.imports.conftest import city_file

MAPPING = Path(__file__).parent / "boston.toml"


@pytest.fixture(autouse=True)
def _in_boston(settings: LazySettings) -> None:
    settings.CITY_CURRENCY = "USD"
    settings.CITY_TIME_ZONE = "America/New_York"
    settings.CITY_CENTRE = (-71.06, 42.36)


@pytest.mark.django_db
def test_every_usable_row_becomes_a_spot_and_a_second_run_changes_nothing() -> None:
    mapping, path = read_mapping(MAPPING), city_file("boston_meters.csv")
    with CaptureQueriesContext(connection) as asked:
        first = import_file(path=path, mapping=mapping, now=NOW)
    assert len(asked) < 100, "thousands of rows are read and written at a time"
    assert first.rows == 6_955
    assert [(remark.row, remark.subject) for remark in first.refused] == [(6_956, "6955")]
    assert "LONGITUDE / LATITUDE is empty" in first.refused[0].text
    assert Spot.objects.count() == first.counts[Noun.SPOTS].created == 6_954
    assert Zone.objects.count() == first.counts[Noun.ZONES].created == 53
    assert Light.objects.count() == 6_954
    assert TariffVersion.objects.count() == StayRules.objects.count() == 53
    assert Meter.objects.count() == first.counts[Noun.METERS].created

    _check_what_the_file_says(first)

    before = set(Spot.objects.values_list("id", "updated_at"))
    second = import_file(path=path, mapping=mapping, now=NOW)
    assert second.changes == 0
    assert second.counts[Noun.SPOTS].unchanged == 6_954
    assert second.counts[Noun.ZONES].unchanged == 53
    assert set(Spot.objects.values_list("id", "updated_at")) == before
    assert not second.of(Kind.MISSING)


def _check_what_the_file_says(report: Report) -> None:
    """Prices, stays, meters and boundaries are those of the file."""
    fenway = Zone.objects.get(code="KB")
    # $0.25 for a quarter of an hour; 186 of 187 rows allow 240 minutes
    assert StayRules.objects.get(zone=fenway).longest_stay_min == 240
    tariff = TariffVersion.objects.get(zone=fenway)
    assert tariff.in_force.lower == datetime(2017, 4, 1, 4, tzinfo=UTC)
    assert tariff.in_force.upper is None
    monday_nine = datetime(2026, 3, 2, 14, tzinfo=UTC)
    sunday_nine = datetime(2026, 3, 1, 14, tzinfo=UTC)
    parsed = Tariff.parse(tariff.document)
    two_hours = monday_nine.replace(hour=16)
    assert quote(tariff=parsed, start=monday_nine, end=two_hours).total == 200
    assert quote(tariff=parsed, start=sunday_nine, end=sunday_nine.replace(hour=16)).total == 0

    assert StayRules.objects.get(zone__code="AB").longest_stay_min == 720
    assert Zone.objects.get(code="unzoned").spots.count() == 14  # the rows without a zone
    too_cheap = [remark for remark in report.of(Kind.NOTE) if "processor" in remark.text]
    assert "zone KB" in {remark.subject for remark in too_cheap}  # nobody can pay $0.25 by card
    notes = Counter(remark.subject for remark in report.of(Kind.NOTE) if remark not in too_cheap)
    assert notes["zone AG"] == 0  # all of its rows agree
    assert notes["zone AC"] == 2

    lamps = Counter(Meter.objects.annotate(n=Count("spots")).values_list("n", flat=True))
    assert sum(size * meters for size, meters in lamps.items()) == 6_954
    assert max(lamps) <= 8
    assert lamps[1] >= 6_830  # a single-space meter has one lamp
    for zone in Zone.objects.prefetch_related("spots"):
        boundary = zone.boundary
        assert boundary.valid
        prepared = boundary.prepared
        assert all(prepared.covers(spot.location) for spot in zone.spots.all())
    assert not fenway.boundary.contains(Point(-71.06, 42.36, srid=4326))
