"""The citizen's pages about one booking: pay, see how it stands, cancel, receipt."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from parking import (
    access,
    corrections,
    no_show,
    price_words,
    refusals,
    spot_reports,
    tariff_words,
)
from parking.formatting import clock
from parking.longer_hold import NotLonger
from parking.models import Booking, Slot, StayRules
from parking.tasks import nudge_meter
from parking.tasks.nudges import nudge, nudge_once
from payments import (
    booking_history,
    booking_page,
    cancel,
    checkout,
    expiry,
    gateway,
    receipts,
    status,
    tasks,
)
from payments.booking_page import Stage
from payments.models import PaymentState


@never_cache
@require_GET
def show(request: HttpRequest, reference: str) -> HttpResponse:
    """Show how a booking stands. A guest's `?key=` opens it once; the session remembers."""
    if "key" in request.GET:
        return open_with_key(request, reference, "payments:booking")
    found = access.booking_or_404(request, reference)
    is_own = access.is_own(request, found)
    now = timezone.now()
    standing = booking_page.standing(booking=found, now=now, returned="returned" in request.GET)
    rules = StayRules.objects.get(zone=found.spot.zone_id)
    held = standing.held
    arrival = no_show.outlook(
        booking_id=found.pk, slots=[part.slot for part in standing.parts], now=now
    )
    return render(
        request,
        "payments/booking.html",
        {
            "standing": standing,
            "status": status.of(standing, now=now),
            "seen_at": now,
            "has_begun": now >= standing.start,
            "longer_until": expiry.can_put_off(slot=held.slot, now=now) if held else None,
            "refund_rules": tariff_words.refunds(rules),
            "arrival": arrival,
            "arrival_words": no_show.words(arrival, rules=rules) if arrival else "",
            "prices": [(part, price_words.rows(part.quote)) for part in standing.parts],
            "can_correct": is_own and standing.stage in {Stage.HELD, Stage.CONFIRMED},
            "can_be_taken": is_own
            and standing.stage == Stage.CONFIRMED
            and spot_reports.is_time(slot=standing.parts[0].slot, now=now),
            "near_miss": corrections.near_miss(found) if is_own else None,
            "odd_plate": is_own and corrections.is_odd(found),
            "history": booking_history.steps(found),
            "is_own": is_own,
            "sees_plate": is_own or access.is_operator_of(request, found),
        },
    )


@never_cache
@require_GET
def status_json(request: HttpRequest, reference: str) -> JsonResponse:
    """Answer the page's poller with the texts that may have changed."""
    found = access.booking_or_404(request, reference)
    now = timezone.now()
    standing = booking_page.standing(booking=found, now=now, returned="returned" in request.GET)
    return JsonResponse(status.of(standing, now=now))


@require_POST
def pay(request: HttpRequest, reference: str) -> HttpResponse:
    """Send the maker of a hold to the processor's page."""
    found = access.booking_or_404(request, reference, own=True)
    return pay_slot(request, found.slots.order_by("-id")[0])


def pay_slot(request: HttpRequest, slot: Slot) -> HttpResponse:
    """Send the visitor to the processor's page for a held slot, or back with what went wrong."""
    try:
        url = checkout.start(slot_id=slot.id, booking_id=slot.booking_id, now=timezone.now())
        return HttpResponseRedirect(url)
    except checkout.HoldOver:
        messages.error(request, _("The time to pay is over. No money was taken."))
    except checkout.AlreadyPaid:
        messages.success(request, _("This booking is already paid."))
    except checkout.ProcessorAway:
        messages.error(
            request,
            _(
                "The payment service does not answer. Your spot stays held; please try again in "
                "a moment."
            ),
        )
    except checkout.ProcessorRefused as error:
        messages.error(
            request,
            _("The payment service does not take this payment (%(code)s). No money was taken.")
            % {"code": error},
        )
    return redirect("payments:booking", slot.booking.reference)


@never_cache
@require_GET
def returned(request: HttpRequest, reference: str) -> HttpResponse:
    """Receive the maker back from the processor's page: ask once, then show what is true."""
    found = access.booking_or_404(request, reference)
    slot = found.slots.order_by("-id")[0]
    page = redirect("payments:booking", found.reference)
    payment = slot.payments.filter(state=PaymentState.OPEN).first()
    if payment is None:
        return page
    try:
        payment = checkout.sync_payment(payment_id=payment.id, now=timezone.now(), in_a_hurry=True)
    except tasks.LATER:
        nudge(tasks.sync_payment, str(payment.id))
        page["Location"] += "?returned"
        return page
    if payment.state == PaymentState.PAID:
        nudge_once(tasks.send_mail)
        nudge_meter(slot.spot.meter_id)
    elif payment.state == PaymentState.OPEN:
        messages.warning(request, _("The payment is not complete. No money was taken so far."))
    return page


