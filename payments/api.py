"""The REST answers around money: pay for a booking, get more time to, cancel it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from parking import access, locking, refusals
from parking.api.bookings import BOOKING_KEY, booking_of, describe, json
from parking.api.serializers import BookingAnswer, Problem
from parking.api.spots import PROBLEM
from parking.longer_hold import NotLonger
from parking.problems import CONTENT_TYPE, busy, problem
from parking.tasks import nudge_meter
from parking.tasks.nudges import nudge, nudge_once
from payments import cancel, checkout, expiry, tasks

CONFLICT = {(409, CONTENT_TYPE): OpenApiResponse(Problem, "Not in this state, or busy")}


class CancelAnswer(BookingAnswer):
    """A cancelled booking."""

    refunded = serializers.IntegerField(help_text="minor units that go back")


class CheckoutAnswer(serializers.Serializer[Any]):
    """Where to pay."""

    url = serializers.URLField(help_text="the processor's page; the same while the hold lasts")


class Cancel(APIView):
    """Cancel a booking."""

    @extend_schema(
        operation_id="cancel",
        request=None,
        parameters=[BOOKING_KEY],
        responses={200: CancelAnswer, **PROBLEM, **CONFLICT},
    )
    def post(self, request: Request, reference: str) -> HttpResponse:
        """End a confirmed booking; what is due goes back to the card."""
        found = booking_of(request, reference)
        actor = access.actor_of(request)
        try:
            done = cancel.cancel_booking(reference=found.reference, now=timezone.now(), actor=actor)
        except refusals.WrongState:
            return problem(409, "wrong-state", _("There is nothing left to cancel."))
        except refusals.Busy:
            return busy()
        for refund_id in done.refund_ids:
            nudge(tasks.submit_refund, str(refund_id))
        nudge_once(tasks.send_mail)
        nudge_meter(done.meter_id)
        return json({**describe(locking.slots_of(found.pk)), "refunded": done.refunded})


class LongerHold(APIView):
    """More time to pay."""

    @extend_schema(
        operation_id="prolong_hold",
        request=None,
        parameters=[BOOKING_KEY],
        responses={200: BookingAnswer, **PROBLEM, **CONFLICT},
    )
    def post(self, request: Request, reference: str) -> HttpResponse:
        """Keep a held booking for longer, once; the new `held_until` says for how long."""
        found = booking_of(request, reference)
        actor = access.actor_of(request)
        slot = found.slots.latest("id")
        try:
            expiry.put_off(slot_id=slot.pk, now=timezone.now(), actor=actor)
        except NotLonger:
            return problem(
                409, "wrong-state", _("There is no more time to give: it is given once.")
            )
        except refusals.Busy:
            return busy()
        return json(describe(locking.slots_of(found.pk)))


class Checkout(APIView):
    """Pay for a held booking."""

    @extend_schema(
        operation_id="checkout",
        request=None,
        parameters=[BOOKING_KEY],
        responses={
            200: CheckoutAnswer,
            **PROBLEM,
            **CONFLICT,
            (503, CONTENT_TYPE): OpenApiResponse(Problem, "The processor does not answer"),
        },
    )
    def post(self, request: Request, reference: str) -> HttpResponse:
        """Return the processor's page on which the booking is paid."""
        found = booking_of(request, reference)
        slot = found.slots.latest("id")
        try:
            url = checkout.start(slot_id=slot.pk, booking_id=found.pk, now=timezone.now())
        except (checkout.HoldOver, checkout.AlreadyPaid):
            page = f"{settings.SITE_URL}{reverse('payments:booking', args=[found.reference])}"
            title = _("This booking does not wait for a payment.")
            return problem(409, "wrong-state", title, page=page)
        except refusals.Busy:
            return busy()
        except (checkout.ProcessorAway, checkout.ProcessorRefused):
            title = _("The payment service does not answer. The spot stays held; try again.")
            return problem(503, "processor-away", title, headers={"Retry-After": "5"})
        return json({"url": url})
