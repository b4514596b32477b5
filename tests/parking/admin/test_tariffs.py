"""A tariff becomes law through two persons, and then stays as it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.urls import reverse
from django.utils import timezone

from parking import tariff_versions
from parking.models import TariffState, TariffVersion, Zone
from parking.pricing import Tariff
from tests import cast
from tests.parking.admin.conftest import Enter

SIX_EURO: dict[str, Any] = {
    **cast.TWO_EURO_AN_HOUR,
    "bands": [{**cast.TWO_EURO_AN_HOUR["bands"][0], "tiers": [{"per_hour": 600}]}],
}
NOW = cast.NOW
MAY = datetime(2026, 5, 1, tzinfo=UTC)
JUNE = datetime(2026, 6, 1, tzinfo=UTC)


def _proposed(zone: Zone, by: User, start: datetime = MAY) -> TariffVersion:
    version = tariff_versions.draft(
        zone_id=zone.pk, document=SIX_EURO, in_force=DateTimeTZRange(start, None)
    )
    tariff_versions.propose(version_id=version.pk, by=by, now=NOW)
    return version


def _ends(zone: Zone) -> dict[int, tuple[datetime | None, datetime | None]]:
    return {
        version.version: (version.in_force.lower, version.in_force.upper)
        for version in zone.tariffs.filter(state=TariffState.APPROVED)
    }


def test_an_approved_version_ends_the_one_before_it_at_its_own_beginning(
    zone: Zone, operator: User, second_operator: User
) -> None:
    version = _proposed(zone, operator)

    tariff_versions.approve(version_id=version.pk, by=second_operator, now=NOW)

    version.refresh_from_db()
    assert (version.version, version.state) == (2, TariffState.APPROVED)
    assert version.sha256 == Tariff.parse(SIX_EURO).sha256
    assert _ends(zone) == {1: (datetime(2020, 1, 1, tzinfo=UTC), MAY), 2: (MAY, None)}


def test_a_version_before_an_approved_one_holds_until_that(
    zone: Zone, operator: User, second_operator: User
) -> None:
    later, sooner = _proposed(zone, operator, JUNE), _proposed(zone, operator, MAY)

    for version in (later, sooner):
        tariff_versions.approve(version_id=version.pk, by=second_operator, now=NOW)

    assert _ends(zone) == {
        1: (datetime(2020, 1, 1, tzinfo=UTC), MAY),
        2: (JUNE, None),
        3: (MAY, JUNE),
    }


def test_who_proposed_it_cannot_approve_it(zone: Zone, operator: User) -> None:
    version = _proposed(zone, operator)

    with pytest.raises(tariff_versions.TariffRefused, match="second person"):
        tariff_versions.approve(version_id=version.pk, by=operator, now=NOW)

    version.refresh_from_db()
    assert version.state == TariffState.PROPOSED
    assert _ends(zone) == {1: (datetime(2020, 1, 1, tzinfo=UTC), None)}


def test_two_versions_cannot_begin_at_one_moment(
    zone: Zone, operator: User, second_operator: User
) -> None:
    first, second = _proposed(zone, operator), _proposed(zone, operator)
    tariff_versions.approve(version_id=first.pk, by=second_operator, now=NOW)

    with pytest.raises(tariff_versions.TariffRefused, match="Version 2 begins"):
        tariff_versions.approve(version_id=second.pk, by=second_operator, now=NOW)


@pytest.mark.parametrize(
    ("in_force", "says"),
    [
        (None, "from which moment"),
        (DateTimeTZRange(NOW - timedelta(minutes=1), None), "has passed"),
    ],
)
def test_a_tariff_never_begins_in_the_past(
    in_force: DateTimeTZRange | None, says: str, zone: Zone, operator: User
) -> None:
    version = tariff_versions.draft(zone_id=zone.pk, document=SIX_EURO, in_force=in_force)

    with pytest.raises(tariff_versions.TariffRefused, match=says):
        tariff_versions.propose(version_id=version.pk, by=operator, now=NOW)

    version.refresh_from_db()
    assert version.state == TariffState.DRAFT


def test_a_proposal_that_waited_too_long_is_not_approved(
    zone: Zone, operator: User, second_operator: User
) -> None:
    version = _proposed(zone, operator)

    with pytest.raises(tariff_versions.TariffRefused, match="has passed"):
        tariff_versions.approve(version_id=version.pk, by=second_operator, now=JUNE)


def _change(version_id: int) -> None:
    tariff_versions.redraft(version_id=version_id, document=SIX_EURO, in_force=None)


def _take_back(version_id: int) -> None:
    tariff_versions.take_back(version_id=version_id)


@pytest.mark.parametrize("step", [_change, _take_back])
def test_what_is_law_is_neither_changed_nor_taken_back(
    step: Callable[[int], None], zone: Zone
) -> None:
    law = zone.tariffs.get()

    with pytest.raises(tariff_versions.TariffRefused, match="is approved"):
        step(law.pk)

    law.refresh_from_db()
    assert law.document == cast.TWO_EURO_AN_HOUR
    with pytest.raises(DatabaseError, match="cannot be changed"), transaction.atomic():
        TariffVersion.objects.filter(pk=law.pk).update(document=SIX_EURO)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ([], "one JSON object"),
        ({**SIX_EURO, "fee": 1}, "fee"),
        ({**SIX_EURO, "currency": "USD"}, "currency: this city has EUR"),
        ({**SIX_EURO, "time_zone": "Europe/Berlin"}, "time_zone: this city has Europe/Helsinki"),
    ],
)
def test_a_bad_document_is_refused_with_the_path_of_its_key(
    document: Any, says: str, zone: Zone
) -> None:
    with pytest.raises(tariff_versions.TariffRefused, match=says):
        tariff_versions.draft(zone_id=zone.pk, document=document, in_force=None)

    assert zone.tariffs.count() == 1


def _form(zone: Zone, document: str, start: datetime) -> dict[str, object]:
    local = timezone.localtime(start)
    return {
        "zone": zone.pk,
        "document": document,
        "period_0_0": f"{local:%Y-%m-%d}",
        "period_0_1": f"{local:%H:%M}",
        "period_1_0": "",
        "period_1_1": "",
    }


def test_the_desk_takes_a_version_from_draft_to_law(
    zone: Zone, operator: User, second_operator: User, enter: Enter
) -> None:
    start = timezone.now().replace(microsecond=0, second=0) + timedelta(days=3)
    mine, theirs = enter(operator), enter(second_operator)

    def step(browser: Any, version: TariffVersion, name: str) -> str:
        page = reverse("admin:parking_tariffversion_step", args=[version.pk, name])
        assert browser.get(page).status_code == 405
        return browser.post(page, follow=True).content.decode()

    made = mine.post(
        reverse("admin:parking_tariffversion_add"), _form(zone, json.dumps(SIX_EURO), start)
    )
    assert made.status_code == 302
    version = zone.tariffs.get(version=2)
    assert (version.state, version.in_force.lower) == (TariffState.DRAFT, start)

    assert "Proposed" in step(mine, version, "propose")
    page = reverse("admin:parking_tariffversion_change", args=[version.pk])
    assert b'name="_save"' not in mine.get(page).content  # what is proposed holds still
    assert "A second person must approve" in step(mine, version, "approve")
    approve = reverse("admin:parking_tariffversion_step", args=[version.pk, "approve"])
    assert approve not in mine.get(page).content.decode()
    assert approve in theirs.get(page).content.decode()
    assert "Approved" in step(theirs, version, "approve")

    version.refresh_from_db()
    assert (version.proposed_by, version.approved_by) == (operator, second_operator)
    assert zone.tariffs.get(version=1).in_force.upper == start
    delete = reverse("admin:parking_tariffversion_delete", args=[version.pk])
    assert theirs.post(delete, {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("{", "valid JSON"),
        ('{"currency": "EUR", "time_zone": "Europe/Helsinki", "bands": [], "x": 1}', "x: "),
    ],
)
def test_the_desk_shows_a_bad_document_beside_its_field(
    document: str, says: str, zone: Zone, operator: User, enter: Enter
) -> None:
    start = timezone.now() + timedelta(days=3)

    answer = enter(operator).post(
        reverse("admin:parking_tariffversion_add"), _form(zone, document, start)
    )

    assert answer.status_code == 200
    assert says in str(answer.context["adminform"].form.errors["document"])
    assert zone.tariffs.count() == 1


def test_a_period_that_ends_before_it_begins_is_refused(
    zone: Zone, operator: User, enter: Enter
) -> None:
    form = _form(zone, "{}", timezone.now() + timedelta(days=3))
    form |= {"period_1_0": form["period_0_0"], "period_1_1": form["period_0_1"]}

    answer = enter(operator).post(reverse("admin:parking_tariffversion_add"), form)

    assert "period" in answer.context["adminform"].form.errors


def test_steps_of_another_zone_are_not_found(
    other_zone: Zone, operator: User, enter: Enter
) -> None:
    version = tariff_versions.draft(
        zone_id=other_zone.pk, document=SIX_EURO, in_force=DateTimeTZRange(JUNE, None)
    )

    answer = enter(operator).post(
        reverse("admin:parking_tariffversion_step", args=[version.pk, "propose"])
    )

    assert answer.status_code == 404
    version.refresh_from_db()
    assert version.state == TariffState.DRAFT


def test_an_auditor_reads_a_tariff_and_takes_no_step(
    zone: Zone, auditor: User, enter: Enter
) -> None:
    version = tariff_versions.draft(
        zone_id=zone.pk, document=SIX_EURO, in_force=DateTimeTZRange(JUNE, None)
    )
    browser = enter(auditor)

    page = browser.get(reverse("admin:parking_tariffversion_change", args=[version.pk]))
    assert page.status_code == 200
    assert b"/step/" not in page.content
    step = reverse("admin:parking_tariffversion_step", args=[version.pk, "propose"])
    assert browser.post(step).status_code == 403


def test_a_new_version_starts_from_an_older_one_and_shows_what_it_costs(
    zone: Zone, operator: User, enter: Enter
) -> None:
    law = zone.tariffs.get()
    browser = enter(operator)

    page = browser.get(reverse("admin:parking_tariffversion_change", args=[law.pk]))
    assert "2.00" in page.content.decode()  # an hour, among the examples
    form = browser.get(reverse("admin:parking_tariffversion_add"), {"from": law.pk})

    assert form.context["adminform"].form.initial["document"] == cast.TWO_EURO_AN_HOUR
    nobodys = browser.get(reverse("admin:parking_tariffversion_add"), {"from": "9" * 20})
    assert nobodys.status_code == 200
