"""A citizen's bookings, and a booking as an entry for a calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.db.models import Max
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from parking import access, calendar_file, spot_reports
from parking.models import LIVE_STATES, Booking
from parking.stays import stay_of

PAGE_SIZE = 20


@dataclass(frozen=True)
class BookingRow:
    """A booking as the list shows it: from its first to its last slot that counts."""

    booking: Booking
    state: str  # a SlotState
    start: datetime
    end: datetime
    can_be_taken: bool
    has_receipt: bool


@require_safe
@never_cache
def my_bookings(request: HttpRequest) -> HttpResponse:
    """Show what is running, what comes, and what is over; of the account and of this session."""
    now = timezone.now()
    page = _page_number(request.GET.get("page", ""))
    bookings = list(
        Booking.objects.filter(access.own_bookings(request))
        .select_related("spot__zone")
        .prefetch_related("slots")
        .annotate(newest=Max("slots__id"))
        .order_by("-newest", "-id")[(page - 1) * PAGE_SIZE : page * PAGE_SIZE + 1]
    )
    rows = [row for booking in bookings[:PAGE_SIZE] if (row := _row(booking, now)) is not None]
    live = [row for row in rows if row.state in LIVE_STATES and row.end > now]
    context = {
        "running": sorted((row for row in live if row.start <= now), key=lambda row: row.end),
        "coming": sorted((row for row in live if row.start > now), key=lambda row: row.start),
        "over": [row for row in rows if row not in live],
        "page": page,
        "proven_address": access.proven_address(request),
        "has_more": len(bookings) > PAGE_SIZE,
    }
    return render(request, "parking/my_bookings.html", context)


@require_POST
def forget(request: HttpRequest) -> HttpResponse:
    """Let this browser see no booking any more: it may be somebody else's."""
    access.forget(request)
    messages.success(request, _("This browser shows your bookings no more."))
    return redirect("parking:my-bookings")


@require_safe
@never_cache
def calendar(request: HttpRequest, reference: str) -> HttpResponse:
    """Answer a confirmed booking as an iCalendar file, with a reminder before its end."""
    booking = access.booking_or_404(request, reference)
    slots = list(booking.slots.all())
    stay = stay_of(slots) if slots else None
    if stay is None or not stay.is_booked:
        raise Http404
    page = request.build_absolute_uri(reverse("payments:booking", args=[booking.reference]))
    name = calendar_file.name(booking)
    return HttpResponse(
        calendar_file.write(booking, stay, page=page, now=timezone.now()),
        content_type=calendar_file.MEDIA_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _row(booking: Booking, now: datetime) -> BookingRow | None:
    slots = list(booking.slots.all())
    if not slots:
        return None
    stay = stay_of(slots)
    return BookingRow(
        booking=booking,
        state=stay.parts[-1].state,
        start=stay.start,
        end=stay.end,
        can_be_taken=stay.is_booked and spot_reports.is_time(slot=stay.parts[0], now=now),
        has_receipt=any(slot.confirmed_at and slot.amount for slot in slots),
    )


def _page_number(text: str) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) <= 4
    return max(1, int(text)) if is_number else 1
