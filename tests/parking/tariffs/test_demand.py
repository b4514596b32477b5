"""Demand proposes prices; people decide on them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone

from parking import demand, tariff_versions
from parking.models import (
    DemandRule,
    Slot,
    SlotState,
    Spot,
    StayRules,
    TariffOrigin,
    TariffState,
    TariffVersion,
    Zone,
)
from parking.pricing import Tariff
from tests import cast

pytestmark = pytest.mark.django_db
NOW = cast.NOW  # a Tuesday, 10:00
SINCE = NOW - timedelta(days=28)
EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _band(begin: str, end: str, *rates: int) -> dict[str, Any]:
    tiers = [{"upto_min": 60 * (at + 1), "per_hour": rate} for at, rate in enumerate(rates[:-1])]
    tiers.append({"per_hour": rates[-1]})
    return {"days": EVERY_DAY, "from": begin, "to": end, "tiers": tiers}


def _zone(*bands: dict[str, Any], rule: dict[str, Any] | None = None, **keys: Any) -> Zone:
    document = {**cast.TWO_EURO_AN_HOUR, "bands": list(bands), **keys}
    zone = cast.a_zone(tariff=document)
    StayRules.objects.filter(zone=zone).update(slot_step_min=30, shortest_stay_min=30)
    if rule is not None:
        fields = {"step_amount": 25, "floor": 100, "ceiling": 800, **rule}
        DemandRule.objects.create(zone=zone, **fields)
    return zone


def _taken(spot: Spot, share: float) -> None:
    """Take the spot for a share of all time that is looked at."""
    slot = cast.an_unguarded_slot(spot.pk, SINCE, int(28 * 24 * 60 * share))
    Slot.objects.filter(pk=slot.pk).update(state=SlotState.CONFIRMED, confirmed_at=SINCE)


def _prices(zone: Zone) -> list[tuple[tuple[int, int], ...]]:
    return [band.prices for band in demand.proposal(zone_id=zone.pk, now=NOW).bands]


@pytest.mark.parametrize(
    ("share", "new"),
    [(0.9, 225), (0.8, 225), (0.79, 200), (0.6, 200), (0.59, 175), (0, 175)],
)
def test_prices_rise_from_80_percent_fall_below_60_and_else_stay(share: float, new: int) -> None:
    zone = _zone(_band("00:00", "24:00", 200), rule={})
    spot = cast.a_spot(zone)
    if share:
        _taken(spot, share)

    assert _prices(zone) == [((200, new),)]


def test_every_tier_moves_and_each_is_kept_within_floor_and_ceiling() -> None:
    zone = _zone(_band("00:00", "24:00", 110, 400, 0), rule={})
    cast.a_spot(zone)

    assert _prices(zone) == [((110, 100), (400, 375), (0, 0))]

    DemandRule.objects.update(ceiling=410)
    _taken(Spot.objects.get(), 1)
    assert _prices(zone) == [((110, 135), (400, 410), (0, 0))]


def test_a_price_beyond_its_limits_is_not_moved_the_other_way() -> None:
    zone = _zone(_band("00:00", "12:00", 50), _band("12:00", "24:00", 900), rule={})
    spot = cast.a_spot(zone)

    assert _prices(zone) == [((50, 50),), ((900, 875),)]
    _taken(spot, 1)
    assert _prices(zone) == [((50, 75),), ((900, 900),)]


def test_bands_are_judged_by_their_own_hours() -> None:
    zone = _zone(_band("08:00", "09:00", 200), _band("09:00", "18:00", 400), rule={})
    spot = cast.a_spot(zone)
    for day in range(28):
        start = NOW - timedelta(days=day, hours=2)  # 8:00 in Helsinki
        slot = cast.an_unguarded_slot(spot.pk, start, 60)
        Slot.objects.filter(pk=slot.pk).update(state=SlotState.CONFIRMED, confirmed_at=start)

    morning, day_time = demand.proposal(zone_id=zone.pk, now=NOW).bands

    assert (morning.hours, morning.share.basis_points) == ("every day 08:00–09:00", 10_000)
    assert morning.prices == ((200, 225),)
    assert "100 % was taken" in morning.reason
    assert (day_time.share.basis_points, day_time.prices) == (0, ((400, 375),))


def test_a_draft_keeps_all_but_the_prices_and_waits_for_two_people() -> None:
    keys = {"vehicle_classes": {"disabled": {"percent": 0}}, "free_first_min": 5}
    zone = _zone(_band("00:00", "24:00", 200), rule={}, **keys)
    cast.a_spot(zone)

    version = demand.make_draft(zone_id=zone.pk, now=NOW)

    version.refresh_from_db()
    law = zone.tariffs.get(version=1)
    assert (version.state, version.origin) == (TariffState.DRAFT, TariffOrigin.DEMAND)
    assert (version.proposed_by, version.approved_by) == (None, None)
    assert version.document == {**law.document, "bands": [_band("00:00", "24:00", 175)]}
    assert timezone.localtime(version.in_force.lower).isoformat() == "2026-03-10T00:00:00+02:00"
    assert law.in_force.upper is None  # nothing has changed yet
    with pytest.raises(demand.DemandRefused, match="Version 2 is such a proposal"):
        demand.make_draft(zone_id=zone.pk, now=NOW)

    one, two = cast.a_person("one"), cast.a_person("two")
    TariffVersion.objects.filter(pk=version.pk).update(
        document={**version.document, "free_first_min": 0}
    )
    tariff_versions.propose(version_id=version.pk, by=one, now=NOW)
    with pytest.raises(tariff_versions.TariffRefused, match="second person"):
        tariff_versions.approve(version_id=version.pk, by=one, now=NOW)
    tariff_versions.approve(version_id=version.pk, by=two, now=NOW)
    version.refresh_from_db()
    assert version.state == TariffState.APPROVED


def _changed(zone: Zone, start: datetime) -> TariffVersion:
    law = zone.tariffs.get(version=1)
    TariffVersion.objects.filter(pk=law.pk).update(
        in_force=DateTimeTZRange(law.in_force.lower, start)
    )
    return TariffVersion.objects.create(
        zone=zone,
        version=2,
        document=law.document,
        sha256=law.sha256,
        state=TariffState.APPROVED,
        in_force=DateTimeTZRange(start, None),
    )


def test_prices_hold_for_28_days() -> None:
    zone = _zone(_band("00:00", "24:00", 200), rule={})
    cast.a_spot(zone)
    _changed(zone, NOW - timedelta(days=27))

    made = demand.proposal(zone_id=zone.pk, now=NOW)

    assert made.bands[0].prices == ((200, 175),)  # shown, and yet no draft
    assert len(made.refusals) == 1
    assert made.refusals[0].endswith("they may follow demand again from Wed 4 March 2026, 10:00.")
    with pytest.raises(demand.DemandRefused):
        demand.make_draft(zone_id=zone.pk, now=NOW)
    assert zone.tariffs.count() == 2
    assert demand.proposal(zone_id=zone.pk, now=NOW + timedelta(days=1)).refusals == ()


def test_a_draft_that_waited_while_prices_changed_is_not_approved() -> None:
    zone = _zone(_band("00:00", "24:00", 200), rule={})
    cast.a_spot(zone)
    version = demand.make_draft(zone_id=zone.pk, now=NOW)
    tariff_versions.propose(version_id=version.pk, by=cast.a_person("one"), now=NOW)
    TariffVersion.objects.filter(version=2).update(version=3)
    _changed(zone, NOW + timedelta(days=1))

    with pytest.raises(tariff_versions.TariffRefused, match="again from Wed 1 April 2026, 10:00"):
        tariff_versions.approve(version_id=version.pk, by=cast.a_person("two"), now=NOW)

    version.refresh_from_db()
    assert version.state == TariffState.PROPOSED


def test_an_approved_change_to_come_is_waited_for() -> None:
    zone = _zone(_band("00:00", "24:00", 200), rule={})
    cast.a_spot(zone)
    _changed(zone, NOW + timedelta(days=40))

    assert "Version 2 is approved" in demand.proposal(zone_id=zone.pk, now=NOW).refusals[0]


@pytest.mark.parametrize(
    ("share", "rule", "says"),
    [(0.7, {}, "No price would change"), (0, {"floor": 200}, "No price would change")],
)
def test_nothing_to_change_is_said(share: float, rule: dict[str, int], says: str) -> None:
    zone = _zone(_band("00:00", "24:00", 200), rule=rule)
    spot = cast.a_spot(zone)
    if share:
        _taken(spot, share)

    made = demand.proposal(zone_id=zone.pk, now=NOW)

    assert made.refusals == (says + ".",)


def test_without_a_rule_demand_says_nothing() -> None:
    zone = _zone(_band("00:00", "24:00", 200))
    cast.a_spot(zone)

    made = demand.proposal(zone_id=zone.pk, now=NOW)

    assert (made.bands, made.document) == ((), None)
    assert made.refusals == ("Demand pricing is off in this zone: it has no rule.",)


def test_a_ladder_has_no_price_that_could_follow() -> None:
    zone = _zone(_band("00:00", "24:00", 200), rule={}, ladder=[{"upto_min": 60, "total": 300}])

    assert "ladder" in demand.proposal(zone_id=zone.pk, now=NOW).refusals[0]


def test_a_zone_without_a_tariff_in_force_or_without_spots_is_left_alone() -> None:
    zone = _zone(_band("00:00", "24:00", 200), rule={})

    assert demand.proposal(zone_id=zone.pk, now=NOW).bands[0].reason == (
        "No time of it could be booked."
    )
    long_ago = datetime(2019, 1, 1, tzinfo=UTC)
    assert "no tariff" in demand.proposal(zone_id=zone.pk, now=long_ago).refusals[0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"step_amount": 0},
        {"lower_pct": 81},
        {"upper_pct": 101},
        {"floor": 801},
        {"days": 27},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(wrong: dict[str, int], zone: Zone) -> None:
    fields = {"step_amount": 25, "floor": 100, "ceiling": 800, **wrong}

    with pytest.raises(IntegrityError, match="demand_rule"), transaction.atomic():
        DemandRule.objects.create(zone=zone, **fields)


def _command(*arguments: str) -> str:
    out = StringIO()
    call_command("propose_prices", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_shows_the_proposal_and_drafts_it() -> None:
    zone = _zone(_band("00:00", "24:00", 200), rule={})
    cast.a_spot(zone)

    said = _command("--zone", "kamppi", "--dry-run")
    assert (
        "every day 00:00–24:00: 2.00\N{NO-BREAK SPACE}€ → 1.75\N{NO-BREAK SPACE}€. 0 % was" in said
    )
    assert zone.tariffs.count() == 1

    assert "Draft: Kamppi v2, from " in _command("--zone", "kamppi")
    assert zone.tariffs.get(version=2).origin == TariffOrigin.DEMAND
    with pytest.raises(CommandError, match="No draft: Version 2 is such a proposal"):
        _command("--zone", "kamppi")
    assert zone.tariffs.count() == 2


def test_the_command_names_the_zones_when_one_is_unknown(zone: Zone) -> None:
    with pytest.raises(CommandError, match="no zone nowhere; there is: kamppi"):
        _command("--zone", "nowhere")


def test_the_default_step_is_a_quarter_of_the_currency(settings: Any) -> None:
    assert demand.default_step() == 25
    settings.CITY_CURRENCY = "KWD"
    assert demand.default_step() == 250
    settings.CITY_CURRENCY = "IRR"
    assert demand.default_step() is None


def test_the_document_of_a_proposal_can_be_read(zone: Zone) -> None:
    DemandRule.objects.create(zone=zone, step_amount=25, floor=0, ceiling=900)
    document = demand.proposal(zone_id=zone.pk, now=NOW).document

    assert document is not None
    assert Tariff.parse(document) == Tariff.parse(cast.TWO_EURO_AN_HOUR)  # no spots, no change
