"""The city's own login, against a real OpenID provider on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import oidc_provider_mock
import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.test import Client

from tests import cast
from tests.parking.pages.conftest import text_of

pytestmark = pytest.mark.django_db
START = "/accounts/oidc/city/login/"


@dataclass(frozen=True)
class Provider:
    """The provider, and what its people do on its pages."""

    address: str

    def knows(self, sub: str, **claims: Any) -> None:
        """Let the provider say this of a person."""
        done = httpx.put(f"{self.address}/users/{sub}", json=claims)
        assert done.is_success, done.text

    def sign_in(self, client: Client, sub: str, *, process: str = "login", **more: str) -> Any:
        """Press the button on our page, sign in on the provider's, and come back."""
        left = client.post(f"{START}?process={process}", more)
        assert left.status_code == 302, left.content
        back = httpx.post(left["Location"], data={"sub": sub}).headers["location"]
        parts = urlsplit(back)
        return client.get(f"{parts.path}?{parts.query}")


@contextmanager
def _running() -> Iterator[str]:
    with oidc_provider_mock.run_server_in_thread() as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with _running() as found:
        yield found


@pytest.fixture
def provider(address: str, settings: Any) -> Provider:
    set_provider(settings, address)
    return Provider(address)


def set_provider(settings: Any, address: str) -> None:
    app = {
        "provider_id": "city",
        "name": "Kamppi ID",
        "client_id": "curblight",
        "secret": "s",
        "settings": {"server_url": address},
    }
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}
    }
    settings.OIDC_NAME = "Kamppi ID"


def who(client: Client) -> User | None:
    key = client.session.get("_auth_user_id")
    return User.objects.get(pk=key) if key else None


def test_its_button_is_there_only_where_a_city_has_one(
    client: Client, provider: Provider, settings: Any
) -> None:
    assert "Continue with Kamppi ID" in text_of(client.get("/accounts/login/"))
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": []}}
    assert "Continue with" not in text_of(client.get("/accounts/login/"))
    assert client.post(START).status_code == 404


def test_a_new_person_gets_an_account_and_comes_back_to_it(
    client: Client, provider: Provider
) -> None:
    provider.knows("anna", email="anna@example.org", email_verified=True)
    answer = provider.sign_in(client, "anna", next="/vehicles/")
    assert answer["Location"] == "/vehicles/"
    made = who(client)
    assert made is not None
    assert (made.email, made.has_usable_password()) == ("anna@example.org", False)
    assert EmailAddress.objects.get().verified

    again = Client()
    provider.knows("anna", email="new@example.org", email_verified=True)
    provider.sign_in(again, "anna")
    assert who(again) == made, "it is the person, whatever the address"


def test_an_address_that_it_has_checked_opens_the_account_that_has_it(
    client: Client, provider: Provider
) -> None:
    person = cast.a_person("citizen")
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    provider.knows("c-1", email="citizen@example.org", email_verified=True)
    provider.sign_in(client, "c-1")
    assert who(client) == person
    person.refresh_from_db()
    assert person.has_usable_password(), "the ways in that were there are there"
    assert SocialAccount.objects.get().user == person


@pytest.mark.parametrize("verified", [False, None, "false", "true", 1])
def test_an_address_that_it_has_not_checked_opens_nobodys_account(
    client: Client, provider: Provider, verified: object
) -> None:
    person = cast.a_person("citizen")
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    claims = {} if verified is None else {"email_verified": verified}
    provider.knows(f"evil-{verified}", email="citizen@example.org", **claims)
    answer = provider.sign_in(client, f"evil-{verified}")
    assert answer["Location"] == "/accounts/city/signup/"
    assert who(client) is None
    page = client.get(answer["Location"])
    assert "You come from Kamppi ID" in text_of(page)
    client.post(answer["Location"], {"email": "citizen@example.org"})
    assert who(client) is None
    assert not SocialAccount.objects.exists()


def test_an_account_can_be_connected_and_let_go(client: Client, provider: Provider) -> None:
    person = cast.a_person("citizen")
    client.force_login(person)
    provider.knows("other", email="other@example.org", email_verified=True)
    provider.sign_in(client, "other", process="connect")
    assert SocialAccount.objects.get().user == person
    page = client.get("/accounts/city/")
    assert "You can sign in with Kamppi ID" in text_of(page)
    client.post("/accounts/city/", {"account": SocialAccount.objects.get().pk})
    assert not SocialAccount.objects.exists()


def test_who_turns_back_or_meets_a_broken_provider_is_told(
    client: Client, provider: Provider, settings: Any
) -> None:
    left = client.post(START)["Location"]
    back = urlsplit(httpx.post(left, data={"action": "deny"}).headers["location"])
    assert "error=access_denied" in back.query
    state = parse_qs(urlsplit(left).query)["state"][0]  # this provider leaves it out
    answer = client.get(f"{back.path}?{back.query}&state={state}", follow=True)
    assert "Nothing has changed" in text_of(answer)
    forged = client.get("/accounts/oidc/city/login/callback/?code=x&state=y")
    assert (forged.status_code, who(client)) == (401, None)
    assert "did not answer as it should" in text_of(forged)

    set_provider(settings, "http://127.0.0.1:9")  # nobody is there
    away = client.post(START)
    assert away.status_code == 401
    assert "did not answer as it should" in text_of(away)
