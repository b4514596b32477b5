"""The auditor's desk and the documents as people see them: wide, narrow, right to left, printed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from parking.languages import in_language
from parking.models import Spot
from parking.roles import write_groups
from payments import cancel, ledger, refunds
from payments.models import ExportJob, ExportLog, Payment
from tests import cast
from tests.payments.processor import Processor
from tests.payments.situations import a_paid_booking

pytestmark = pytest.mark.django_db(transaction=True)

MARCH = "first_on=2026-03-01&last_on=2026-03-31"
PAGES = ["", "lines/", "totals/", "comparison/", "chain/", "files/"]
PICTURES = os.environ.get("PICTURES")  # a folder, for who wants to look


@pytest.fixture
def march(spot: Spot, processor: Processor) -> Payment:
    for n in range(3):
        elsewhere = cast.a_spot(cast.a_zone(f"zone-{n}"), f"Z-{n}")
        a_paid_booking(elsewhere, processor, minutes=30 + 30 * n)
    payment = a_paid_booking(spot, processor, minutes=90)
    now = cast.at(30)
    processor.stand_at(now)
    cancel.cancel_booking(
        reference=payment.slot.booking.reference, now=now, actor="citizen", reason="ill"
    )
    refunds.submit(refund_id=payment.refunds.get().pk, now=now)
    Payment.objects.exclude(id=payment.id).filter(amount=100).update(captured=90)
    ledger.seal()
    return payment


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, march: Payment) -> Iterator[Page]:
    write_groups()
    auditor = cast.a_person("auditor", "auditor", is_staff=True)
    log = ExportLog.objects.create(user=auditor, at=cast.NOW, name="lines.csv", parameters={})
    ExportJob.objects.create(log=log, table="lines", format="csv", total=10)
    client = Client()
    client.force_login(auditor)
    context = browser.new_context(base_url=live_server.url)
    session = {"name": "sessionid", "value": client.cookies["sessionid"].value}
    context.add_cookies([{**session, "url": live_server.url}])
    opened = context.new_page()
    yield opened
    context.close()


def look(page: Page, name: str) -> None:
    """Check what is open for everybody, and that nothing sticks out of it sideways."""
    found = Axe().run(page)
    assert found.violations_count == 0, f"{name}: {found.generate_report()}"
    wide, seen = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= seen, f"{name} is {wide} px wide on {seen}"
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


@pytest.mark.parametrize(("width", "language"), [(1280, "en"), (390, "en"), (1280, "fa")])
def test_the_desk_is_for_everybody(page: Page, width: int, language: str) -> None:
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text) if said.type == "error" else None)
    page.set_viewport_size({"width": width, "height": 900})
    for path in PAGES:
        page.goto(in_language(f"/audit/{path}?{MARCH}", language))
        assert page.locator("html").get_attribute("lang") == language
        look(page, f"{path.strip('/') or 'overview'}-{width}-{language}")
    page.goto(in_language(f"/audit/jobs/{ExportJob.objects.get().pk}/", language))
    look(page, f"job-{width}-{language}")
    assert refused == []


def test_a_receipt_and_a_credit_note_print_to_one_sheet_each(page: Page, march: Payment) -> None:
    booking = march.slot.booking.reference
    page.goto(f"/bookings/{booking}/receipt/")
    look(page, "receipts")
    names = re.findall(r"documents/([RC]-2026-\d{6})/", page.content())
    assert [name[0] for name in names] == ["R", "C"]
    for name in names:
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(f"/bookings/{booking}/documents/{name}/")
            look(page, f"{name}-{width}")
        sheet = page.pdf(format="A4", prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", sheet)) == 1
        if PICTURES:
            (Path(PICTURES) / f"{name}-printed.pdf").write_bytes(sheet)


def test_the_desk_prints_without_forms_and_menus(page: Page) -> None:
    page.goto(f"/audit/totals/?{MARCH}")
    page.emulate_media(media="print")
    assert not page.locator("form").first.is_visible()
    assert not page.locator(".audit-nav").is_visible()
    assert page.locator(".print-only").is_visible()
    if PICTURES:
        (Path(PICTURES) / "totals.pdf").write_bytes(page.pdf(prefer_css_page_size=True))
