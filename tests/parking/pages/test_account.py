"""Accounts: signing up, in and out by e-mail, in the site's own design."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests import cast
from tests.parking.pages.conftest import text_of

pytestmark = pytest.mark.django_db

PASSWORD = "a-long-and-odd-password"


def test_signing_up_needs_an_address_and_a_password(client: Client) -> None:
    answer = client.post(
        "/accounts/signup/",
        {"email": "new@example.org", "password1": PASSWORD, "password2": PASSWORD},
    )
    assert answer.status_code == 302
    assert User.objects.get().email == "new@example.org"
    assert "Sign out" in text_of(client.get("/"))


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"email": "x", "password1": PASSWORD, "password2": PASSWORD}, "valid email address"),
        (
            {"email": "a@example.org", "password1": "123", "password2": "123"},
            "too short",
        ),
        (
            {"email": "a@example.org", "password1": PASSWORD, "password2": "other"},
            "same password",
        ),
    ],
)
def test_a_bad_sign_up_says_why(client: Client, form: dict[str, str], words: str) -> None:
    text = text_of(client.post("/accounts/signup/", form))
    assert words in text
    assert not User.objects.exists()


def test_signing_in_is_by_address_and_leads_to_the_bookings(client: Client) -> None:
    cast.a_person("citizen")
    answer = client.post(
        "/accounts/login/", {"login": "citizen@example.org", "password": "correct-horse"}
    )
    assert answer["Location"] == "/bookings/"


def test_a_wrong_password_says_no_more_than_needed(client: Client) -> None:
    cast.a_person("citizen")
    answers = [
        text_of(client.post("/accounts/login/", {"login": login, "password": "wrong"}))
        for login in ("citizen@example.org", "nobody@example.org")
    ]
    for text in answers:
        assert "not correct" in text
        assert "Traceback" not in text


@pytest.mark.parametrize(
    "path",
    [
        "login/",
        "signup/",
        "password/reset/",
        "password/reset/done/",
        "confirm-email/",
        "inactive/",
    ],
)
def test_every_page_of_the_entrance_is_in_our_design(client: Client, path: str) -> None:
    page = client.get(f"/accounts/{path}").content.decode()
    assert "site-header" in page
    assert "<h1>" in page


@pytest.mark.parametrize("path", ["logout/", "email/", "password/change/"])
def test_every_page_of_the_account_is_in_our_design(client: Client, path: str) -> None:
    client.force_login(cast.a_person("citizen"))
    page = client.get(f"/accounts/{path}").content.decode()
    assert "site-header" in page
    assert 'class="button' in page


def test_signing_out_needs_a_press_and_forgets_the_bookings(client: Client) -> None:
    client.force_login(cast.a_person("citizen"))
    client.get("/accounts/logout/")
    assert "Sign out" in text_of(client.get("/"))
    client.post("/accounts/logout/")
    assert "Sign in" in text_of(client.get("/"))
