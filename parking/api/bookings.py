"""`POST /api/v1/bookings/` and `GET /api/v1/bookings/{reference}/`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache, partial
from typing import Any

import orjson
from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from parking import access, any_spot, holds, locking, refusals, stays, tasks
from parking.api import serializers
from parking.api.lean import LeanView
from parking.api.spots import PROBLEM, refused
from parking.idempotency import Answer, KeyReused, once
from parking.languages import in_language
from parking.models import Booking, Slot, SlotState, Spot, Zone
from parking.nearby import alternatives
from parking.pricing import QuoteError
from parking.problems import CONTENT_TYPE, busy, problem
from parking.terms import NotPriced, SpotUnknown, StayRefused
from parking.throttling import HoldThrottle

BOOKING_KEY = OpenApiParameter(
    "Booking-Key", str, OpenApiParameter.HEADER, description="`key` of the booking, for guests"
)
REPLAYED = "Idempotent-Replayed"
# Made once: laying out the fields costs more than checking a wish by them.
_WISH = serializers.BookingRequest()


def describe(slots: Sequence[Slot]) -> dict[str, Any]:
    """Return what the API says of a booking, from all its slots with `booking` and `spot.zone`."""
    stay = stays.stay_of(slots)
    last, spot = stay.parts[-1], stay.spot
    city = timezone.get_current_timezone()
    lon, lat = spot.lon_lat
    path = _page_of_a_booking(last.booking.language).replace("REFERENCE", last.booking.reference)
    return {
        "reference": last.booking.reference,
        "key": last.booking.access_key,
        "state": last.state,
        "spot": {
            "id": spot.pk,
            "number": spot.number,
            "street": spot.street,
            "zone": spot.zone.code,
            "lon": round(lon, 6),
            "lat": round(lat, 6),
        },
        "from": stay.start.astimezone(city).isoformat(),
        "to": last.end.astimezone(city).isoformat(),
        "amount": stay.price,
        "currency": last.currency,
        "vehicle": last.booking.plate,
        "held_until": last.held_until.astimezone(city).isoformat(),
        "waiting": describe_slot(stay.waiting) if stay.waiting else None,
        "page": f"{settings.SITE_URL}{path}?key={last.booking.access_key}",
    }


@cache
def _page_of_a_booking(language: str) -> str:
    return in_language(reverse("payments:booking", args=["REFERENCE"]), language)


def describe_slot(slot: Slot) -> dict[str, Any]:
    """Return what the API says of an extension or change."""
    return {
        "kind": slot.kind,
        "state": slot.state,
        "spot": slot.spot_id,
        "to": timezone.localtime(slot.end).isoformat(),
        "amount": slot.amount,
        "currency": slot.currency,
        "held_until": timezone.localtime(slot.held_until).isoformat(),
    }


def json(body: dict[str, Any], status: int = 200, **headers: str) -> HttpResponse:
    """Return a JSON answer."""
    return HttpResponse(
        orjson.dumps(body), status=status, content_type="application/json", headers=headers
    )


def booking_of(request: Request, reference: str) -> Booking:
    """Return the booking if the caller made it or sends its key; else 404."""
    key = request.headers.get("Booking-Key", "")
    if key:
        found = Booking.objects.filter(reference=reference.upper()).first()
        if found is not None and access.holds_key(found, key):
            return found
        raise Http404
    return access.booking_or_404(request, reference, own=True)


class Bookings(LeanView):
    """Make a booking."""

    throttle_classes = [HoldThrottle]

    @extend_schema(
        operation_id="book",
        request=serializers.BookingRequest,
        parameters=[
            OpenApiParameter(
                "Idempotency-Key",
                str,
                OpenApiParameter.HEADER,
                description="At most 255 signs. The same key and body gets the same answer again.",
            )
        ],
        responses={
            201: serializers.BookingAnswer,
            **PROBLEM,
            (409, CONTENT_TYPE): OpenApiResponse(serializers.TakenProblem, "Taken, or busy"),
            (422, CONTENT_TYPE): OpenApiResponse(
                serializers.Problem, "The stay is not on sale, or the key came with another body"
            ),
            (429, CONTENT_TYPE): OpenApiResponse(serializers.Problem, "Too many requests"),
        },
    )
    def post(self, request: HttpRequest) -> HttpResponse:
        """Hold a spot, or any of a zone, for ten minutes at a fixed price.

        A stay that costs nothing is confirmed at once.
        """
        said = self.read(request)
        wish = _WISH.run_validation(said)
        key = request.headers.get("Idempotency-Key", "")
        if len(key) > 255:
            return problem(400, "invalid-input", _("An Idempotency-Key has at most 255 signs."))
        try:
            if not key:
                return self._answer(self._hold(request, wish))
            return self._answer(
                once(
                    caller=_caller(request),
                    key=key,
                    request=orjson.dumps(said, option=orjson.OPT_SORT_KEYS),
                    now=timezone.now(),
                    work=lambda: self._hold(request, wish),
                )
            )
        except KeyReused:
            title = _("This Idempotency-Key came before with another body.")
            return problem(422, "idempotency-key-reused", title)
        except SpotUnknown:
            return problem(404, "not-found", _("No such spot or zone."))
        except any_spot.NothingFree:
            title = _("No such spot of this zone is free in that time.")
            return problem(409, "nothing-free", title)
        except refusals.SpotTaken:
            return _taken(wish)
        except refusals.Busy:
            return busy()
        except (StayRefused, NotPriced, QuoteError) as error:
            return refused(error)

    def _hold(self, request: HttpRequest, wish: dict[str, Any]) -> Answer:
        who: dict[str, Any] = {
            "start": wish["from"],
            "end": wish["to"],
            "plate": wish["vehicle"],
            "email": wish["email"],
            "vehicle_class": wish["vehicle_class"],
            "user": request.user if request.user.is_authenticated else None,
            "language": get_language() or settings.LANGUAGE_CODE,
            "now": timezone.now(),
        }
        if "spot" in wish:
            slot = holds.hold(spot_id=wish["spot"], **who)
        else:
            slot = any_spot.hold_any(
                zone_id=_zone_id(wish["zone"]),
                features=wish["features"],
                near=wish.get("near"),
                **who,
            )
        if slot.state == SlotState.CONFIRMED and slot.spot.meter_id is not None:
            transaction.on_commit(partial(tasks.nudge_meter, slot.spot.meter_id))
        return Answer(201, describe([slot]))

    def _answer(self, answer: Answer) -> HttpResponse:
        return json(answer.body, answer.status, **({REPLAYED: "true"} if answer.replayed else {}))


class BookingDetail(APIView):
    """One booking."""

    @extend_schema(
        operation_id="booking",
        parameters=[BOOKING_KEY],
        responses={200: serializers.BookingAnswer, **PROBLEM},
    )
    def get(self, request: Request, reference: str) -> HttpResponse:
        """Return the booking as it is now."""
        found = booking_of(request, reference)
        return json(describe(locking.slots_of(found.pk)))


def _zone_id(code: str) -> int:
    zone = Zone.objects.filter(code=code).values_list("id", flat=True).first()
    if zone is None:
        raise SpotUnknown(code)
    return zone


def _caller(request: HttpRequest) -> str:
    """Name whose key it is, so that nobody replays another's answer."""
    if request.user.is_authenticated:
        return f"user:{request.user.pk}"
    address = request.META.get("REMOTE_ADDR", "")
    return f"anon:{hashlib.sha256(address.encode()).hexdigest()[:32]}"


def _taken(wish: dict[str, Any]) -> HttpResponse:
    """Answer 409 with the nearest free spots and what they cost."""
    title = _("Somebody else has this spot in that time.")
    found = alternatives(
        spot_id=wish["spot"],
        features=Spot.objects.values_list("features", flat=True).get(id=wish["spot"]),
        start=wish["from"],
        end=wish["to"],
        now=timezone.now(),
        vehicle_class=wish["vehicle_class"],
    )
    return problem(
        409,
        "spot-taken",
        title,
        alternatives=[
            {
                "spot": other.spot.id,
                "number": other.spot.number,
                "street": other.spot.street,
                "zone": other.spot.zone_name,
                "distance_m": other.spot.distance_m,
                "total": other.total,
                "currency": other.currency,
            }
            for other in found
        ],
    )
