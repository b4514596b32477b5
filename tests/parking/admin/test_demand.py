"""What demand says is shown to who may see the zone, and drafted by who may write its tariffs."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from parking.models import DemandRule, Spot, StayRules, TariffOrigin, TariffState, Zone
from tests.parking.admin.conftest import Enter

VERSION_2 = {"version": 2}


def _rule(zone: Zone) -> str:
    """Give the zone a rule; return the page with its proposal."""
    DemandRule.objects.create(zone=zone, step_amount=25, floor=50, ceiling=900)
    StayRules.objects.filter(zone=zone).update(slot_step_min=30, shortest_stay_min=30)
    return reverse("admin:parking_demandrule_proposal", args=[zone.pk])


def test_an_operator_sees_each_band_and_drafts_what_demand_says(
    zone: Zone, spot: Spot, operator: User, enter: Enter
) -> None:
    page = _rule(zone)
    browser = enter(operator)

    shown = browser.get(page).content.decode()
    assert "every day 00:00–24:00" in shown
    assert "0 % was taken. Below 60 %, prices fall." in shown
    assert "<b>1.75\N{NO-BREAK SPACE}€</b> an hour instead of 2.00\N{NO-BREAK SPACE}€" in shown
    assert zone.tariffs.count() == 1  # looking changes nothing

    answer = browser.post(page, follow=True)
    version = zone.tariffs.get(**VERSION_2)
    assert answer.redirect_chain[-1][0] == reverse(
        "admin:parking_tariffversion_change", args=[version.pk]
    )
    assert "One person proposes it, and another approves it." in answer.content.decode()
    assert (version.state, version.origin) == (TariffState.DRAFT, TariffOrigin.DEMAND)
    assert (version.proposed_by, version.approved_by) == (None, None)

    again = browser.get(page).content.decode()
    assert "Version 2 is such a proposal and waits" in again
    assert "Make a draft" not in again
    assert "Version 2 is such a proposal" in browser.post(page, follow=True).content.decode()
    assert zone.tariffs.count() == 2


def test_who_only_looks_is_not_offered_a_draft(
    zone: Zone, spot: Spot, auditor: User, enter: Enter
) -> None:
    page = _rule(zone)
    browser = enter(auditor)

    assert "Make a draft" not in browser.get(page).content.decode()
    assert browser.post(page).status_code == 403
    assert zone.tariffs.count() == 1


def test_nobody_else_comes_near(
    zone: Zone, other_zone: Zone, operator: User, warden: User, enter: Enter
) -> None:
    theirs, own = _rule(other_zone), _rule(zone)

    for method in ("get", "post"):
        assert getattr(enter(operator), method)(theirs).status_code == 404
        assert getattr(enter(warden), method)(own).status_code == 403
    assert enter(operator).get(own.replace(str(zone.pk), "999999")).status_code == 404
    assert other_zone.tariffs.count() == zone.tariffs.count() == 1


def _form(zone: Zone, **changes: Any) -> dict[str, Any]:
    return {
        "zone": zone.pk,
        "step_amount": "0.25",
        "upper_pct": 80,
        "lower_pct": 60,
        "floor": "0.5",
        "ceiling": "8",
        "days": 28,
        **changes,
    }


def test_amounts_are_typed_as_people_write_them(zone: Zone, operator: User, enter: Enter) -> None:
    browser = enter(operator)
    add = reverse("admin:parking_demandrule_add")

    assert b'value="0.25"' in browser.get(add).content
    assert browser.post(add, _form(zone)).status_code == 302

    rule = DemandRule.objects.get()
    assert (rule.step_amount, rule.floor, rule.ceiling) == (25, 50, 800)
    page = browser.get(reverse("admin:parking_demandrule_change", args=[rule.pk])).content.decode()
    assert 'value="8.00"' in page
    assert "Change demand pricing rule" in page


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"step_amount": "0.255"}, "2 decimals at most"),
        ({"step_amount": "0"}, "changes nothing"),
        ({"floor": "9"}, "above the highest"),
        ({"lower_pct": 90}, "not above the one from which they rise"),
        ({"days": 7}, "at most every 28 days"),
        ({"ceiling": "much"}, "Enter a number"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_in_words(
    changes: dict[str, Any], says: str, zone: Zone, operator: User, enter: Enter
) -> None:
    answer = enter(operator).post(reverse("admin:parking_demandrule_add"), _form(zone, **changes))

    assert answer.status_code == 200
    assert says in answer.content.decode()
    assert not DemandRule.objects.exists()


def test_a_currency_without_small_parts_has_no_step_suggested(
    zone: Zone, operator: User, enter: Enter, settings: Any
) -> None:
    settings.CITY_CURRENCY = "IRR"
    browser = enter(operator)
    add = reverse("admin:parking_demandrule_add")

    assert browser.get(add).context["adminform"].form["step_amount"].value() is None
    answer = browser.post(add, _form(zone, step_amount="5000", floor="20000", ceiling="900000"))
    assert answer.status_code == 302
    assert DemandRule.objects.get().step_amount == 5000


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_the_page_is_clean_and_as_wide_as_a_phone(
    direction: str,
    zone: Zone,
    spot: Spot,
    operator: User,
    enter: Enter,
    browser: Browser,
    live_server: LiveServer,
) -> None:
    address = live_server.url + _rule(zone)
    context = browser.new_context(viewport={"width": 390, "height": 844})
    cookie = enter(operator).cookies[settings.SESSION_COOKIE_NAME]
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))

    page.goto(address)
    page.evaluate(f"document.documentElement.dir = '{direction}'")

    assert page.locator(".demand__band").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert said == []
    assert Axe().run(page).response["violations"] == []
    context.close()
