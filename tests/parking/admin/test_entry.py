"""Coming in, being turned away, and the day at a glance."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from parking import desk
from parking.models import Light, Zone
from tests import cast
from tests.parking.admin.conftest import Enter
from tests.parking.admin.situations import rows_of


def test_the_desk_is_entered_through_the_sites_own_sign_in(operator: User, client: Client) -> None:
    page = reverse("admin:parking_zone_changelist")

    answer = client.get(page, follow=True)
    assert answer.redirect_chain[-1][0].startswith(reverse("account_login"))
    assert b'name="username"' not in answer.content

    signed_in = client.post(
        answer.redirect_chain[-1][0], {"login": operator.email, "password": "correct-horse"}
    )
    assert (signed_in.status_code, signed_in["Location"]) == (302, page)
    assert client.get(page).status_code == 200


def test_a_citizen_is_told_why_the_desk_is_closed(db: None, enter: Enter) -> None:
    answer = enter(cast.a_person("citizen")).get(reverse("admin:index"), follow=True)

    assert answer.status_code == 403
    assert b"Traceback" not in answer.content


@pytest.mark.parametrize(
    ("role", "labels"),
    [
        ("operator", {"stays running now", "tariffs to be approved", "money matters to look at"}),
        ("warden", {"spots free now", "lights not as they should be"}),
        ("auditor", {"taken today, refunds deducted", "spots free now"}),
    ],
)
def test_the_index_shows_figures_that_the_role_may_look_into(
    role: str, labels: set[str], request: Any, zone: Zone, enter: Enter
) -> None:
    answer = enter(request.getfixturevalue(role)).get(reverse("admin:index"))

    shown = {str(row["figure"].label) for row in answer.context["figures"]}
    assert labels <= shown
    if role == "warden":
        assert not any("taken today" in label or "bookings" in label for label in shown)


def test_figures_count_own_zones_only_with_a_fixed_number_of_queries(
    zone: Zone, other_zone: Zone, operator: User, django_assert_num_queries: Any
) -> None:
    rows_of(zone, serial="MTR-1")
    rows_of(other_zone, serial="MTR-2")
    Light.objects.update(desired_light="green", desired_at=timezone.now() - timedelta(hours=1))

    with django_assert_num_queries(13):
        found = desk.figures(zones=Zone.objects.filter(operators=operator), now=timezone.now())

    values = {str(figure.label): figure.value for figure in found}
    assert values["bookings made today"] == "1"
    assert values["spots free now"] == "1/1"
    assert values["lights not as they should be"] == "1"
    assert values["meters not heard for 3 minutes"] == "1"
    assert values["spots reported taken"] == "1"


def test_a_light_is_behind_only_after_a_minute(zone: Zone) -> None:
    now = timezone.now()
    cast.a_spot(zone, meter=cast.a_meter(zone), position=1)
    zones = Zone.objects.all()

    Light.objects.update(desired_light="green", desired_at=now - timedelta(seconds=30))
    assert not desk.lights_behind(zones=zones, now=now).exists()
    Light.objects.update(desired_at=now - timedelta(seconds=90))
    assert desk.lights_behind(zones=zones, now=now).count() == 1
    Light.objects.update(reported_light="green", reported_pattern="none")
    assert not desk.lights_behind(zones=zones, now=now).exists()
