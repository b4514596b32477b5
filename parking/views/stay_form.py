"""The form of a stay on pages that hold a spot, and what its visitor typed the last time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils import timezone

from parking import access, drafts, stay_times
from parking.forms import QuoteForm
from parking.models import Booking, StayRules, Vehicle


def stay_form(
    given: QueryDict,
    *,
    rules: StayRules,
    vehicle_classes: Collection[str],
    vehicles: Sequence[Vehicle],
    now: datetime,
) -> QuoteForm:
    """Make the form of the stay from what was given, and usual values for the rest.

    The vehicle that its owner wants to be offered first says the class, where it has a price.
    """
    first = now + timedelta(minutes=rules.lead_time_min)
    start = timezone.localtime(stay_times.next_start(now=first, steps=[rules.slot_step_min]))
    usual_min = max(min(stay_times.USUAL_MIN, rules.longest_stay_min), rules.shortest_stay_min)
    usual = {"on": f"{start:%Y-%m-%d}", "at": f"{start:%H:%M}", "length": str(usual_min)}
    data = given.copy()
    for name, value in usual.items():
        data[name] = data.get(name) or value
    if "vehicle_class" not in given and vehicles and vehicles[0].vehicle_class in vehicle_classes:
        data["vehicle_class"] = vehicles[0].vehicle_class
    lengths = stay_times.lengths(
        shortest=rules.shortest_stay_min,
        longest=rules.longest_stay_min,
        step=rules.slot_step_min,
    )
    return QuoteForm(data, lengths=lengths, vehicle_classes=vehicle_classes)


def last_time(request: HttpRequest, vehicles: Sequence[Vehicle]) -> dict[str, Any]:
    """Return what the visitor typed before they were led away, or for the booking before.

    Who has vehicles to choose from chooses.
    """
    mine = Booking.objects.order_by("-created_at")
    if request.user.is_authenticated:
        last = mine.filter(user=request.user).first()
        email = request.user.email
    else:
        last = mine.filter(access.own_bookings(request)).first()
        email = last.email if last else access.proven_address(request)
    return {
        "plate": last.plate if last and not vehicles else "",
        "vehicle_class": last.vehicle_class if last else "",
        "email": email,
        **drafts.kept(request),
    }


def address_of(page: str, key: int | str, stay: QuoteForm, **more: Any) -> str:
    """Return the address of a page for the stay that was chosen, as far as it can be read."""
    query = urlencode({**(stay.period_query() if stay.is_valid() else {}), **more}, doseq=True)
    return f"{reverse(page, args=[key])}{'?' if query else ''}{query}"
