"""An operator reaches nothing of another zone by any way of the desk."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.contrib.gis.geos import Point
from django.urls import reverse

from parking.models import Spot, Zone
from tests import cast
from tests.parking.admin.conftest import Enter


def _spot_form(zone: Zone, **changes: object) -> dict[str, object]:
    return {
        "zone": zone.pk,
        "number": "N-1",
        "street": "Annankatu",
        "bearing": 0,
        "location": Point(24.93, 60.16).geojson,
        "is_active": "on",
        **changes,
    }


def test_choices_name_only_own_zones(
    operator: User, zone: Zone, other_zone: Zone, enter: Enter
) -> None:
    browser = enter(operator)

    for name in ("parking_spot", "parking_closure", "parking_tariffversion"):
        form = browser.get(reverse(f"admin:{name}_add")).context["adminform"].form
        assert list(form.fields["zone"].queryset) == [zone], name


def test_filters_name_only_own_zones(
    operator: User, zone: Zone, other_zone: Zone, enter: Enter
) -> None:
    zone.name, other_zone.name = "Here", "Elsewhere"
    Zone.objects.bulk_update([zone, other_zone], ["name"])
    third = cast.a_zone("third")  # a filter with a single choice is not shown at all
    third.operators.add(operator)
    cast.a_spot(zone)
    cast.a_spot(other_zone)

    for name in ("spot", "closure", "tariffversion", "booking"):
        page = enter(operator).get(reverse(f"admin:parking_{name}_changelist")).content.decode()
        assert "Here" in page, name
        assert "Elsewhere" not in page, name


def test_autocomplete_finds_only_own_meters(
    operator: User, zone: Zone, other_zone: Zone, enter: Enter
) -> None:
    cast.a_meter(zone, "MTR-1")
    cast.a_meter(other_zone, "MTR-2")

    answer = enter(operator).get(
        reverse("admin:autocomplete"),
        {"app_label": "parking", "model_name": "spot", "field_name": "meter", "term": "MTR"},
    )

    assert [found["text"] for found in answer.json()["results"]] == ["MTR-1"]


def test_a_spot_cannot_be_put_into_another_zone(
    operator: User, zone: Zone, other_zone: Zone, enter: Enter
) -> None:
    browser = enter(operator)

    answer = browser.post(reverse("admin:parking_spot_add"), _spot_form(other_zone))

    assert answer.status_code == 200
    assert "zone" in answer.context["adminform"].form.errors
    assert not Spot.objects.exists()
    assert browser.post(reverse("admin:parking_spot_add"), _spot_form(zone)).status_code == 302
    assert Spot.objects.get().zone == zone


def test_a_spot_cannot_be_tied_to_another_zones_meter(
    operator: User, zone: Zone, other_zone: Zone, enter: Enter
) -> None:
    theirs = cast.a_meter(other_zone, "MTR-2")

    answer = enter(operator).post(
        reverse("admin:parking_spot_add"), _spot_form(zone, meter=theirs.pk, position=1)
    )

    assert "meter" in answer.context["adminform"].form.errors
    assert not Spot.objects.exists()


def test_posting_to_another_zones_page_is_answered_404(
    operator: User, zone: Zone, other_zone: Zone, enter: Enter
) -> None:
    theirs = cast.a_spot(other_zone)
    browser = enter(operator)

    for page in ("change", "delete", "history"):
        address = reverse(f"admin:parking_spot_{page}", args=[theirs.pk])
        assert browser.get(address).status_code in {403, 404}, page
    answer = browser.post(
        reverse("admin:parking_spot_change", args=[theirs.pk]), _spot_form(zone, number="X")
    )

    assert answer.status_code == 404
    theirs.refresh_from_db()
    assert (theirs.number, theirs.zone) == ("K-1", other_zone)


@pytest.mark.parametrize("action", ["take_out_of_use", "put_into_use"])
def test_actions_leave_other_zones_alone(
    action: str, operator: User, zone: Zone, other_zone: Zone, enter: Enter
) -> None:
    was = action == "take_out_of_use"
    mine = cast.a_spot(zone, is_active=was)
    theirs = cast.a_spot(other_zone, is_active=was)

    enter(operator).post(
        reverse("admin:parking_spot_changelist"),
        {"action": action, "_selected_action": [mine.pk, theirs.pk], "reason": "works"},
    )

    mine.refresh_from_db()
    theirs.refresh_from_db()
    assert mine.is_active is not was
    assert theirs.is_active is was


def test_an_operator_cannot_name_operators_or_rename_a_code(
    operator: User, zone: Zone, enter: Enter
) -> None:
    friend = cast.a_person("friend", is_staff=True)
    page = reverse("admin:parking_zone_change", args=[zone.pk])

    answer = enter(operator).post(
        page,
        {
            "name": "New name",
            "code": "another",
            "operators": [friend.pk],
            "boundary": zone.boundary.geojson,
            "is_active": "on",
            "stay_rules-TOTAL_FORMS": 1,
            "stay_rules-INITIAL_FORMS": 1,
            "plate_days": 30,
            "stay_rules-0-zone": zone.pk,
            "stay_rules-0-longest_stay_min": 90,
            "stay_rules-0-shortest_stay_min": 15,
            "stay_rules-0-slot_step_min": 5,
            "stay_rules-0-book_ahead_days": 7,
            "stay_rules-0-grace_min": 10,
            "stay_rules-0-corrections": 3,
            "stay_rules-0-lead_time_min": 0,
            "stay_rules-0-no_return_min": 0,
            "stay_rules-0-walk_up_min": 15,
            "stay_rules-0-buffer_min": 0,
        },
    )

    assert answer.status_code == 302, answer.context["errors"]
    zone.refresh_from_db()
    assert (zone.name, zone.code) == ("New name", "kamppi")
    assert list(zone.operators.all()) == [operator]
    assert zone.stay_rules.longest_stay_min == 90


def test_a_warden_with_a_zone_still_changes_nothing(warden: User, zone: Zone, enter: Enter) -> None:
    zone.operators.add(warden)
    spot = cast.a_spot(zone)

    answer = enter(warden).post(
        reverse("admin:parking_spot_change", args=[spot.pk]), _spot_form(zone)
    )

    assert answer.status_code == 403


def test_an_operator_who_is_also_auditor_reads_all_and_changes_only_the_own(
    operator: User, zone: Zone, other_zone: Zone, enter: Enter
) -> None:
    from parking import roles

    roles.give(user=operator, role=roles.AUDITOR)
    theirs = cast.a_spot(other_zone)
    browser = enter(operator)
    page = reverse("admin:parking_spot_change", args=[theirs.pk])

    assert b'name="_save"' not in browser.get(page).content
    assert browser.post(page, _spot_form(zone, number="X")).status_code == 403
    browser.post(
        reverse("admin:parking_spot_changelist"),
        {"action": "take_out_of_use", "_selected_action": [theirs.pk], "reason": "works"},
    )
    theirs.refresh_from_db()
    assert (theirs.number, theirs.is_active) == ("K-1", True)
