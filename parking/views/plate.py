"""Correcting the number plate of a booking."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from parking import access, corrections
from parking.plate_forms import PlateChoice
from parking.terms import StayRefused
from parking.vehicles import vehicles_of


@never_cache
@require_http_methods(["GET", "POST"])
def correct(request: HttpRequest, reference: str) -> HttpResponse:
    """Show the plate of a booking, and change it to the one that was typed."""
    found = access.booking_or_404(request, reference, own=True)
    form = PlateChoice(
        request.POST or None,
        initial={"plate": found.plate},
        vehicles=vehicles_of(request.user),
    )
    notice, status = "", 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                corrections.correct_plate(
                    booking_id=found.pk,
                    plate=form.cleaned_data["plate"],
                    now=timezone.now(),
                    actor="citizen",
                )
            except corrections.TooLate:
                messages.warning(request, _("This stay is over, or not booked."))
                return redirect("payments:booking", found.reference)
            except corrections.TooOften as error:
                status = 409
                notice = corrections.why_not(error)
            except StayRefused as refused:
                status = 409
                notice = " ".join(failure.message for failure in refused.failures)
            else:
                messages.success(request, _("The number plate is changed."))
                return redirect("payments:booking", found.reference)
    context = {
        "booking": found,
        "form": form,
        "notice": notice,
        "left": corrections.corrections_left(booking_id=found.pk, now=timezone.now()),
    }
    return render(request, "parking/plate.html", context, status=status)
