"""The letters of a demonstration are read on a page of the site, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from parking.models import Slot, Spot
from payments import mail
from payments.models import MailKind
from tests import cast
from tests.site_settings import read_settings

FILES = "django.core.mail.backends.filebased.EmailBackend"


@pytest.fixture
def demo(settings: Any, tmp_path: Path) -> Path:
    settings.DEMO_MAILBOX = True
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = FILES, str(tmp_path)
    return tmp_path


@pytest.fixture
def slot(spot: Spot, demo: Path) -> Slot:
    """A booking about which two letters left in the same second."""
    [slot] = cast.a_stay(spot, 60)
    for kind in (MailKind.CONFIRMED, MailKind.CANCELLED):
        mail.owe(kind=kind, slot=slot, now=cast.NOW)
    for owed in mail.due(now=cast.NOW):
        assert mail.send(mail_id=owed, now=cast.NOW)
    return slot


def test_letters_are_listed_and_read_as_text_and_as_html(client: Client, slot: Slot) -> None:
    reference, key = slot.booking.reference, slot.booking.access_key
    listed = client.get("/demo/mail/")
    subjects = [letter.subject for letter in listed.context["letters"]]
    assert sorted(subjects) == [
        f"Your parking is booked: {reference}",
        f"Your parking is cancelled: {reference}",
    ]
    [booked] = [one for one in listed.context["letters"] if "booked" in one.subject]
    page = client.get(f"/demo/mail/{booked.name}/").content.decode()
    assert f"/bookings/{reference}/?key={key}</a>" in page, "the link in the text can be followed"
    assert f"parking-{reference}.ics" in page

    html = client.get(f"/demo/mail/{booked.name}/letter.html")
    assert f"/bookings/{reference}/?key={key}" in html.content.decode()
    policy = html["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-popups" in policy
    assert "script-src" not in policy
    assert "allow-scripts" not in policy
    assert html["X-Frame-Options"] == "SAMEORIGIN"


def test_several_letters_in_one_file_are_told_apart(client: Client, demo: Path, slot: Slot) -> None:
    files = sorted(demo.glob("*.log"))
    whole = b"".join(file.read_bytes() for file in files)
    for file in files:
        file.unlink()
    (demo / "20260303-100000-1.log").write_bytes(whole)
    names = [letter.name for letter in client.get("/demo/mail/").context["letters"]]
    assert names == ["20260303-100000-1-1", "20260303-100000-1-0"]
    assert [client.get(f"/demo/mail/{name}/").status_code for name in names] == [200, 200]


@pytest.mark.parametrize(
    "name",
    ["20260303-100000-1-9", "20260303-100000-2-0", "x", "20260303-100000-1", "-etc-passwd-0"],
)
def test_what_is_no_letter_is_not_found(client: Client, slot: Slot, name: str) -> None:
    for page in (f"/demo/mail/{name}/", f"/demo/mail/{name}/letter.html"):
        assert client.get(page).status_code == 404


def test_a_demonstration_says_where_its_letters_are_and_others_have_no_such_page(
    client: Client, slot: Slot, settings: Any
) -> None:
    settings.STRIPE_API_KEY = "sk_test_x"
    [one, *_] = client.get("/demo/mail/").context["letters"]
    assert 'href="/demo/mail/"' in client.get("/").content.decode()
    settings.DEMO_MAILBOX = False
    assert 'href="/demo/mail/"' not in client.get("/").content.decode()
    pages = ("/demo/mail/", f"/demo/mail/{one.name}/", f"/demo/mail/{one.name}/letter.html")
    assert [client.get(page).status_code for page in pages] == [404, 404, 404]


@pytest.mark.parametrize(
    ("key", "url", "why"),
    [
        ("sk_live_x", "file:///tmp/mail", "test keys only"),
        ("", "file:///tmp/mail", "test keys only"),
        ("sk_test_x", "smtp://mail.example.org", "EMAIL_URL must be file"),
        ("sk_test_x", "console://", "EMAIL_URL must be file"),
    ],
)
def test_where_money_or_mail_is_real_the_site_does_not_start_with_a_mailbox(
    monkeypatch: pytest.MonkeyPatch, key: str, url: str, why: str
) -> None:
    for name, value in {"DEMO_MAILBOX": "1", "STRIPE_API_KEY": key, "EMAIL_URL": url}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=why):
        read_settings()
    monkeypatch.setenv("STRIPE_API_KEY", "sk_test_x")
    monkeypatch.setenv("EMAIL_URL", "file:///tmp/mail")
    assert read_settings()["DEMO_MAILBOX"] is True
