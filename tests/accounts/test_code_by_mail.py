"""A code by e-mail: it signs accounts in and shows guests their bookings, and tells nobody more."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse

from parking.models import Spot
from tests import cast
from tests.accounts.conftest import letters
from tests.parking.pages.conftest import text_of

pytestmark = pytest.mark.django_db
ASK, TYPE = "/accounts/login/code/", "/accounts/login/code/confirm/"
BOOKINGS = "/bookings/"


@pytest.fixture
def spot(db: None) -> Spot:
    return cast.a_spot(cast.a_zone())


# Codes, secrets of forms and scripts, and the name of the visitor.
OF_ONE_VISIT = r"\d{4}-?\d{4}|value=\"[\w-]{64}\"|nonce-?=?\"?[\w=]+|data-visitor=\"\w+"


def ask(client: Client, email: str, **more: str) -> Any:
    return client.post(ASK, {"email": email, **more})


def code() -> str:
    found = re.search(r"^ +(\d{4}-\d{4})$", letters()[-1].body, re.MULTILINE)
    assert found, letters()[-1].body
    return found[1]


def wrong(right: str) -> str:
    return f"{(int(right.replace('-', '')) + 1) % 10**8:08}"


def test_an_account_is_signed_in_without_a_password(client: Client) -> None:
    cast.a_person("citizen")
    assert ask(client, "citizen@example.org")["Location"] == TYPE
    assert client.post(TYPE, {"code": code()})["Location"] == BOOKINGS
    assert "Sign out" in text_of(client.get("/"))
    assert EmailAddress.objects.get().verified


def test_a_guest_sees_the_bookings_of_the_address_on_any_device(client: Client, spot: Spot) -> None:
    mine = cast.a_hold(spot, email="Guest@example.org").booking
    others = cast.a_hold(spot, start=cast.at(600), email="other@example.org").booking
    owned = cast.a_hold(
        spot, start=cast.at(900), email="guest@example.org", user=cast.a_person("owner")
    ).booking
    ask(client, "guest@example.org")
    client.post(TYPE, {"code": code()})
    page = text_of(client.get(BOOKINGS))
    assert mine.reference in page
    assert others.reference not in page
    assert owned.reference not in page, "what an account booked is the account's"
    assert client.get(reverse("payments:booking", args=[mine.reference])).status_code == 200
    assert client.get(reverse("payments:booking", args=[others.reference])).status_code == 404
    assert "Sign out" not in page, "a guest stays a guest"

    client.post("/bookings/forget/")
    assert mine.reference not in text_of(client.get(BOOKINGS))
    assert client.get(reverse("payments:booking", args=[mine.reference])).status_code == 404


def test_who_signs_in_sees_also_what_they_booked_as_a_guest(client: Client, spot: Spot) -> None:
    person = cast.a_person("citizen")
    before = cast.a_hold(spot, email=person.email).booking
    form = {"login": person.email, "password": "correct-horse"}
    client.post("/accounts/login/", form)
    assert before.reference not in text_of(client.get(BOOKINGS)), "anybody can write any address"
    client.post("/accounts/logout/")
    EmailAddress.objects.update_or_create(
        user=person, email=person.email, defaults={"verified": True, "primary": True}
    )
    client.post("/accounts/login/", form)
    assert before.reference in text_of(client.get(BOOKINGS))


def test_nobody_learns_whether_an_address_is_known(spot: Spot) -> None:
    cast.a_person("citizen")
    cast.a_hold(spot, email="guest@example.org")
    seen = set()
    for name in ("citizen", "guest", "nobody"):
        client = Client()
        answer = ask(client, f"{name}@example.org")
        letter = letters()[-1]
        page = client.get(TYPE).content.decode()
        refused = client.post(TYPE, {"code": wrong(code())}).content.decode()
        texts = [letter.subject, letter.body, page, refused]
        cleaned = [re.sub(OF_ONE_VISIT, "", text).replace(f"{name}@", "x@") for text in texts]
        seen.add((answer.status_code, answer["Location"], letter.to[0][-12:], *cleaned))
    assert len(seen) == 1
    client.post(TYPE, {"code": code()})
    assert "No bookings yet" in text_of(client.get(BOOKINGS))


def test_three_wrong_codes_end_it_even_for_the_right_one(client: Client) -> None:
    cast.a_person("citizen")
    ask(client, "citizen@example.org")
    right = code()
    for _attempt in range(3):
        client.post(TYPE, {"code": wrong(right)})
    client.post(TYPE, {"code": right})
    assert "Sign in" in text_of(client.get("/"))


def test_a_code_is_good_once_in_its_own_browser_and_not_for_long(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    cast.a_person("citizen")
    ask(client, "citizen@example.org")
    right, real = code(), time.time
    assert Client().post(TYPE, {"code": right})["Location"] == ASK, "of another browser"
    monkeypatch.setattr(time, "time", lambda: real() + 15 * 60 + 1)
    assert client.post(TYPE, {"code": right})["Location"] == ASK, "too late"
    monkeypatch.setattr(time, "time", real)
    assert "Sign in" in text_of(client.get("/"))


def test_another_code_ends_the_first(client: Client) -> None:
    cast.a_person("citizen")
    ask(client, "citizen@example.org")
    first = code()
    client.post(TYPE, {"action": "resend"})
    assert len(letters()) == 2
    assert code() != first
    assert client.post(TYPE, {"code": first}).status_code == 200
    assert client.post(TYPE, {"code": code()})["Location"] == BOOKINGS


def test_who_waits_for_a_code_can_still_take_another_way(client: Client) -> None:
    cast.a_person("citizen")
    ask(client, "slip@example.org")
    assert "Use a passkey" in text_of(client.get("/accounts/login/"))
    assert client.get(ASK).status_code == 200
    ask(client, "citizen@example.org")
    assert client.post(TYPE, {"code": code()})["Location"] == BOOKINGS


@pytest.mark.parametrize("digits", ["۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩", "０１２３４５６７８９"])
def test_the_code_is_read_in_the_digits_of_any_script(client: Client, digits: str) -> None:
    cast.a_person("citizen")
    ask(client, "citizen@example.org")
    typed = code().replace("-", " ").translate({48 + n: digits[n] for n in range(10)})
    assert client.post(TYPE, {"code": typed})["Location"] == BOOKINGS


def test_nobody_is_drowned_in_codes(client: Client) -> None:
    for number in range(5):
        answer = Client().post(ASK, {"email": "citizen@example.org"})
        assert answer.status_code == (302 if number < 3 else 200)
    assert len(letters()) == 3


def test_it_leads_back_to_where_one_was_and_never_elsewhere(client: Client) -> None:
    cast.a_person("citizen")
    for wish, place in (("/vehicles/", "/vehicles/"), ("https://evil.test/", BOOKINGS)):
        browser = Client()
        ask(browser, "citizen@example.org", next=wish)
        assert browser.post(TYPE, {"code": code(), "next": wish})["Location"] == place


def test_who_made_an_account_with_anothers_address_is_locked_out(client: Client) -> None:
    """The owner of the address comes later, and must not share the account with a stranger."""
    stranger = Client()
    form = {
        "email": "victim@example.org",
        "password1": "odd-and-long-9",
        "password2": "odd-and-long-9",
    }
    stranger.post("/accounts/signup/", form)
    assert "Sign out" in text_of(stranger.get("/"))
    ask(client, "victim@example.org")
    client.post(TYPE, {"code": code()})
    assert "Sign out" in text_of(client.get("/"))
    assert "Sign out" not in text_of(stranger.get("/"))
    stranger.post("/accounts/login/", {"login": form["email"], "password": form["password1"]})
    assert "Sign out" not in text_of(stranger.get("/"))
