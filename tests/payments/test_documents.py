"""Receipts and credit notes: numbered without a gap, one sheet each, and nobody else's business."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone, translation

from parking.models import Slot
from payments import cancel, proof, receipt_pdf, receipts, refunds
from payments.models import Document, LedgerEntry, Refund
from tests import cast
from tests.payments.pages import page, pay
from tests.payments.processor import Processor

pytestmark = pytest.mark.django_db


@pytest.fixture
def numbers(guest: Client, slot: Slot, processor: Processor) -> list[str]:
    """A stay that was paid and cancelled; return the numbers of its documents."""
    pay(slot, processor)
    now = timezone.now()
    cancel.cancel_booking(reference=slot.booking.reference, now=now, actor="citizen", reason="")
    refunds.submit(refund_id=Refund.objects.get().pk, now=now)
    found = [str(row.document) for row in receipts.of(slot.booking)]
    assert [number[0] for number in found] == ["R", "C"]
    return found


def test_each_document_has_a_page_and_a_pdf(guest: Client, slot: Slot, numbers: list[str]) -> None:
    for number in numbers:
        said = guest.get(page(slot, f"documents/{number}/"))
        assert said.status_code == 200
        assert number in said.content.decode()
        answer = guest.get(page(slot, f"documents/{number}.pdf"))
        assert answer["Content-Type"] == "application/pdf"
        assert f'filename="{number}.pdf"' in answer["Content-Disposition"]
        assert answer.content.startswith(b"%PDF-")
        assert len(re.findall(rb"/Type\s*/Page\b", answer.content)) == 1
    credit_note = guest.get(page(slot, f"documents/{numbers[1]}/")).content.decode()
    assert "Reverses" in credit_note
    assert numbers[0] in credit_note


def test_nobody_else_gets_a_document(slot: Slot, numbers: list[str]) -> None:
    citizen = Client()
    citizen.force_login(cast.a_person("another"))
    for visitor in (Client(), citizen):
        for end in ("/", ".pdf"):
            assert visitor.get(page(slot, f"documents/{numbers[0]}{end}")).status_code == 404


@pytest.mark.parametrize("number", ["R-2026-999999", "x", "C-1999-000001"])
def test_there_is_no_document_of_another_number(
    guest: Client, slot: Slot, numbers: list[str], number: str
) -> None:
    assert guest.get(page(slot, f"documents/{number}/")).status_code == 404
    assert guest.get(page(slot, f"documents/{number}.pdf")).status_code == 404


@pytest.mark.parametrize("language", ["en", "fa", "ru", "vi"])
def test_a_document_is_one_sheet_of_the_same_bytes_in_every_language(
    slot: Slot, numbers: list[str], language: str
) -> None:
    row = receipts.find(slot.booking, numbers[1])
    assert row is not None
    with translation.override(language):
        first = receipt_pdf.render(row)
        assert receipt_pdf.render(row) == first
        row.document.entry.posted_at += timedelta(seconds=1)
        assert receipt_pdf.render(row) != first, "it bears the moment of its entry"
    assert len(re.findall(rb"/Type\s*/Page\b", first)) == 1
    assert b"DejaVuSans" in first, "its letters are in it"


def test_every_refund_has_a_credit_note_and_no_number_is_missing(
    slot: Slot, numbers: list[str]
) -> None:
    for entry in LedgerEntry.objects.filter(kind="refund"):
        assert Document.objects.get(entry=entry).reverses is not None
    assert proof.first_missing_document() is None
