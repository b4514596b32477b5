"""The ways in in a real browser: passkeys, the look, the keyboard, both directions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from playwright.sync_api import Browser, CDPSession, Page, expect

from parking.languages import in_language
from tests import cast
from tests.accounts.conftest import letters
from tests.parking.pages.browser import SMALL_TARGETS, a_page, axe_finds, sideways

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def a_device(page: Page, *, knows_its_owner: bool = True) -> Iterator[tuple[CDPSession, str]]:
    """Give the browser an authenticator of its own, as a phone has."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    made = session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": knows_its_owner,
                "automaticPresenceSimulation": True,
            }
        },
    )
    yield session, made["authenticatorId"]


def sign_in(page: Page) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill("citizen@example.org")
    page.get_by_label("Password", exact=True).fill("correct-horse")
    page.locator("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/bookings/")


def violations(page: Page) -> list[Any]:
    found = axe_finds(page)
    page.set_viewport_size({"width": 320, "height": 800})
    assert (page.url, sideways(page)) == (page.url, 0)
    assert (page.url, page.evaluate(SMALL_TARGETS)) == (page.url, [])
    return found


def test_a_passkey_is_made_and_signs_in_alone(browser: Browser, live_server: Any) -> None:
    person = cast.a_person("citizen")
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    with a_page(browser, live_server.url) as page, a_device(page) as (session, device):
        sign_in(page)
        page.get_by_role("link", name="My account").click()
        page.get_by_role("link", name="Passkeys of this account").click()
        page.get_by_role("link", name="Make a passkey").click()
        # Once more the password: whoever finds an open window cannot let themselves in for ever.
        page.get_by_label("Password", exact=True).fill("correct-horse")
        page.get_by_role("button", name="It is me").click()
        page.get_by_label("Name").fill("My phone")
        page.get_by_role("button", name="Make it").click()
        expect(page.get_by_role("heading", name="My phone")).to_be_visible()
        assert Authenticator.objects.get().user == person

        page.get_by_role("button", name="Sign out").first.click()
        page.goto("/accounts/login/?next=/vehicles/")
        page.get_by_role("button", name="Use a passkey").click()
        page.wait_for_url("**/vehicles/")
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()

        # Without the key there is no way in by it, and the page says so.
        session.send("WebAuthn.clearCredentials", {"authenticatorId": device})
        page.get_by_role("button", name="Sign out").first.click()
        page.goto("/accounts/login/")
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_role("alert")).to_contain_text("The passkey did not work")
        # Who has lost it gets a code; a passkey is no second lock.
        page.get_by_role("link", name="E-mail me a code").click()
        page.get_by_label("Email").fill("citizen@example.org")
        page.get_by_role("button", name="Send the code").click()
        found = re.search(r"\d{4}-\d{4}", letters()[-1].body)
        assert found is not None
        page.get_by_label("Code").fill(found[0])
        page.keyboard.press("Enter")
        page.wait_for_url("**/bookings/")


@pytest.mark.parametrize("language", ["en", "fa"])
def test_axe_finds_nothing_on_the_ways_in(
    browser: Browser, live_server: Any, settings: Any, language: str
) -> None:
    person = cast.a_person("citizen")
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    settings.OIDC_NAME = "Kamppi ID"
    app = {"provider_id": "city", "name": "Kamppi ID", "client_id": "c", "secret": "s"}
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {"APPS": [{**app, "settings": {"server_url": "http://localhost:9"}}]}
    }
    found: list[Any] = []
    with a_page(browser, live_server.url, locale=language) as page:
        for path in ("login/", "signup/", "login/code/", "password/reset/", "oidc/city/login/"):
            page.goto(in_language(f"/accounts/{path}", language))
            assert page.locator("html").get_attribute("lang") == language
            found += violations(page)
        page.goto(in_language("/accounts/login/code/", language))
        page.locator("[name=email]").fill("citizen@example.org")
        page.keyboard.press("Enter")
        page.wait_for_url("**/confirm/")
        found += violations(page)
        code = re.search(r"\d{4}-\d{4}", letters()[-1].body)
        assert code is not None
        page.locator("[name=code]").fill(code[0])
        page.keyboard.press("Enter")
        page.wait_for_url("**/bookings/")
        found += violations(page)
        for path in ("", "passkeys/", "passkeys/add/", "email/", "city/", "password/change/"):
            page.goto(in_language(f"/accounts/{path}", language))
            found += violations(page)
    assert found == []
