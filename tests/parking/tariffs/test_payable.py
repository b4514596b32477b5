"""A tariff that sells what cannot be paid is neither proposed nor approved."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from parking import tariff_versions
from parking.models import StayRules, TariffState, TariffVersion, Zone
from tests import cast

MAY = datetime(2026, 5, 1, tzinfo=UTC)
SATURDAY: dict[str, Any] = {"days": ["sat"], "from": "10:00", "to": "18:00"}


def _draft(zone: Zone, **keys: Any) -> TariffVersion:
    document = {
        **cast.TWO_EURO_AN_HOUR,
        "bands": [{**SATURDAY, "tiers": [{"per_hour": 100}]}],
        **keys,
    }
    return tariff_versions.draft(
        zone_id=zone.pk, document=document, in_force=DateTimeTZRange(MAY, None)
    )


def test_the_refusal_names_the_band_the_numbers_and_what_to_do(zone: Zone) -> None:
    StayRules.objects.filter(zone=zone).update(slot_step_min=15)
    version = _draft(zone)

    with pytest.raises(tariff_versions.TariffRefused) as refused:
        tariff_versions.propose(version_id=version.pk, by=cast.a_person("anna"), now=cast.NOW)

    said = str(refused.value)
    assert "Sat 10:00–18:00: 15 min cost 0.25\N{NO-BREAK SPACE}€ (Sat 2 May 2026, 10:00)." in said
    assert "extending 15 min to 30 min costs 0.25\N{NO-BREAK SPACE}€" in said
    assert "The processor takes at least 0.50\N{NO-BREAK SPACE}€." in said
    assert "min_charge" in said
    version.refresh_from_db()
    assert (version.state, version.proposed_by) == (TariffState.DRAFT, None)


def test_stay_rules_that_changed_meanwhile_stop_the_approval(zone: Zone) -> None:
    rules = StayRules.objects.filter(zone=zone)
    rules.update(slot_step_min=30, shortest_stay_min=30)
    version = _draft(zone)
    assert (
        tariff_versions.propose(version_id=version.pk, by=cast.a_person("anna"), now=cast.NOW) == ""
    )

    rules.update(slot_step_min=15)
    with pytest.raises(tariff_versions.TariffRefused, match="extending 30 min to 45 min"):
        tariff_versions.approve(version_id=version.pk, by=cast.a_person("ben"), now=cast.NOW)

    version.refresh_from_db()
    assert version.state == TariffState.PROPOSED
    assert zone.tariffs.get(version=1).in_force.upper is None


def test_the_minimum_is_the_installations_own(zone: Zone, settings: Any) -> None:
    settings.PROCESSOR_MINIMUM_CHARGE = 9
    version = _draft(zone)

    with pytest.raises(tariff_versions.TariffRefused, match=r"at least 0\.09"):
        tariff_versions.propose(version_id=version.pk, by=cast.a_person("anna"), now=cast.NOW)

    settings.PROCESSOR_MINIMUM_CHARGE = 8  # five minutes at a euro an hour are rounded up to it
    tariff_versions.propose(version_id=version.pk, by=cast.a_person("ben"), now=cast.NOW)
    version.refresh_from_db()
    assert version.state == TariffState.PROPOSED


def test_free_parking_is_approved(zone: Zone) -> None:
    version = tariff_versions.draft(
        zone_id=zone.pk,
        document=cast.FREE_OF_CHARGE,
        in_force=DateTimeTZRange(MAY, None),
    )

    tariff_versions.propose(version_id=version.pk, by=cast.a_person("anna"), now=cast.NOW)
    tariff_versions.approve(version_id=version.pk, by=cast.a_person("ben"), now=cast.NOW)

    version.refresh_from_db()
    assert version.state == TariffState.APPROVED


def test_stays_that_were_not_looked_at_are_told(zone: Zone) -> None:
    StayRules.objects.filter(zone=zone).update(longest_stay_min=30 * 24 * 60)
    version = _draft(zone, rounding={"unit": 50, "mode": "up"})

    said = tariff_versions.propose(version_id=version.pk, by=cast.a_person("anna"), now=cast.NOW)

    assert said.startswith("Stays of up to 24 h were compared")
