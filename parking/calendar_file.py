"""A booked stay as an entry for a calendar, with a reminder before its end."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext as _
from icalendar import Alarm, Calendar, Event

from parking.formatting import clock, listed, money
from parking.models import Booking
from parking.stays import Stay

MEDIA_TYPE = "text/calendar; charset=utf-8"
_REMIND_BEFORE = timedelta(minutes=10)


def name(booking: Booking) -> str:
    """Name the file."""
    return f"parking-{booking.reference}.ics"


def write(booking: Booking, stay: Stay, *, page: str, now: datetime) -> bytes:
    """Write the file; `page` is where the booking can be seen."""
    file = Calendar()
    file.add("prodid", "-//Curblight//Parking//EN")
    file.add("version", "2.0")
    file.add("method", "PUBLISH")
    file.add_component(_event(booking, stay, page, now))
    written: bytes = file.to_ical()
    return written


def _event(booking: Booking, stay: Stay, page: str, now: datetime) -> Event:
    spot, end = booking.spot, stay.end
    where = listed(part for part in (spot.local_street, str(spot.zone), settings.CITY_NAME) if part)
    entry = Event()
    entry.add("uid", f"{booking.reference}@{settings.ALLOWED_HOSTS[0]}")
    entry.add("dtstamp", now)
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
