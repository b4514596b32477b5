"""`GET /api/v1/spots/` and the quote of one spot."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import conditional_page
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from parking import arrivals, availability, nearby
from parking.api import serializers
from parking.other_lengths import other_lengths
from parking.pricing import QuoteError
from parking.problems import CONTENT_TYPE, problem
from parking.terms import NotPriced, SpotUnknown, StayRefused, Terms, tariff_of, terms

PERIOD = [
    OpenApiParameter("from", OpenApiTypes.DATETIME, required=True),
    OpenApiParameter("to", OpenApiTypes.DATETIME, required=True),
]
PROBLEM = {
    (status, CONTENT_TYPE): OpenApiResponse(serializers.Problem, description)
    for status, description in ((400, "Invalid input"), (404, "Not found"))
}


def refused(error: StayRefused | NotPriced | QuoteError) -> HttpResponse:
    """Say why a stay cannot be had, as 422."""
    title = _("This stay cannot be booked.")
    if isinstance(error, StayRefused):
        errors: dict[str, list[str]] = {}
        for failure in error.failures:
            errors.setdefault(failure.field, []).append(failure.message)
        return problem(422, "stay-refused", title, errors=errors)
    if isinstance(error, NotPriced):
        return problem(422, "not-on-sale", title, detail=_("This zone has no tariff then."))
    return problem(422, "stay-refused", title, detail=error.detail)


@method_decorator(conditional_page, name="dispatch")
class Spots(APIView):
    """Spots in view."""

    @extend_schema(
        operation_id="spots",
        parameters=[
            OpenApiParameter("bbox", str, required=True, description="west,south,east,north"),
            *PERIOD,
            OpenApiParameter("features", str, description="comma separated; all must be there"),
        ],
        responses={(200, "application/geo+json"): serializers.SpotCollection, **PROBLEM},
    )
    def get(self, request: Request) -> HttpResponse:
        """Return the spots in `bbox` as GeoJSON, each free or not in all of `from` to `to`."""
        query = serializers.SpotsQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        wish: dict[str, Any] = query.validated_data
        body = availability.spots_geojson(
            bbox=wish["bbox"], start=wish["from"], end=wish["to"], features=wish["features"] or ()
        )
        return HttpResponse(body, content_type="application/geo+json")


class SpotQuote(APIView):
    """The price of a stay on a spot."""

    @extend_schema(
        operation_id="spot_quote",
        parameters=[*PERIOD, OpenApiParameter("vehicle_class", str)],
        responses={
            200: serializers.QuoteAnswer,
            **PROBLEM,
            (422, CONTENT_TYPE): OpenApiResponse(serializers.Problem, "The stay is not on sale"),
        },
    )
    def get(self, request: Request, spot_id: int) -> HttpResponse:
        """Price `from` to `to` on the spot; nothing is held."""
        query = serializers.QuoteQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        wish = query.validated_data
        try:
            agreed = terms(
                spot_id=spot_id,
                start=wish["from"],
                end=wish["to"],
                now=timezone.now(),
                vehicle_class=wish["vehicle_class"],
            )
        except SpotUnknown:
            raise Http404 from None
        except (StayRefused, NotPriced, QuoteError) as error:
            return refused(error)
        price, start, end = agreed.quote, wish["from"], wish["to"]
        is_free = availability.is_free(spot_id=spot_id, start=start, end=end)
        body = {
            "spot": spot_id,
            "currency": price.currency,
            "total": price.total,
            "chargeable_min": price.chargeable_min,
            "lines": [
                {"kind": line.kind, "amount": line.amount, "text": line.text()}
                for line in price.lines
            ],
            "free": is_free,
            "same_price_until": _same_price_until(agreed) if is_free else None,
            "cheaper_nearby": _cheaper_nearby(agreed) if is_free else None,
            "arrive_by": _arrive_by(agreed, start, end),
        }
        return HttpResponse(orjson.dumps(body), content_type="application/json")


def _arrive_by(agreed: Terms, start: datetime, end: datetime) -> str | None:
    release_after_min = agreed.rules.release_after_min
    if release_after_min is None or not arrivals.has_sensor(agreed.spot.pk):
        return None
    wait = arrivals.first_wait(
        start=start, end=end, now=timezone.now(), release_after_min=release_after_min
    )
    return timezone.localtime(wait.deadline).isoformat() if wait else None


def _same_price_until(agreed: Terms) -> str | None:
    found = other_lengths(
        spot_id=agreed.spot.pk,
        rules=agreed.rules,
        tariff=tariff_of(agreed.tariff_id, agreed.quote.tariff_sha256),
        price=agreed.quote,
    ).same_price_until
    return timezone.localtime(found).isoformat() if found else None


def _cheaper_nearby(agreed: Terms) -> dict[str, Any] | None:
    found = nearby.cheapest(
        spot_id=agreed.spot.pk,
        price=agreed.quote,
        now=timezone.now(),
        vehicle_class=agreed.quote.vehicle_class or "",
    )
    if found is None:
        return None
    return {
        "spot": found.spot.id,
        "number": found.spot.number,
        "street": found.spot.street,
        "zone": found.spot.zone_name,
        "distance_m": found.spot.distance_m,
        "total": found.total,
        "currency": found.currency,
        "saving": found.saving,
    }
