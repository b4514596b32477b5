"""What officers do about one payment: give money back, release a spot by force, approve."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from parking import refusals
from parking.admin.scoping import own_zones, sees_every_zone
from parking.money import exponent
from parking.tasks import nudge_meter
from parking.tasks.nudges import nudge
from payments import expiry, officer_refunds, refunds, tasks
from payments.models import Payment, RefundDecision, RefundRequest

BUSY = gettext_lazy("Others are at the same booking right now. Please try again in a moment.")
_WHY_NOT = {
    officer_refunds.NotAllowed: gettext_lazy("Your role does not do that in this zone."),
    officer_refunds.OwnBooking: gettext_lazy(
        "This is your own booking. Ask a colleague: nobody refunds their own."
    ),
    officer_refunds.ReasonMissing: gettext_lazy("Say why the money goes back."),
    officer_refunds.SamePerson: gettext_lazy("You asked for it: somebody else must approve."),
    officer_refunds.AlreadyDecided: gettext_lazy("Somebody has decided it already."),
    refunds.NotPaid: gettext_lazy("This payment has taken no money."),
    refunds.OverRefund: gettext_lazy("More than what is left of this payment cannot go back."),
    refusals.Busy: BUSY,
}
REFUSALS = tuple(_WHY_NOT)


class RefundForm(forms.Form):
    """How much, and why."""

    note = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=200,
        help_text=gettext_lazy("The citizen and auditors can read it. No names, no plates."),
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.exponent = exponent(currency)
        self.fields["amount"] = forms.DecimalField(
            label=_("Amount in %(currency)s") % {"currency": currency},
            min_value=0,
            max_digits=15,
            decimal_places=self.exponent,
        )

    def minor_units(self) -> int:
        """Return the amount of a valid form, in minor units."""
        return int(self.cleaned_data["amount"].scaleb(self.exponent))


@never_cache
@login_required
@permission_required(officer_refunds.ASK, raise_exception=True)
@require_http_methods(["GET", "POST"])
def refund(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """Ask what goes back and why (GET), and send it or put it before a second person (POST)."""
    payment = _payment_or_404(request, payment_id)
    user = cast(User, request.user)
    form = RefundForm(request.POST or None, currency=payment.currency)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                return _give(request, payment, form)
            except REFUSALS as error:
                form.add_error(None, str(_WHY_NOT[type(error)]))
                status = 409
    context = {
        "payment": payment,
        "form": form,
        "left": refunds.left_of(payment),
        "alone": officer_refunds.left_alone(user, payment.slot.booking),
        "is_own": officer_refunds.is_own(user, payment.slot.booking),
        "requests": payment.refund_requests.select_related("asked_by", "decided_by"),
    }
    return render(request, "payments/refund.html", context, status=status)


def _give(request: HttpRequest, payment: Payment, form: RefundForm) -> HttpResponse:
    done = officer_refunds.ask(
        payment_id=payment.id,
        amount=form.minor_units(),
        note=form.cleaned_data["note"],
        by=cast(User, request.user),
        now=timezone.now(),
    )
    if isinstance(done, RefundRequest):
        messages.warning(
            request,
            _("This is above your limit. It waits for a second person; no money has moved."),
        )
    else:
        nudge(tasks.submit_refund, str(done.id))
        messages.success(request, _("The money is on its way back."))
    return redirect("payments:refund", payment.id)


@never_cache
@login_required
@permission_required(officer_refunds.APPROVE, raise_exception=True)
@require_http_methods(["GET", "POST"])
def requests(request: HttpRequest) -> HttpResponse:
    """List the refunds that wait for a second person (GET); approve or refuse one (POST)."""
    user = cast(User, request.user)
    if request.method == "POST":
        return _decide(request)
    rows = RefundRequest.objects.select_related(
        "asked_by", "decided_by", "payment__slot__booking", "payment__slot__spot__zone"
    )
    if not (user.is_superuser or user.has_perm(officer_refunds.EVERY_ZONE)):
        rows = rows.filter(payment__slot__spot__zone__in=own_zones(user).values("pk"))
    context = {
        "waiting": rows.filter(decision=RefundDecision.WAITING)[:100],
        "decided": rows.exclude(decision=RefundDecision.WAITING)[:50],
    }
    return render(request, "payments/refund_requests.html", context)


def _decide(request: HttpRequest) -> HttpResponse:
    number = request.POST.get("request", "")
    asked = get_object_or_404(RefundRequest, id=number if number.isdecimal() else 0)
    by, now = cast(User, request.user), timezone.now()
    try:
        match request.POST.get("do"):
            case "approve":
                done = officer_refunds.approve(request_id=asked.pk, by=by, now=now)
                nudge(tasks.submit_refund, str(done.id))
                messages.success(request, _("Approved. The money is on its way back."))
            case "refuse":
                officer_refunds.refuse(request_id=asked.pk, by=by, now=now)
                messages.success(request, _("Refused. No money moves."))
            case _:
                return HttpResponse(status=400)
    except officer_refunds.NotAllowed:
        return HttpResponse(status=403)
    except REFUSALS as error:
        messages.error(request, str(_WHY_NOT[type(error)]))
    return redirect("payments:refund-requests")


@never_cache
@login_required
@permission_required("payments.force_release", raise_exception=True)
@require_http_methods(["GET", "POST"])
def release(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """Ask why (GET), and give a spot back although the processor has not answered (POST)."""
    payment = _payment_or_404(request, payment_id)
    user = cast(User, request.user)
    why_not, reason = "", request.POST.get("reason", "").strip()[:200]
    if request.method == "POST":
        if not officer_refunds.handles(user, payment.slot):
            return HttpResponse(status=403)
        try:
            if not reason:
                raise officer_refunds.ReasonMissing
            expiry.force_release(
                slot_id=payment.slot_id,
                now=timezone.now(),
                actor=officer_refunds.actor(user),
                reason=reason,
            )
        except officer_refunds.ReasonMissing:
            why_not = _("Say why the spot is given to others.")
        except expiry.TooEarly:
            why_not = _("The payment page may still be alive. Wait until its end.")
        except refusals.WrongState:
            why_not = _("This spot does not wait for the payment service.")
        except refusals.Busy:
            why_not = str(BUSY)
        else:
            nudge_meter(payment.slot.spot.meter_id)
            messages.success(
                request, _("The spot is free for others. The list of exceptions has it.")
            )
            return redirect("payments:release", payment.id)
    context = {
        "payment": payment,
        "over_at": expiry.forcible_from(payment),
        "reason": reason,
        "why_not": why_not,
    }
    return render(request, "payments/release.html", context, status=409 if why_not else 200)


def _payment_or_404(request: HttpRequest, payment_id: UUID) -> Payment:
    """Return a payment of a zone that the person may see; others do not exist for them."""
    user = cast(User, request.user)
    rows = Payment.objects.select_related("slot__booking", "slot__spot__zone")
    if not sees_every_zone(user):
        rows = rows.filter(slot__spot__zone__in=own_zones(user).values("pk"))
    payment = rows.filter(id=payment_id).first()
    if payment is None:
        raise Http404
    return payment
