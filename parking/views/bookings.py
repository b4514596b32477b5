"""A citizen's bookings, and a booking as an entry for a calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Max, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from icalendar import Alarm, Calendar, Event

from parking import access
from parking.formatting import clock, money
from parking.models import LIVE_STATES, Booking
from parking.stays import Stay, stay_of

PAGE_SIZE = 20
_REMIND_BEFORE = timedelta(minutes=10)


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
    entry = _event(booking, stay, page)
    file = Calendar()
    file.add("prodid", "-//Curblight//Parking//EN")
    file.add("version", "2.0")
    file.add("method", "PUBLISH")
    file.add_component(entry)
    return HttpResponse(
        file.to_ical(),
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="parking-{booking.reference}.ics"'},
    )


def _event(booking: Booking, stay: Stay, page: str) -> Event:
    spot, end = booking.spot, stay.end
    where = ", ".join(
        part for part in (spot.local_street, str(spot.zone), settings.CITY_NAME) if part
    )
    entry = Event()
    entry.add("uid", f"{booking.reference}@{settings.ALLOWED_HOSTS[0]}")
    entry.add("dtstamp", timezone.now())
    entry.add("sequence", len(stay.slots))
    entry.add("dtstart", stay.start)
    entry.add("dtend", end)
    entry.add("summary", _("Parking: spot %(number)s") % {"number": spot.number})
    entry.add("location", where)
    entry.add("geo", (spot.location.y, spot.location.x))
    entry.add("url", page)
    entry.add(
        "description",
        _("Booking %(reference)s, %(price)s. %(page)s")
        % {
            "reference": booking.reference,
            "price": money(stay.price, stay.parts[0].currency),
            "page": page,
        },
    )
    reminder = Alarm()
    reminder.add("action", "DISPLAY")
    reminder.add("trigger", -_REMIND_BEFORE, parameters={"RELATED": "END"})
    reminder.add("description", _("Your parking ends at %(time)s.") % {"time": clock(end)})
    entry.add_component(reminder)
    return entry


def _row(booking: Booking) -> BookingRow | None:
    slots = list(booking.slots.all())
    if not slots:
        return None
    stay = stay_of(slots)
    return BookingRow(booking=booking, state=stay.parts[-1].state, start=stay.start, end=stay.end)


def _page_number(text: str) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) <= 4
    return max(1, int(text)) if is_number else 1
