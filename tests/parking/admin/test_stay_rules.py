"""Operators switch stay rules on, and announce events; what makes no sense is said at its field."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.urls import reverse

from parking import lights
from parking.models import Closure, Light, StayRules, Zone
from tests import cast
from tests.parking.admin.conftest import Enter
from tests.parking.admin.test_street import _closure

USUAL = {
    "longest_stay_min": 240,
    "shortest_stay_min": 15,
    "slot_step_min": 5,
    "book_ahead_days": 7,
    "grace_min": 10,
    "corrections": 3,
    "lead_time_min": 0,
    "no_return_min": 0,
    "walk_up_min": 15,
    "buffer_min": 0,
}


def post_rules(browser: Any, zone: Zone, **rules: Any) -> Any:
    inline = {f"stay_rules-0-{name}": value for name, value in (USUAL | rules).items()}
    return browser.post(
        reverse("admin:parking_zone_change", args=[zone.pk]),
        {
            "name": zone.name,
            "is_active": "on",
            "plate_days": zone.plate_days,
            "boundary": zone.boundary.geojson,
            "stay_rules-TOTAL_FORMS": 1,
            "stay_rules-INITIAL_FORMS": 1,
            "stay_rules-0-zone": zone.pk,
            **inline,
        },
    )


def test_every_rule_can_be_switched_on(zone: Zone, operator: User, enter: Enter) -> None:
    wanted = {
        "lead_time_min": 30,
        "corrections": 5,
        "no_return_min": 120,
        "most_stays_ahead": 2,
        "buffer_min": 10,
        "reservable_percent": 60,
        "walk_up_min": 20,
    }
    assert post_rules(enter(operator), zone, **wanted).status_code == 302
    assert StayRules.objects.values(*wanted).get() == wanted


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"lead_time_min": 7 * 1440 + 1}, "The lead time is longer than"),
        ({"no_return_min": 7 * 1440 + 1}, "more than a week"),
        ({"buffer_min": 121}, "At most 120 minutes"),
        ({"reservable_percent": 101}, "less than or equal to 100"),
        ({"most_stays_ahead": 0}, "A vehicle needs at least one stay"),
        ({"buffer_min": -1}, "greater than or equal to 0"),
        ({"grace_min": 9}, "greater than or equal to 10"),
        ({"corrections": 101}, "less than or equal to 100"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_in_words(
    zone: Zone, operator: User, enter: Enter, wrong: dict[str, int], words: str
) -> None:
    before = StayRules.objects.values().get()
    answer = post_rules(enter(operator), zone, **wrong)
    assert answer.status_code == 200
    assert words in str(answer.context["errors"])
    assert StayRules.objects.values().get() == before


def test_an_event_in_a_street_that_only_shortens_stays(
    zone: Zone, operator: User, enter: Enter
) -> None:
    cast.a_spot(zone)
    event = _closure(zone, "08:00", "16:00", street="Fredrikinkatu", longest_stay_min=30)
    browser = enter(operator)
    assert browser.post(reverse("admin:parking_closure_add"), event).status_code == 302
    listed = browser.get(reverse("admin:parking_closure_changelist")).content.decode()
    assert "30\xa0min" in listed or "30 min" in listed
    assert Closure.objects.get().street == "Fredrikinkatu"


def test_an_event_that_makes_no_sense_is_refused_beside_its_field(
    zone: Zone, operator: User, enter: Enter
) -> None:
    spot = cast.a_spot(zone)
    browser, page = enter(operator), reverse("admin:parking_closure_add")
    for wrong, field in (
        ({"street": "Nowhere"}, "street"),
        ({"street": "Fredrikinkatu", "spot": spot.pk}, "__all__"),
        ({"kind": "works", "longest_stay_min": 30}, "__all__"),
        ({"longest_stay_min": 0}, "__all__"),
        ({"kind": "party"}, "kind"),
    ):
        answer = browser.post(page, _closure(zone, "08:00", "16:00", **wrong))
        assert answer.status_code == 200, wrong
        assert field in answer.context["adminform"].form.errors, wrong
    assert not Closure.objects.exists()


def test_only_what_closes_turns_lamps_red_and_only_in_its_street(zone: Zone) -> None:
    inside, outside = cast.a_spot(zone, "K-1"), cast.a_spot(zone, "K-2")
    for position, spot in enumerate((inside, outside), start=1):
        spot.meter, spot.position = cast.a_meter(zone, f"MTR-{position}"), position
        spot.save(update_fields=["meter", "position"])
    outside.street = "Bulevardi"
    outside.save(update_fields=["street"])
    event = Closure.objects.create(
        zone=zone,
        street="Fredrikinkatu",
        period=DateTimeTZRange(cast.at(-60), cast.at(60)),
        kind="event",
        reason="Street market",
        longest_stay_min=30,
    )

    def lamps() -> dict[str, str]:
        lights.replan_spots(zone_id=zone.pk, spot_id=None, street="", now=cast.NOW)
        return dict(Light.objects.values_list("spot__number", "desired_light"))

    assert lamps() == {"K-1": "off", "K-2": "off"}
    Closure.objects.filter(pk=event.pk).update(longest_stay_min=None)
    assert lamps() == {"K-1": "red", "K-2": "off"}
    touched = lights.replan_spots(
        zone_id=zone.pk, spot_id=None, street="Fredrikinkatu", now=cast.NOW
    )
    assert touched == [inside.meter_id]