@require_POST
def give_up(request: HttpRequest, reference: str) -> HttpResponse:
    """End a hold that its maker does not want any more."""
    found = access.booking_or_404(request, reference, own=True)
    slot = found.slots.order_by("-id")[0]
    try:
        expiry.give_up(slot_id=slot.id, now=timezone.now(), actor=access.actor_of(request))
    except refusals.WrongState:
        messages.warning(request, _("This booking is not held any more."))
    except gateway.GatewayError:
        pass  # the page says that we still ask; the sweep goes on
    return redirect("payments:booking", found.reference)


@require_POST
def longer_hold(request: HttpRequest, reference: str) -> HttpResponse:
    """Give the maker of a hold more time to pay, once."""
    found = access.booking_or_404(request, reference, own=True)
    slot = found.slots.order_by("-id")[0]
    try:
        until = expiry.put_off(slot_id=slot.id, now=timezone.now(), actor=access.actor_of(request))
    except NotLonger:
        messages.warning(request, _("There is no more time to give: it is given once."))
    else:
        kept = _("Kept for you: you have until %(time)s to pay.")
        messages.success(request, kept % {"time": clock(until - booking_page.MARGIN)})
    return redirect("payments:booking", found.reference)


@never_cache
@require_http_methods(["GET", "POST"])
def cancel_page(request: HttpRequest, reference: str) -> HttpResponse:
    """Show what a cancellation gives back, then do it."""
    found = access.booking_or_404(request, reference, own=True)
    now = timezone.now()
    if request.method == "POST":
        return _cancel(request, found)
    due = cancel.due_now(reference=found.reference, now=now)
    if due is None:
        messages.warning(request, _("There is nothing left to cancel."))
        return redirect("payments:booking", found.reference)
    return _ask_to_cancel(request, found, due)


@never_cache
@require_GET
def receipt(request: HttpRequest, reference: str) -> HttpResponse:
    """Show the receipts and credit notes of a booking, made to be printed on one A4 page."""
    found = access.booking_or_404(request, reference)
    printed = receipts.of(found)
    if not printed:
        raise Http404
    return render(request, "payments/receipt.html", {"booking": found, "rows": printed})


def open_with_key(request: HttpRequest, reference: str, page: str) -> HttpResponse:
    """Let whoever has the booking's key see it from now on, and show the page without the key."""
    found = Booking.objects.filter(reference=reference.upper()).first()
    if found is None or not access.holds_key(found, request.GET["key"]):
        raise Http404
    access.remember(request, found)
    return redirect(page, found.reference)


def _cancel(request: HttpRequest, found: Booking) -> HttpResponse:
    try:
        told = int(request.POST.get("told", ""))
    except ValueError:
        return redirect("payments:cancel", found.reference)
    try:
        done = cancel.cancel_booking(
            reference=found.reference, now=timezone.now(), actor=access.actor_of(request), told=told
        )
    except refusals.WrongState:
        messages.warning(request, _("There is nothing left to cancel."))
        return redirect("payments:booking", found.reference)
    except cancel.LessDue as less:
        return _ask_to_cancel(request, found, less.due, has_changed=True)
    for refund_id in done.refund_ids:
        nudge(tasks.submit_refund, str(refund_id))
    nudge_once(tasks.send_mail)
    nudge_meter(done.meter_id)
    messages.success(request, _("Your booking is cancelled."))
    return redirect("payments:booking", found.reference)


def _ask_to_cancel(
    request: HttpRequest, found: Booking, due: int, *, has_changed: bool = False
) -> HttpResponse:
    context: dict[str, Any] = {
        "booking": found,
        "standing": booking_page.standing(booking=found, now=timezone.now()),
        "due": due,
        "has_changed": has_changed,
        "has_begun": any(slot.start <= timezone.now() for slot in found.slots.confirmed()),
        "refund_rules": tariff_words.refunds(StayRules.objects.get(zone=found.spot.zone_id)),
    }
    return render(request, "payments/cancel.html", context, status=409 if has_changed else 200)
