"""The receipts and credit notes of a booking, as they are printed.

A spot is called on them what it was called when the money was booked.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from parking.models import Booking, Slot
from parking.price_words import percent
from payments import ledger
from payments.models import Document, LedgerEntry


@dataclass(frozen=True, kw_only=True)
class Printed:
    """One document. Amounts are minor units; what goes back to the citizen is negative."""

    document: Document
    title: str
    slot: Slot
    zone: str
    spot: str
    card: str
    net: int
    tax: int
    tax_label: str
    currency: str

    @property
    def gross(self) -> int:
        """Net and tax."""
        return self.net + self.tax


def of(booking: Booking) -> list[Printed]:
    """Return the documents of a booking in the order of the books.

    They are numbered when the books are sealed; what was posted this second is sealed now.
    """
    if LedgerEntry.objects.filter(payment__slot__booking=booking, number=None).exists():
        ledger.seal()
    documents = (
        Document.objects.filter(entry__payment__slot__booking=booking)
        .select_related("entry__payment__slot__spot__zone", "reverses")
        .prefetch_related("entry__lines")
        .order_by("entry__number")
    )
    return [_print(document) for document in documents]


def find(booking: Booking, name: str) -> Printed | None:
    """Return the document of a booking that bears this number, such as "R-2026-000017"."""
    return next((one for one in of(booking) if str(one.document) == name), None)


def _print(document: Document) -> Printed:
    entry = document.entry
    payment = entry.payment
    if payment is None:
        raise ValueError(f"document {document} has no payment")
    lines = [line for line in entry.lines.all() if line.account != ledger.CLEARING]
    tax = -sum(line.amount for line in lines if line.account.startswith(ledger.TAX))
    told = payment.slot.quote["tax"]
    return Printed(
        document=document,
        title=str(document.get_kind_display()).capitalize(),
        slot=payment.slot,
        zone=payment.slot.spot.zone.local_name,
        spot=entry.spot_number or payment.slot.spot.number,
        card=f"{payment.card_brand} •••• {payment.card_last4}" if payment.card_last4 else "",
        net=-sum(line.amount for line in lines) - tax,
        tax=tax,
        tax_label=_("Tax (%(percent)s %%)") % {"percent": percent(told["rate_bp"])},
        currency=lines[0].currency,
    )
