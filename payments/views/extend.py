"""Staying longer: how far the stay can grow, what that costs, and on to paying for it."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from parking import access, extension, refusals
from parking.models import Booking, SlotState
from parking.tasks import nudge_meter
from parking.terms import StayRefused
from payments.views.citizen import open_with_key, pay_slot


@never_cache
@require_http_methods(["GET", "POST"])
def extend(request: HttpRequest, reference: str) -> HttpResponse:
    """Offer the ends that a stay can have; the chosen one is held and paid for at once.

    The link in a reminder carries `?key=`, so that nobody needs to log in.
    """
    if "key" in request.GET:
        return open_with_key(request, reference, "payments:extend")
    found = access.booking_or_404(request, reference, own=True)
    now = timezone.now()
    try:
        if request.method == "POST":
            return _extend(request, found, now)
        return _ask(request, found, now)
    except refusals.ChangePending:
        messages.warning(request, _("An extension waits for its payment already."))
    except refusals.NotBooked:
        messages.warning(request, _("This stay cannot be extended: it is over, or not booked."))
    return redirect("payments:booking", found.reference)


def _extend(request: HttpRequest, found: Booking, now: datetime) -> HttpResponse:
    to = _moment(request.POST.get("to", ""))
    if to is None:
        return _ask(request, found, now, notice=_("Choose until when you want to stay."))
    try:
        slot = extension.extend(booking_id=found.pk, to=to, now=now, actor=access.actor_of(request))
    except StayRefused as refused:
        return _ask(request, found, now, notice=refused.failures[0].message)
    except refusals.SpotTaken:
        notice = _("Meanwhile somebody else has booked this spot for part of that time.")
        return _ask(request, found, now, notice=notice)
    if slot.state == SlotState.CONFIRMED:
        nudge_meter(slot.spot.meter_id)
        messages.success(request, _("Your stay is extended. There is nothing to pay for it."))
        return redirect("payments:booking", found.reference)
    return pay_slot(request, slot)


def _ask(request: HttpRequest, found: Booking, now: datetime, *, notice: str = "") -> HttpResponse:
    context = {
        "booking": found,
        "room": extension.room(booking_id=found.pk, now=now),
        "notice": notice,
    }
    return render(request, "payments/extend.html", context, status=409 if notice else 200)


def _moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment is not None and timezone.is_aware(moment) else None
