"""One receipt or credit note: to print, and as PDF."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from parking import access
from parking.models import Booking
from payments import receipt_pdf, receipts


@never_cache
@require_safe
def show(request: HttpRequest, reference: str, name: str) -> HttpResponse:
    """Show one document on a page that prints to one sheet."""
    booking, row = _found(request, reference, name)
    return render(request, "payments/document.html", {"booking": booking, "row": row})


@never_cache
@require_safe
def pdf(request: HttpRequest, reference: str, name: str) -> HttpResponse:
    """Send one document as PDF."""
    _booking, row = _found(request, reference, name)
    return HttpResponse(
        receipt_pdf.render(row),
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{row.document}.pdf"'},
    )


def _found(request: HttpRequest, reference: str, name: str) -> tuple[Booking, receipts.Printed]:
    booking = access.booking_or_404(request, reference)
    row = receipts.find(booking, name)
    if row is None:
        raise Http404
    return booking, row
