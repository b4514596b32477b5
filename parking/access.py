"""Who may see a booking: its owner, a guest with its key, staff of its zone, auditors."""

from __future__ import annotations

import hmac

from django.http import Http404, HttpRequest
from rest_framework.request import Request

from parking.models import Booking

Visit = HttpRequest | Request

_SESSION_KEY = "bookings"
_REMEMBERED = 20  # bookings per session


def remember(request: Visit, booking: Booking) -> None:
    """Let this browser session see the booking from now on."""
    known = [ref for ref in remembered(request) if ref != booking.reference]
    request.session[_SESSION_KEY] = [*known, booking.reference][-_REMEMBERED:]


def forget(request: Visit, booking: Booking) -> None:
    """Let this browser session see the booking no more."""
    request.session[_SESSION_KEY] = [
        reference for reference in remembered(request) if reference != booking.reference
    ]


def remembered(request: Visit) -> list[str]:
    """Return the references of the bookings that this browser session may see."""
    return list(request.session.get(_SESSION_KEY, []))


def holds_key(booking: Booking, key: str) -> bool:
    """Say whether `key` opens the booking; takes the same time whatever is wrong with it."""
    return hmac.compare_digest(booking.access_key.encode(), key.encode())


def is_own(request: Visit, booking: Booking) -> bool:
    """Say whether the visitor made the booking, by account or in this browser session."""
    if request.user.is_authenticated and booking.user_id == request.user.pk:
        return True
    return booking.reference in remembered(request)


def is_staff_of(request: Visit, booking: Booking) -> bool:
    """Say whether the visitor may look at the booking in office."""
    user = request.user
    if not user.is_authenticated or not user.is_active:
        return False
    return user.has_perm("payments.view_audit") or is_operator_of(request, booking)


def is_operator_of(request: Visit, booking: Booking) -> bool:
    """Say whether the visitor runs the booking's zone, and so may know whose vehicle it is."""
    user = request.user
    if not user.is_authenticated or not user.is_active:
        return False
    return user.is_superuser or (
        user.has_perm("parking.view_booking")
        and booking.spot.zone.operators.filter(pk=user.pk).exists()
    )


def booking_or_404(request: Visit, reference: str, *, own: bool = False) -> Booking:
    """Return the booking if the visitor may see it (`own`: may act for its maker).

    A booking that exists but is not theirs is answered like one that does not exist.
    """
    booking = (
        Booking.objects.select_related("spot__zone", "spot__meter", "spot__light")
        .filter(reference=reference.upper())
        .first()
    )
    if booking is None:
        raise Http404
    if is_own(request, booking) or (not own and is_staff_of(request, booking)):
        return booking
    raise Http404
