"""What every page has: language and direction, the way to other pages, errors that people read."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.test import Client, RequestFactory
from django.views import defaults

from parking.languages import in_language
from parking.models import Spot
from tests import cast
from tests.parking.pages.conftest import text_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("language", "direction"), [("en", "ltr"), ("fa", "rtl"), ("ru", "ltr"), ("vi", "ltr")]
)
def test_the_page_speaks_the_language_of_its_address(
    client: Client, language: str, direction: str
) -> None:
    page = client.get(in_language("/", language)).content.decode()
    opening = re.search(r"<html\b([^>]*)>", page)
    assert opening is not None
    assert opening[1].split() == [f'lang="{language}"', f'dir="{direction}"']


def test_the_way_to_offices_is_shown_to_those_who_may_go(client: Client) -> None:
    assert "Warden" not in text_of(client.get("/"))
    warden = cast.a_person("warden")
    warden.user_permissions.add(Permission.objects.get(codename="view_slot"))
    client.force_login(warden)
    text = text_of(client.get("/"))
    assert "Warden" in text
    assert "Desk" not in text
    assert "Sign out" in text
    client.force_login(cast.a_person("chief", is_staff=True, is_superuser=True))
    assert "Desk" in text_of(client.get("/"))


def test_play_money_is_announced_only_where_money_is_play(client: Client, settings: Any) -> None:
    settings.STRIPE_API_KEY = "sk_test_city"
    assert "no real money" in text_of(client.get("/"))
    settings.STRIPE_API_KEY = "sk_live_city"
    assert "no real money" not in text_of(client.get("/"))


@pytest.mark.parametrize("path", ["/", "/bookings/", "/accounts/login/", "/accounts/signup/"])
def test_pages_have_no_inline_code_that_the_policy_would_refuse(client: Client, path: str) -> None:
    response = client.get(path)
    page = response.content.decode()
    assert "'nonce-" in response["Content-Security-Policy"] or "<script nonce" not in page
    assert not re.search(r"\son[a-z]+=", page)
    assert not re.search(r"\sstyle=", page)
    assert "<style" not in page
    for script in re.findall(r"<script\b([^>]*)>", page):
        assert "src=" in script or "nonce=" in script or "application/json" in script


def test_a_missing_page_says_so(client: Client) -> None:
    response = client.get("/nothing/here/")
    assert response.status_code == 404
    assert "There is no such page" in text_of(response)


@pytest.mark.parametrize(
    ("view", "exception", "status", "words"),
    [
        (defaults.bad_request, SuspiciousOperation("x"), 400, "made no sense"),
        (defaults.permission_denied, PermissionDenied("x"), 403, "not for you"),
    ],
)
def test_refusals_say_what_to_do(
    rf: RequestFactory, view: Any, exception: Exception, status: int, words: str
) -> None:
    response = view(rf.get("/"), exception)
    assert response.status_code == status
    assert words in text_of(response)


def test_a_failure_needs_nothing_to_be_said(rf: RequestFactory) -> None:
    response = defaults.server_error(rf.get("/"))
    assert response.status_code == 500
    assert "Something went wrong" in text_of(response)
    assert "Traceback" not in response.content.decode()


def test_an_error_inside_a_page_is_answered_without_its_trace(
    spot: Spot, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret of the house")

    settings.DEBUG = False
    monkeypatch.setattr("parking.views.find.zone_offers", broken)
    response = Client(raise_request_exception=False).get("/")
    assert response.status_code == 500
    assert "secret of the house" not in response.content.decode()
