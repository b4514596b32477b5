"""A spot that is taken, dark or closed: where to go instead, or everything back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from parking import access, closures, late_lights, refusals, spot_reports
from parking.models import Booking
from parking.tasks import nudge_meter
from parking.tasks.nudges import nudge, nudge_once
from parking.terms import SpotUnknown, StayRefused
from payments import change, taken, tasks
from payments.taken import CLOSED, TAKEN, UNLIT, Cause
from payments.views.citizen import open_with_key


@never_cache
@require_http_methods(["GET", "POST"])
def taken_page(request: HttpRequest, reference: str) -> HttpResponse:
    """Offer the ways out (GET), and take one (POST): `do` is move, refund or tell."""
    return _page(request, reference, TAKEN)


@never_cache
@require_http_methods(["GET", "POST"])
def unlit_page(request: HttpRequest, reference: str) -> HttpResponse:
    """Offer the same where the light did not turn green; `do` is move or refund."""
    if "key" in request.GET:
        return open_with_key(request, reference, "payments:unlit")
    return _page(request, reference, UNLIT)


@never_cache
@require_http_methods(["GET", "POST"])
def closed_page(request: HttpRequest, reference: str) -> HttpResponse:
    """Offer the same where the city closes the spot during the stay."""
    if "key" in request.GET:
        return open_with_key(request, reference, "payments:closed")
    return _page(request, reference, CLOSED)


def _page(request: HttpRequest, reference: str, cause: Cause) -> HttpResponse:
    found = access.booking_or_404(request, reference, own=True)
    try:
        if request.method == "POST":
            return _act(request, found, cause)
        return _ask(request, found, cause)
    except (late_lights.NotOffered, closures.NotClosed):
        messages.info(request, _("There is nothing to choose any more: your booking stands."))
    except spot_reports.NotTheTime:
        messages.warning(
            request,
            _("A taken spot can be reported from 15 minutes before the start to 30 minutes after."),
        )
    except refusals.ChangePending:
        messages.warning(request, _("A change of this booking waits for its payment already."))
    except (refusals.NotBooked, refusals.WrongState):
        messages.warning(request, _("This stay is over, or not booked."))
    return redirect("payments:booking", found.reference)


def _act(request: HttpRequest, found: Booking, cause: Cause) -> HttpResponse:
    match request.POST.get("do"):
        case "move":
            return _move(request, found, cause)
        case "refund":
            return _refund(request, found, cause)
        case "tell" if cause is TAKEN:
            taken.tell(reference=found.reference, now=timezone.now())
            messages.success(request, _("Thank you. The city knows of it now."))
            return redirect("payments:booking", found.reference)
    return _ask(request, found, cause, status=400)


def _move(request: HttpRequest, found: Booking, cause: Cause) -> HttpResponse:
    number = request.POST.get("spot", "")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return _ask(request, found, cause, status=400)
    try:
        done = taken.go_elsewhere(
            reference=found.reference,
            spot_id=int(number),
            now=timezone.now(),
            actor=access.actor_of(request),
            cause=cause,
        )
    except (refusals.SpotTaken, SpotUnknown, StayRefused, change.OtherTerms):
        notice = _("That spot cannot be had any more. Please choose another one.")
        return _ask(request, found, cause, status=409, notice=notice)
    nudge_once(tasks.send_mail)
    for meter_id in done.meter_ids:
        nudge_meter(meter_id)
    messages.success(
        request,
        _("Spot %(number)s is yours now, at no extra cost. The city knows of the other one.")
        % {"number": done.slot.spot.number},
    )
    return redirect("payments:booking", found.reference)


def _refund(request: HttpRequest, found: Booking, cause: Cause) -> HttpResponse:
    try:
        done = taken.give_back(
            reference=found.reference,
            now=timezone.now(),
            actor=access.actor_of(request),
            cause=cause,
        )
    except taken.AskFirst:
        return _ask(request, found, cause, status=409)
    for refund_id in done.refund_ids:
        nudge(tasks.submit_refund, str(refund_id))
    nudge_once(tasks.send_mail)
    nudge_meter(done.meter_id)
    messages.success(request, _("Your booking is cancelled, and the city knows of the spot."))
    return redirect("payments:booking", found.reference)


def _ask(
    request: HttpRequest,
    found: Booking,
    cause: Cause,
    *,
    status: int = 200,
    notice: str = "",
) -> HttpResponse:
    context = {
        "booking": found,
        "ways": taken.ways_out(booking_id=found.pk, now=timezone.now(), cause=cause),
        "is_dark": cause is UNLIT,
        "is_closed": cause is CLOSED,
        "notice": notice,
    }
    return render(request, "payments/taken.html", context, status=status)
