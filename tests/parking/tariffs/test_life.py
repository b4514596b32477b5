"""A version goes from draft to superseded, and the database keeps what was approved."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from parking.models import Spot, Standing, TariffOrigin, TariffState, TariffVersion, Zone
from parking.pricing import Tariff
from tests import cast

NOW = cast.NOW
SINCE = datetime(2020, 1, 1, tzinfo=UTC)


def _version(**fields: Any) -> TariffVersion:
    return TariffVersion(**{"state": TariffState.APPROVED, **fields})


@pytest.mark.parametrize(
    ("version", "standing"),
    [
        (_version(state=TariffState.DRAFT), Standing.DRAFT),
        (_version(state=TariffState.PROPOSED), Standing.PROPOSED),
        (_version(in_force=DateTimeTZRange(cast.at(1), None)), Standing.TO_COME),
        (_version(in_force=DateTimeTZRange(NOW, None)), Standing.IN_FORCE),
        (_version(in_force=DateTimeTZRange(cast.at(-9), cast.at(1))), Standing.IN_FORCE),
        (_version(in_force=DateTimeTZRange(cast.at(-9), NOW)), Standing.SUPERSEDED),
    ],
)
def test_a_version_stands_where_its_state_and_the_time_put_it(
    version: TariffVersion, standing: Standing
) -> None:
    assert version.standing(NOW) is standing


def _sql(statement: str, *values: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.mark.parametrize(
    "change",
    [
        "state = 'draft'",
        "state = 'proposed'",
        "version = 9",
        "document = '{}'",
        "sha256 = ''",
        "origin = 'demand'",
        "approved_by_id = NULL, created_at = now()",
        "in_force = NULL",
        "in_force = 'empty'",
        "in_force = tstzrange('2020-01-01 00:00+00', '2026-07-01 00:00+00')",  # later
        "in_force = tstzrange('2020-01-01 00:00+00', NULL)",
        "in_force = tstzrange('2019-12-31 00:00+00', '2026-06-01 00:00+00')",  # sooner
        "in_force = tstzrange('2020-01-02 00:00+00', '2026-06-01 00:00+00')",  # begins later
        "in_force = tstzrange('2020-01-01 00:00+00', '2026-06-01 00:00+00', '()')",
        "in_force = tstzrange('2027-01-01 00:00+00', '2027-06-01 00:00+00')",
    ],
)
def test_the_database_refuses_to_change_what_was_approved(change: str, zone: Zone) -> None:
    law = zone.tariffs.get()
    _sql("UPDATE parking_tariffversion SET in_force = tstzrange(%s, %s)", SINCE, _june())

    with pytest.raises(DatabaseError, match="cannot be changed"):
        _sql(f"UPDATE parking_tariffversion SET {change}")

    law.refresh_from_db()
    assert (law.state, law.in_force) == (TariffState.APPROVED, DateTimeTZRange(SINCE, _june()))
    assert law.document == cast.TWO_EURO_AN_HOUR


def test_the_database_lets_an_approved_version_end_sooner_and_never_go(zone: Zone) -> None:
    _sql("UPDATE parking_tariffversion SET in_force = tstzrange(%s, %s)", SINCE, _june())

    assert zone.tariffs.get().in_force.upper == _june()
    with pytest.raises(DatabaseError, match="cannot be changed"):
        _sql("DELETE FROM parking_tariffversion")
    assert zone.tariffs.count() == 1


def test_a_booking_keeps_its_version_and_quote_when_prices_change(zone: Zone, spot: Spot) -> None:
    slot = cast.a_hold(spot)
    was = (slot.amount, slot.quote)
    law = zone.tariffs.get()
    dearer = {
        **cast.TWO_EURO_AN_HOUR,
        "bands": [{**cast.TWO_EURO_AN_HOUR["bands"][0], "tiers": [{"per_hour": 900}]}],
    }

    _sql("UPDATE parking_tariffversion SET in_force = tstzrange(%s, %s)", SINCE, NOW)
    TariffVersion.objects.create(
        zone=zone,
        version=2,
        document=dearer,
        sha256=Tariff.parse(dearer).sha256,
        state=TariffState.APPROVED,
        in_force=DateTimeTZRange(NOW, None),
    )

    slot.refresh_from_db()
    assert slot.tariff == law
    assert (slot.amount, slot.quote) == was
    assert slot.amount == 200
    assert slot.quote["tariff_sha256"] == law.sha256
    new = cast.a_hold(spot, cast.at(60), plate="XYZ987")
    assert (new.amount, new.tariff.version) == (900, 2)


@pytest.mark.parametrize("missing", ["proposed_by", "approved_by"])
def test_what_demand_proposes_is_not_approved_without_two_people(missing: str, zone: Zone) -> None:
    people = {"proposed_by": cast.a_person("one"), "approved_by": cast.a_person("two")}
    fields = {
        "zone": zone,
        "version": 2,
        "document": {},
        "origin": TariffOrigin.DEMAND,
        "state": TariffState.APPROVED,
        "in_force": DateTimeTZRange(_june(), None),
    }
    TariffVersion.objects.filter(zone=zone).update(in_force=DateTimeTZRange(SINCE, _june()))

    with pytest.raises(IntegrityError, match="tariff_demand_needs_two_people"):
        with transaction.atomic():
            TariffVersion.objects.create(**fields, **{**people, missing: None})
    one = people["proposed_by"]
    with pytest.raises(IntegrityError, match="tariff_approved_by_second_person"):
        with transaction.atomic():
            TariffVersion.objects.create(**fields, proposed_by=one, approved_by=one)

    assert TariffVersion.objects.create(**fields, **people).pk


def _june() -> datetime:
    return datetime(2026, 6, 1, tzinfo=UTC)
