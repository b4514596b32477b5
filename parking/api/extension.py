"""`GET` and `POST /api/v1/bookings/{reference}/extension/`."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from parking import access, extension, refusals, tasks
from parking.api import serializers
from parking.api.bookings import BOOKING_KEY, booking_of, describe_slot, json
from parking.api.spots import PROBLEM, refused
from parking.models import SlotState
from parking.problems import CONTENT_TYPE, busy, problem
from parking.terms import StayRefused
from parking.throttling import HoldThrottle

CONFLICT = {
    (409, CONTENT_TYPE): OpenApiResponse(
        serializers.Problem, "Taken, busy, not confirmed, or something waits for its payment"
    )
}


class Extension(APIView):
    """Staying longer."""

    def get_throttles(self) -> list[HoldThrottle]:  # type: ignore[override]
        """Limit what holds a spot, and not what only asks."""
        return [HoldThrottle()] if self.request.method == "POST" else []

    @extend_schema(
        operation_id="extension_room",
        parameters=[BOOKING_KEY],
        responses={200: serializers.ExtensionRoom, **PROBLEM, **CONFLICT},
    )
    def get(self, request: Request, reference: str) -> HttpResponse:
        """Say how far the stay can grow, and what usual lengths cost."""
        found = booking_of(request, reference)
        try:
            room = extension.room(booking_id=found.pk, now=timezone.now())
        except (refusals.NotBooked, refusals.ChangePending) as error:
            return conflict(error)
        return json(
            {
                "ends": timezone.localtime(room.end).isoformat(),
                "latest": timezone.localtime(room.latest).isoformat() if room.latest else None,
                "limit": room.limit,
                "currency": room.currency,
                "choices": [
                    {
                        "to": timezone.localtime(choice.end).isoformat(),
                        "amount": choice.quote.total,
                    }
                    for choice in room.choices
                ],
            }
        )

    @extend_schema(
        operation_id="extend",
        request=serializers.ExtensionRequest,
        parameters=[BOOKING_KEY],
        responses={
            201: serializers.SlotAnswer,
            **PROBLEM,
            **CONFLICT,
            (422, CONTENT_TYPE): OpenApiResponse(serializers.Problem, "The rules do not allow it"),
            (429, CONTENT_TYPE): OpenApiResponse(serializers.Problem, "Too many requests"),
        },
    )
    def post(self, request: Request, reference: str) -> HttpResponse:
        """Hold a longer stay; pay for it by `checkout`. A free one is confirmed at once."""
        found = booking_of(request, reference)
        wish = serializers.ExtensionRequest(data=request.data)
        wish.is_valid(raise_exception=True)
        actor = access.actor_of(request)
        try:
            slot = extension.extend(
                booking_id=found.pk,
                to=wish.validated_data["to"],
                now=timezone.now(),
                actor=actor,
            )
        except (refusals.NotBooked, refusals.ChangePending) as error:
            return conflict(error)
        except refusals.SpotTaken:
            title = _("Somebody else has this spot in that time.")
            return problem(409, "spot-taken", title)
        except refusals.Busy:
            return busy()
        except StayRefused as error:
            return refused(error)
        if slot.state == SlotState.CONFIRMED:
            tasks.nudge_meter(slot.spot.meter_id)
        return json(describe_slot(slot), status=201)


def conflict(error: refusals.NotBooked | refusals.ChangePending) -> HttpResponse:
    """Say why a booking cannot be extended or changed now."""
    if isinstance(error, refusals.ChangePending):
        title = _("An extension or change waits for its payment already.")
        return problem(409, "payment-pending", title)
    title = _("This stay is over, or not booked.")
    return problem(409, "wrong-state", title)
