"""A page's language stands in its address; no cookie keeps it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail as mailbox
from django.test import Client
from django.urls import reverse

from parking import languages
from parking.models import Booking, Preferences, Spot
from payments import mail
from payments.models import Mail, MailKind
from tests import cast

pytestmark = pytest.mark.django_db


def language_of(answer: Any) -> str:
    found = re.search(r'<html lang="(\w+)"', answer.content.decode())
    assert found is not None
    return found[1]


def test_an_address_means_one_language_whatever_the_browser_wants(spot: Spot) -> None:
    reader = Client(headers={"Accept-Language": "ru"})
    assert language_of(reader.get("/bookings/")) == "en"
    assert language_of(reader.get("/vi/bookings/")) == "vi"
    assert language_of(reader.get("/bookings/")) == "en"
    assert "django_language" not in reader.cookies


def test_the_citys_language_has_one_address_only(client: Client) -> None:
    answer = client.get("/en/bookings/?page=2")
    assert (answer.status_code, answer["Location"]) == (301, "/bookings/?page=2")
    assert client.get("/de/bookings/").status_code == 404
    assert client.get("/en//evil.example/")["Location"] == "/evil.example/"


def test_every_page_leads_to_itself_in_each_language(client: Client, spot: Spot) -> None:
    page = client.get(f"/ru/spots/{spot.pk}/?on=2026-03-03&at=10:00&length=60").content.decode()
    for prefix in ("", "/fa", "/vi"):
        address = f"{prefix}/spots/{spot.pk}/?on=2026-03-03&amp;at=10:00&amp;length=60"
        assert f'href="{address}"' in page
    assert f'hreflang="fa"\n            href="http://127.0.0.1:8000/fa/spots/{spot.pk}/"' in page
    assert f'hreflang="x-default" href="http://127.0.0.1:8000/spots/{spot.pk}/"' in page
    assert f'action="/ru/spots/{spot.pk}/hold/"' in page
    assert client.cookies.keys() <= {"csrftoken", "sessionid"}


def test_a_city_of_another_language_has_that_one_bare(client: Client, settings: Any) -> None:
    settings.LANGUAGE_CODE = "fa"
    assert language_of(client.get("/")) == "fa"
    assert language_of(client.get("/en/")) == "en"
    assert client.get("/fa/")["Location"] == "/"
    assert 'hreflang="x-default" href="http://127.0.0.1:8000/"' in client.get("/").content.decode()


def test_who_comes_from_elsewhere_is_offered_the_browsers_language_and_led_nowhere() -> None:
    reader = Client(headers={"Accept-Language": "de, fa-IR;q=0.9, en;q=0.8", "Host": "testserver"})
    answer = reader.get("/")
    assert answer.status_code == 200
    assert 'class="language-offer"' in answer.content.decode()
    assert answer.context["offered_language"] == "fa"
    assert "Accept-Language" in answer["Vary"]
    for address, referer in (("/", "http://testserver/fa/"), ("/fa/", "")):
        assert (
            "language-offer"
            not in reader.get(address, headers={"Referer": referer}).content.decode()
        )
    assert "language-offer" not in Client().get("/").content.decode()


def test_a_signed_in_persons_choice_is_remembered_with_the_account(client: Client) -> None:
    citizen = cast.a_person("citizen")
    client.force_login(citizen)
    assert client.get("/").status_code == 200
    answer = client.post("/language/", {"language": "fa", "next": "/vehicles/?a=b"})
    assert answer["Location"] == "/fa/vehicles/?a=b"
    assert client.get("/")["Location"] == "/fa/"
    assert language_of(client.get("/bookings/")) == "en", "a shared address stays what it was"
    client.post("/fa/language/", {"language": "en", "next": "/fa/"})
    assert client.get("/").status_code == 200
    assert Preferences.objects.get().language == "en"


@pytest.mark.parametrize(
    "page", ["https://evil.example/", "//evil.example/", "/en//evil.example", ""]
)
def test_the_choice_leads_to_no_other_site(client: Client, page: str) -> None:
    answer = client.post("/language/", {"language": "ru", "next": page})
    assert answer["Location"] in {"/ru/", "/ru/evil.example"}
    assert Preferences.objects.count() == 0


def test_an_unknown_language_changes_nothing(client: Client) -> None:
    client.force_login(cast.a_person("citizen"))
    answer = client.post("/vi/language/", {"language": "xx", "next": "/vi/vehicles/"})
    assert answer["Location"] == "/vi/vehicles/"
    assert Preferences.objects.count() == 0


def test_letters_come_in_the_language_of_the_account_and_lead_to_its_pages(spot: Spot) -> None:
    citizen = cast.a_person("citizen")
    slot = cast.a_hold(spot, user=citizen)
    Booking.objects.update(language="vi")
    mail.owe(kind=MailKind.CANCELLED, slot=slot, now=cast.at(0))
    mail.owe(kind=MailKind.ORPHAN, slot=slot, amount=100, now=cast.at(0))
    first, second = Mail.objects.order_by("id")
    assert mail.send(mail_id=first.pk, now=cast.at(1))
    languages.remember(citizen, "ru")
    assert mail.send(mail_id=second.pk, now=cast.at(1))
    assert [
        re.findall(r"127.0.0.1:8000(/\w+)/bookings/", str(letter.body))[0]
        for letter in mailbox.outbox
    ] == ["/vi", "/ru"]


def test_programs_name_their_language_in_a_header(spot: Spot) -> None:
    answer = Client(headers={"Accept-Language": "fa"}).get("/api/v1/nothing/")
    assert answer["Content-Language"] == "fa"
    assert "Accept-Language" in answer["Vary"]
    assert [reverse(name) for name in ("healthz", "webhook", "schema")] == [
        "/healthz",
        "/stripe/webhook/",
        "/api/schema/",
    ]
