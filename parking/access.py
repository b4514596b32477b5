"""Who may see a booking: its owner, a guest with its key or address, its zone's staff, auditors."""

from __future__ import annotations

import hmac

from django.db.models import Q
from django.http import Http404, HttpRequest
from rest_framework.request import Request

from parking.models import Booking

Visit = HttpRequest | Request

_SESSION_KEY = "bookings"
_ADDRESS_KEY = "proven_address"
_REMEMBERED = 20  # bookings per session


def remember(request: Visit, booking: Booking) -> None:
    """Let this browser session see the booking from now on."""
    known = [ref for ref in remembered(request) if ref != booking.reference]
    request.session[_SESSION_KEY] = [*known, booking.reference][-_REMEMBERED:]


def forget_one(request: Visit, booking: Booking) -> None:
    """Let this browser session see the booking no more."""
    request.session[_SESSION_KEY] = [
        reference for reference in remembered(request) if reference != booking.reference
    ]


def remembered(request: Visit) -> list[str]:
    """Return the references of the bookings that this browser session may see."""
    return list(request.session.get(_SESSION_KEY, []))


def prove_address(request: HttpRequest, email: str) -> None:
    """Let this browser session see what guests booked with an address that is shown to be its."""
    request.session[_ADDRESS_KEY] = email


def proven_address(request: Visit) -> str:
    """Return the address that this browser session has shown to be its own, or nothing."""
    return str(request.session.get(_ADDRESS_KEY, ""))


def forget(request: HttpRequest) -> None:
    """Let this browser session see no booking any more."""
    for key in (_SESSION_KEY, _ADDRESS_KEY):
        request.session.pop(key, None)


def own_bookings(request: HttpRequest) -> Q:
    """Choose the bookings of the account, of the proven address, and of this browser session."""
    mine = Q(reference__in=remembered(request))
    if request.user.is_authenticated:
        mine |= Q(user=request.user)
    if email := proven_address(request):
        mine |= Q(user=None, email__iexact=email)
    return mine


def holds_key(booking: Booking, key: str) -> bool:
    """Say whether `key` opens the booking; takes the same time whatever is wrong with it."""
    return hmac.compare_digest(booking.access_key.encode(), key.encode())


def is_own(request: Visit, booking: Booking) -> bool:
    """Say whether the visitor made the booking: by account, by address, in this session."""
    if request.user.is_authenticated and booking.user_id == request.user.pk:
        return True
    email = proven_address(request)
    if email and booking.user_id is None and booking.email.upper() == email.upper():
        return True
    return booking.reference in remembered(request)


def actor_of(request: Visit) -> str:
    """Name the visitor for a booking's history."""
    return f"user:{request.user.pk}" if request.user.is_authenticated else "citizen"


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
