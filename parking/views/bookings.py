"""A citizen's bookings, and a booking as an entry for a calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from parking import access, calendar_file
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


@require_safe
@never_cache
def my_bookings(request: HttpRequest) -> HttpResponse:
    """Show what is running, what comes, and what is over; of the account and of this session."""
    mine = Q(reference__in=access.remembered(request))
    if request.user.is_authenticated:
        mine |= Q(user=request.user)
    now = timezone.now()
    page = _page_number(request.GET.get("page", ""))
    bookings = list(
        Booking.objects.filter(mine)
        .select_related("spot__zone")
        .prefetch_related("slots")
        .annotate(newest=Max("slots__id"))
        .order_by("-newest", "-id")[(page - 1) * PAGE_SIZE : page * PAGE_SIZE + 1]
    )
    rows = [row for booking in bookings[:PAGE_SIZE] if (row := _row(booking)) is not None]
    live = [row for row in rows if row.state in LIVE_STATES and row.end > now]
    context = {
        "running": sorted((row for row in live if row.start <= now), key=lambda row: row.end),
        "coming": sorted((row for row in live if row.start > now), key=lambda row: row.start),
        "over": [row for row in rows if row not in live],
        "page": page,
        "has_more": len(bookings) > PAGE_SIZE,
    }
    return render(request, "parking/my_bookings.html", context)


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


def _row(booking: Booking) -> BookingRow | None:
    slots = list(booking.slots.all())
    if not slots:
        return None
    stay = stay_of(slots)
    return BookingRow(booking=booking, state=stay.parts[-1].state, start=stay.start, end=stay.end)


def _page_number(text: str) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) <= 4
    return max(1, int(text)) if is_number else 1
