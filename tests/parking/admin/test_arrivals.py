"""Operators see which spots were given to others in their zones, by whom, when and why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from parking.models import ArrivalOutcome, ArrivalWatch, StayRules, Zone
from tests import cast
from tests.parking.admin.conftest import Enter
from tests.parking.admin.test_stay_rules import post_rules

LIST = "admin:parking_arrivalwatch_changelist"


def watched(zone: Zone, number: str, outcome: ArrivalOutcome, *, days_ago: float = 1) -> Any:
    now = timezone.now()
    start = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    slot = cast.a_hold(cast.a_spot(zone, number), start, now=now)
    is_over = outcome != ArrivalOutcome.WAITING
    return ArrivalWatch.objects.create(
        booking=slot.booking,
        release_after_min=15,
        look_at=now,
        outcome=outcome,
        decided_at=now - timedelta(days=days_ago) if is_over else None,
        free_since=cast.at(-30) if outcome == ArrivalOutcome.RELEASED else None,
        last_word_at=cast.at(15) if outcome == ArrivalOutcome.RELEASED else None,
    )


def test_a_zone_is_told_its_figures_of_the_last_days(
    zone: Zone, other_zone: Zone, operator: User, enter: Enter
) -> None:
    for number in ("K-1", "K-2"):
        watched(zone, number, ArrivalOutcome.RELEASED)
    watched(zone, "K-3", ArrivalOutcome.CAME)
    watched(zone, "K-4", ArrivalOutcome.UNCLEAR)
    watched(zone, "K-5", ArrivalOutcome.WAITING)
    watched(zone, "K-6", ArrivalOutcome.RELEASED, days_ago=31)
    watched(other_zone, "P-1", ArrivalOutcome.RELEASED)

    answer = enter(operator).get(reverse(LIST))

    [tally] = answer.context["tallies"]
    assert (tally.zone, tally.released, tally.came, tally.unclear) == ("Kamppi", 2, 1, 1)
    assert tally.released_percent == 50
    text = answer.content.decode()
    assert "The sensor said free from 09:30 to 10:15, without a break." in text
    assert "P-1" not in text


def test_the_list_costs_the_same_queries_for_one_and_for_many(
    zone: Zone, operator: User, enter: Enter, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        watched(zone, f"K-{number}", ArrivalOutcome.CAME)
    browser = enter(operator)
    with django_assert_max_num_queries(16):
        browser.get(reverse(LIST))


def test_not_even_a_superuser_edits_or_deletes_an_outcome(
    zone: Zone, superuser: User, enter: Enter
) -> None:
    row = watched(zone, "K-1", ArrivalOutcome.RELEASED)
    browser = enter(superuser)
    for page in ("change", "delete"):
        address = reverse(f"admin:parking_arrivalwatch_{page}", args=[row.pk])
        assert browser.post(address, {"post": "yes", "outcome": "came"}).status_code == 403
    assert ArrivalWatch.objects.get().outcome == ArrivalOutcome.RELEASED


def test_the_rule_is_switched_on_within_its_bounds(
    zone: Zone, operator: User, enter: Enter
) -> None:
    browser = enter(operator)
    for wrong in (4, 121):
        answer = post_rules(browser, zone, release_after_min=wrong)
        assert "5 to 120 minutes after the start" in str(answer.context["errors"])
    assert post_rules(browser, zone, release_after_min=15).status_code == 302
    assert StayRules.objects.get().release_after_min == 15
