"""The site says what it keeps, sets no cookie beyond session and forms, and asks nobody else."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from parking.models import Spot, Zone
from parking.tasks import forget_sessions
from tests import cast

PAGES = ("/", "/privacy/", "/bookings/", "/accounts/login/", "/zones/kamppi/tariff/", "/nothing/")


def test_the_footer_of_every_page_leads_to_the_privacy_page(client: Client, spot: Spot) -> None:
    for page in PAGES:
        assert '<a href="/privacy/">Privacy</a>' in client.get(page).content.decode(), page


def test_it_says_for_each_zone_how_long_plates_are_kept(client: Client, zone: Zone) -> None:
    Zone.objects.filter(pk=zone.pk).update(plate_days=45)
    cast.a_zone("other")
    page = re.sub(r"\s+", " ", client.get("/privacy/").content.decode())
    assert '<th scope="row">Kamppi</th> <td>45</td>' in page
    assert '<th scope="row">Other</th> <td>30</td>' in page
    assert "730 days after" in page


def test_who_only_looks_has_no_session(client: Client, spot: Spot) -> None:
    for page in (*PAGES, f"/spots/{spot.pk}/", "/map/spots.json"):
        client.get(page)
        assert set(client.cookies) <= {"csrftoken"}, page
    assert not Session.objects.exists()


@pytest.mark.django_db
def test_a_message_after_a_form_is_no_cookie(client: Client) -> None:
    citizen = cast.a_person("citizen")
    client.force_login(citizen)
    answer = client.post("/vehicles/", {"plate": "ABC123", "country": "FI"})
    assert answer.status_code == 302
    assert set(client.cookies) <= {"sessionid", "csrftoken"}
    assert "ABC123" not in str(client.cookies)
    assert "Your vehicle is in the list." in client.get("/vehicles/").content.decode()


@pytest.mark.django_db
def test_sessions_that_are_over_are_deleted(client: Client) -> None:
    client.force_login(cast.a_person("citizen"))
    assert forget_sessions() == 0
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert forget_sessions() == 1
