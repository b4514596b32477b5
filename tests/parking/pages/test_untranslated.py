"""In a language whose every text stands in brackets, no English stands outside of them."""

from __future__ import annotations

import html
import re
import unicodedata

import pytest
from django.test import Client
from django.utils.translation.trans_real import DjangoTranslation

from parking.models import Spot
from tests import cast

pytestmark = pytest.mark.django_db
STAY = "on=2026-03-03&at=10:00&length=60"
SPOKEN = re.compile(r"""\b(?:alt|title|placeholder|aria-label)="([^"]*)\"""")
# What is nobody's to translate: names of places, people and languages, and marks of ours.
NAMES = {
    *("Curblight", "Helsinki", "Europe", "Kamppi", "Fredrikinkatu", "citizen", "example", "org"),
    *("English", "Русский", "Tiếng", "Việt", "فارسی", "Stripe", "ABC123"),
}


@pytest.fixture
def brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put every text that gettext sees into brackets."""
    monkeypatch.setattr(DjangoTranslation, "gettext", lambda _, text: f"⟦{text}⟧")
    monkeypatch.setattr(
        DjangoTranslation, "ngettext", lambda _, one, many, n: f"⟦{one if n == 1 else many}⟧"
    )


def outside(page: str) -> set[str]:
    """Return the words of a page, seen or read aloud, that stand outside of all brackets."""
    body = re.sub(r"<(script|style|svg|template|code|bdo)\b.*?</\1>", " ", page, flags=re.DOTALL)
    text = html.unescape(" ".join([re.sub(r"<[^>]*>", " ", body), *SPOKEN.findall(body)]))
    before = ""
    while before != text:
        before, text = text, re.sub(r"⟦[^⟦⟧]*⟧", " ", text)
    words = re.findall(r"\w{3,}", unicodedata.normalize("NFC", text))
    return {word for word in words if word.isalpha()} - NAMES


def test_no_page_of_the_citizen_speaks_english_by_itself(
    client: Client, spot: Spot, brackets: None
) -> None:
    citizen = cast.a_person("citizen")
    reference = cast.a_hold(spot, user=citizen).booking.reference
    client.force_login(citizen)
    paths = (
        *(f"/?{STAY}&show=all", f"/?{STAY}&zone=nowhere", f"/spots/{spot.pk}/?{STAY}"),
        *(f"/zones/kamppi/any/?{STAY}", "/zones/kamppi/tariff/", "/bookings/", "/vehicles/"),
        *(f"/bookings/{reference}/", f"/bookings/{reference}/cancel/", "/nothing/here/"),
    )
    found = {path: outside(client.get(path).content.decode()) - {reference} for path in paths}
    found["sign-in"] = outside(Client().get("/accounts/login/").content.decode())
    assert {path: words for path, words in found.items() if words} == {}


def test_a_text_outside_of_gettext_would_be_seen() -> None:
    assert outside("<p>⟦Spot ⟦one⟧ K⟧ left</p>") == {"left"}
    assert outside('<img alt="lamp">') == {"lamp"}
