"""`GET` and `POST /api/v1/bookings/{reference}/change/`."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from parking import access, changes, corrections, locking, nearby, refusals
from parking.api.bookings import BOOKING_KEY, booking_of, describe, json
from parking.api.extension import conflict
from parking.api.serializers import BookingAnswer, Problem
from parking.api.spots import PROBLEM, refused
from parking.models import Booking, SlotState
from parking.pricing import QuoteError
from parking.problems import CONTENT_TYPE, busy, problem
from parking.tasks import nudge_meter
from parking.tasks.nudges import nudge, nudge_once
from parking.terms import NotPriced, SpotUnknown, StayRefused
from parking.throttling import HoldThrottle
from payments import change, tasks

_REFUSALS = (
    refusals.BookingError,
    SpotUnknown,
    StayRefused,
    NotPriced,
    QuoteError,
)


class ChangeQuery(serializers.Serializer[Any]):
    """What is left out stays as it is."""

    spot = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    to = serializers.DateTimeField(required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add the start."""
        return {**super().get_fields(), "from": serializers.DateTimeField(required=False)}


class ChangeRequest(ChangeQuery):
    """A change, on the terms that `GET` told."""

    due = serializers.IntegerField(min_value=0, help_text="what you were told is to be paid")
    back = serializers.IntegerField(min_value=0, help_text="what you were told goes back")


class ChangeTerms(serializers.Serializer[Any]):
    """What a change means."""

    spot = serializers.IntegerField()
    due = serializers.IntegerField(help_text="minor units to be paid for it")
    back = serializers.IntegerField(help_text="minor units that go back")
    currency = serializers.CharField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add the period."""
        return {
            **super().get_fields(),
            "from": serializers.DateTimeField(),
            "to": serializers.DateTimeField(),
        }


class OtherSpot(ChangeTerms):
    """A free spot near the one that is taken, with what a change to it means."""

    number = serializers.CharField()
    street = serializers.CharField()
    distance_m = serializers.IntegerField()


class ChangeProblem(Problem):
    """409: taken, or the terms are others now."""

    alternatives = OtherSpot(many=True, required=False)
    terms = ChangeTerms(required=False)


class ChangeAnswer(BookingAnswer):
    """The booking after the change; `waiting` where it waits for its payment."""

    refunded = serializers.IntegerField(help_text="minor units that go back")


_ANSWERS = {
    **PROBLEM,
    (409, CONTENT_TYPE): OpenApiResponse(
        ChangeProblem, "Taken, busy, not confirmed, changed too often, or the terms are others now"
    ),
    (422, CONTENT_TYPE): OpenApiResponse(Problem, "The rules do not allow it"),
    (429, CONTENT_TYPE): OpenApiResponse(Problem, "Too many requests"),
}


class Change(APIView):
    """Another spot, another time."""

    def get_throttles(self) -> list[HoldThrottle]:  # type: ignore[override]
        """Limit what holds a spot, and not what only asks."""
        return [HoldThrottle()] if self.request.method == "POST" else []

    @extend_schema(
        operation_id="change_terms",
        parameters=[
            BOOKING_KEY,
            OpenApiParameter("spot", OpenApiTypes.INT64, description="of the same zone"),
            OpenApiParameter("from", OpenApiTypes.DATETIME),
            OpenApiParameter("to", OpenApiTypes.DATETIME),
        ],
        responses={200: ChangeTerms, **_ANSWERS},
    )
    def get(self, request: Request, reference: str) -> HttpResponse:
        """Say what a change would cost or give back; what is left out stays as it is."""
        found = booking_of(request, reference)
        wish = ChangeQuery(data=request.query_params)
        wish.is_valid(raise_exception=True)
        try:
            proposal = changes.propose(
                booking_id=found.pk, now=timezone.now(), **_wish(wish.validated_data)
            )
        except refusals.SpotTaken:
            return _taken(found, _wish(wish.validated_data))
        except _REFUSALS as error:
            return _why_not(error)
        return json(_terms(proposal))

    @extend_schema(
        operation_id="change",
        request=ChangeRequest,
        parameters=[BOOKING_KEY],
        responses={200: ChangeAnswer, **_ANSWERS},
    )
    def post(self, request: Request, reference: str) -> HttpResponse:
        """Change the booking; where something is due, pay for it by `checkout`."""
        found = booking_of(request, reference)
        wish = ChangeRequest(data=request.data)
        wish.is_valid(raise_exception=True)
        told = wish.validated_data
        try:
            done = change.change_booking(
                reference=found.reference,
                now=timezone.now(),
                actor=access.actor_of(request),
                told=(told["due"], told["back"]),
                **_wish(told),
            )
        except change.OtherTerms as other:
            title = _("The change means something else now.")
            return problem(409, "other-terms", title, terms=_terms(other.change))
        except refusals.SpotTaken:
            return _taken(found, _wish(told))
        except _REFUSALS as error:
            return _why_not(error)
        if done.slot.state != SlotState.HELD:
            for refund_id in done.refund_ids:
                nudge(tasks.submit_refund, str(refund_id))
            nudge_once(tasks.send_mail)
            for meter_id in done.meter_ids:
                nudge_meter(meter_id)
        return json({**describe(locking.slots_of(found.pk)), "refunded": done.refunded})


def _wish(given: dict[str, Any]) -> dict[str, Any]:
    return {"spot_id": given.get("spot"), "start": given.get("from"), "end": given.get("to")}


def _terms(proposal: changes.Change) -> dict[str, Any]:
    return {
        "spot": proposal.spot.pk,
        "from": timezone.localtime(proposal.start).isoformat(),
        "to": timezone.localtime(proposal.end).isoformat(),
        "due": proposal.due,
        "back": proposal.refund,
        "currency": proposal.quote.currency,
    }


def _taken(found: Booking, wish: dict[str, Any]) -> HttpResponse:
    """Answer 409 with the nearest free spots and what a change to each means."""
    others = nearby.instead_of(booking_id=found.pk, now=timezone.now(), **wish)
    title = _("Somebody else has this spot in that time.")
    alternatives = [
        {
            **_terms(other.change),
            "number": other.spot.number,
            "street": other.spot.street,
            "distance_m": other.spot.distance_m,
        }
        for other in others
    ]
    return problem(409, "spot-taken", title, alternatives=alternatives)


def _why_not(error: Exception) -> HttpResponse:
    match error:
        case refusals.NotBooked() | refusals.ChangePending():
            return conflict(error)
        case corrections.TooOften():
            again_at = error.again_at and timezone.localtime(error.again_at).isoformat()
            title = _("This booking was changed too often.")
            detail = corrections.why_not(error)
            return problem(409, "changed-too-often", title, detail=detail, again_at=again_at)
        case SpotUnknown():
            return problem(404, "not-found", _("No such spot or zone."))
        case StayRefused() | NotPriced() | QuoteError():
            return refused(error)
    return busy()
