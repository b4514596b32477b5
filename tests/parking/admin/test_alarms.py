"""An operator sees what is wrong on the desk's start, says what is done, and it is kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from parking import lights, seen_alarms
from parking.models import Gateway, LateLight, Light, Meter, SeenAlarm, Zone
from tests import cast
from tests.parking.admin.conftest import Enter
from tests.parking.street import a_street_meter, lamp

ALARMS = "admin:parking_meter_alarms"
GATEWAYS = "admin:parking_meter_gateways"


@pytest.fixture
def meter(zone: Zone) -> Meter:
    """A meter that was heard a moment ago, with a low battery."""
    made = a_street_meter(zone)
    lights.look(now=timezone.now())
    Meter.objects.update(last_seen_at=timezone.now(), battery_pct=12)
    Light.objects.update(reported_light="off", reported_pattern="none")
    return made


def keys(answer: Any) -> list[str]:
    return [row["key"] for row in answer.context["fresh"]]


def figure(browser: Any, label: str) -> Any:
    rows = browser.get(reverse("admin:index")).context["figures"]
    return next(row for row in rows if label in str(row["figure"].label))


def test_an_alarm_is_on_the_desks_start_until_somebody_has_seen_it(
    meter: Meter, operator: User, enter: Enter
) -> None:
    browser = enter(operator)
    first = figure(browser, "alarms")
    assert (first["figure"].value, first["url"]) == ("1", reverse(ALARMS))
    assert first["first"] == [
        (f"{meter.serial}: low battery", reverse("admin:parking_meter_change", args=[meter.pk]))
    ]
    asked = browser.get(reverse(ALARMS))
    assert "12 %" in asked.content.decode()
    chosen = {"alarm": keys(asked)}
    again = browser.post(reverse(ALARMS), {**chosen, "why": " "})
    assert again.status_code == 200
    assert not SeenAlarm.objects.exists()
    refused = browser.post(reverse(ALARMS), {"why": "called"})
    assert "Choose the alarms" in refused.content.decode()

    done = browser.post(reverse(ALARMS), {**chosen, "why": "technician called"}, follow=True)

    assert "technician called" in done.content.decode()
    assert keys(done) == []
    assert figure(browser, "alarms")["figure"].value == "0"
    seen = SeenAlarm.objects.get()
    assert (seen.by, seen.kind, seen.why) == (operator, "battery", "technician called")
    listed = browser.get(reverse("admin:parking_seenalarm_changelist")).content.decode()
    assert "technician called" in listed


def test_the_same_trouble_is_loud_when_it_comes_again(meter: Meter, operator: User) -> None:
    now, zones = timezone.now(), Zone.objects.all()
    (one,) = seen_alarms.standing(zones=zones, now=now)
    key = str(one.alarm.key)
    see = {"keys": [key], "zones": zones, "why": "called", "by": operator}
    assert len(seen_alarms.see(now=now, **see)) == 1
    assert seen_alarms.see(now=now, **see) == [], "once"
    Meter.objects.update(battery_pct=90)
    assert seen_alarms.review(now=now + timedelta(minutes=5)) == 1, "it may come back"
    assert seen_alarms.review(now=now + timedelta(minutes=11)) == 0
    Meter.objects.update(battery_pct=10)
    (again,) = seen_alarms.standing(zones=zones, now=now)
    assert again.seen is None
    assert SeenAlarm.objects.get().over_at is not None, "and what was said is kept"


def test_only_who_changes_the_meters_sees_to_their_alarms(
    meter: Meter, other_zone: Zone, operator: User, warden: User, enter: Enter
) -> None:
    foreign = a_street_meter(other_zone, "MTR-000009")
    looks = enter(warden)
    assert len(keys(looks.get(reverse(ALARMS)))) == 2
    all_keys = keys(looks.get(reverse(ALARMS)))
    assert looks.post(reverse(ALARMS), {"alarm": all_keys, "why": "x"}).status_code == 403
    mine = enter(operator)
    assert foreign.serial not in mine.get(reverse(ALARMS)).content.decode()
    mine.post(reverse(ALARMS), {"alarm": all_keys, "why": "x"})
    assert not SeenAlarm.objects.exists(), "a key of another zone is none of the choices"
    assert enter(cast.a_person("citizen")).get(reverse(ALARMS)).status_code == 302


def test_addresses_tell_how_their_circuit_breakers_stand(
    meter: Meter, zone: Zone, other_zone: Zone, operator: User, enter: Enter
) -> None:
    a_street_meter(zone, "MTR-000002", edge_url="https://10.1.2.3")
    a_street_meter(other_zone, "MTR-000009", edge_url="https://10.9.9.9")
    browser, now = enter(operator), timezone.now()

    def said() -> str:
        return browser.get(reverse(GATEWAYS)).content.decode()

    assert "0 of 2 addresses" in said()
    assert "10.9.9.9" not in said()
    row = Gateway.objects.create(
        edge_url="https://10.1.2.3", failures=4, failed_since=now, last_error="no route"
    )
    assert "closed, failures are counted" in said()
    row.opened_at, row.open_until = now, now + timedelta(seconds=30)
    row.save()
    assert "open: nobody calls" in said()
    assert "no route" in said()
    assert figure(browser, "do not answer")["figure"].value == "1"
    Gateway.objects.update(trial_until=now + timedelta(seconds=20))
    assert "one call tries now" in said()
    Gateway.objects.update(trial_until=None, open_until=now)
    assert "half open" in said()
    assert enter(cast.a_person("citizen")).get(reverse(GATEWAYS)).status_code == 302


def test_late_lights_tell_who_could_choose_and_what_they_chose(
    meter: Meter, operator: User, enter: Enter
) -> None:
    now = timezone.now()
    spot = lamp(meter, 1)
    slot = cast.a_hold(spot, cast.soon(), now=now)
    late = LateLight.objects.create(
        booking=slot.booking, spot=spot, noticed_at=now, offered_until=now + timedelta(minutes=20)
    )
    browser = enter(operator)
    page = reverse("admin:parking_latelight_changelist")

    def listed(**query: str) -> list[int]:
        return [row.pk for row in browser.get(page, query).context["cl"].queryset]

    said = browser.get(page).content.decode()
    assert "may choose until" in said
    assert slot.booking.reference in said
    assert (listed(choice="open"), listed(choice="stayed"), listed(choice="dark")) == (
        [late.pk],
        [],
        [late.pk],
    )
    LateLight.objects.update(outcome="moved", moved_to=lamp(meter, 2), came_right_at=now)
    said = browser.get(page).content.decode()
    assert "went to another spot" in said
    assert (listed(choice="moved"), listed(choice="dark"), listed(choice="open")) == (
        [late.pk],
        [],
        [],
    )
    assert figure(browser, "late for who had paid")["figure"].value == "1"
