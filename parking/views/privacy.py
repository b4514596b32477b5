"""What is kept about people, why and for how long."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from parking import access
from parking.forgetting import GUEST_ADDRESS_DAYS
from parking.models import Zone


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """Show it, with the term of every zone."""
    context = {
        "zones": Zone.objects.filter(is_active=True),
        "guest_address_days": GUEST_ADDRESS_DAYS,
        "is_known": request.user.is_authenticated or bool(access.proven_address(request)),
        "is_erased": "erased" in request.GET,
    }
    return render(request, "parking/privacy.html", context)
