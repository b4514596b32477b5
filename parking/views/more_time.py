"""“I am on my way”: a spot waits once more as long for who booked it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from parking import access, no_show
from parking.formatting import clock


@require_POST
def more_time(request: HttpRequest, reference: str) -> HttpResponse:
    """Let the spot wait for longer, and say until when."""
    found = access.booking_or_404(request, reference, own=True)
    try:
        until = no_show.more_time(booking_id=found.pk, now=timezone.now(), actor="citizen")
    except no_show.AskedBefore:
        messages.warning(request, _("You have asked for more time already; it is given once."))
    except no_show.NothingToWaitFor:
        messages.warning(request, _("There is nothing to wait for: see how your booking stands."))
    else:
        messages.success(
            request, _("The spot waits for you until %(time)s.") % {"time": clock(until)}
        )
    return redirect("payments:booking", found.reference)
