"""Pages behind a sign-in, in a real browser: nothing for axe, nothing runs over the edge."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from payments import exception_list, exception_work, mail, mailbox, officer_refunds
from payments.models import LedgerEntry, MoneyException
from tests import cast
from tests.parking.pages.browser import a_page, sideways
from tests.payments.processor import Processor
from tests.payments.situations import a_paid_booking

PHONE, DESK = {"width": 390, "height": 850}, {"width": 1280, "height": 850}


@pytest.mark.django_db(transaction=True)
def test_axe_finds_nothing_and_no_page_is_wider_than_its_window(
    live_server: LiveServer,
    browser: Browser,
    processor: Processor,
    settings: Settings,
    tmp_path: Path,
) -> None:
    settings.DEMO_MAILBOX, settings.EMAIL_FILE_PATH = True, str(tmp_path)
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    root = cast.a_person("root", is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(root)
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value}
    with a_page(browser, live_server.url, viewport=PHONE) as page:
        page.context.add_cookies([{**cookie, "url": live_server.url}])
        for address in addresses(processor):
            page.set_viewport_size(PHONE)
            page.goto(address)
            # A letter stands in a frame that runs no script, and answers none.
            axe = Axe().run(page, options={"iframes": False})
            found = [one["id"] for one in axe.response["violations"]]
            assert (address, found) == (address, [])
            assert page.locator("h1").count() == 1
            assert sideways(page) == 0
            page.set_viewport_size(DESK)
            assert sideways(page) == 0


def addresses(processor: Processor) -> list[str]:
    """Make a row of everything that the pages show; return their addresses."""
    now = timezone.now()
    payment = a_paid_booking(cast.a_spot(cast.a_zone()), processor)
    asker = cast.a_person("asker", is_superuser=True)
    officer_refunds.ask(payment_id=payment.id, amount=100, note="broken meter", by=asker, now=now)
    yesterday = now - timedelta(days=1)
    for kind in (MoneyException.Kind.ORPHAN, MoneyException.Kind.PAYOUT):
        exception_list.put(
            kind=kind, key=kind, detail="one euro and ten cents", payment=payment, now=yesterday
        )
    row = MoneyException.objects.get(key=MoneyException.Kind.ORPHAN)
    exception_work.note(exception_id=row.pk, by=asker, text="looked at the bank", now=now)
    assert LedgerEntry.objects.exists()
    day = timezone.localdate(yesterday).isoformat()
    assert all(mail.send(mail_id=owed, now=now) for owed in mail.due(now=now))
    [letter] = mailbox.latest()

    return [
        reverse("payments:exceptions"),
        reverse("payments:exception", args=[row.pk]),
        f"{reverse('payments:periods')}?kind=day&day={day}",
        reverse("payments:refund", args=[payment.id]),
        reverse("payments:refund-requests"),
        reverse("payments:release", args=[payment.id]),
        reverse("payments:own-data"),
        reverse("payments:erase"),
        reverse("payments:mailbox"),
        reverse("payments:mailbox-letter", args=[letter.name]),
    ]
