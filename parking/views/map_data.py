"""What the map fetches: two layers that a browser keeps, and the short list of busy spots."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import quote_etag
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import conditional_page, require_safe

from parking import map_layer
from parking.availability import busy_spot_ids
from parking.forms import BusyForm

_KEEP = 365 * 24 * 3600


@require_safe
@gzip_page
def spots(request: HttpRequest) -> HttpResponse:
    """Answer every spot's place, number and features, in columns."""
    return _layer(request, map_layer.spots_version(), map_layer.spots_layer)


@require_safe
@gzip_page
def streets(request: HttpRequest) -> HttpResponse:
    """Answer the drawing beneath: zones and streets."""
    return _layer(request, map_layer.ground_version(), map_layer.ground_layer)


@require_safe
@gzip_page
@conditional_page
def busy(request: HttpRequest) -> HttpResponse:
    """Answer the ids of the spots in view that are taken at some time of the period.

    Whoever has this answer already gets 304.
    """
    form = BusyForm(request.GET)
    if not form.is_valid():
        return _json({"errors": form.errors}, status=400)
    asked = form.cleaned_data
    ids = busy_spot_ids(bbox=asked["bbox"], start=asked["from"], end=asked["to"])
    answer = _json({"busy": ids})
    patch_cache_control(answer, public=True, max_age=1)
    return answer


def _layer(request: HttpRequest, version: str, body: Callable[[], dict[str, Any]]) -> HttpResponse:
    """Answer a layer under its version; whoever has that version gets 304 and no query is run.

    An address that names the version (`?v=`) may be kept for good; any other is asked again.
    """
    etag = quote_etag(version)
    answer = get_conditional_response(request, etag=etag) or _json(body())
    answer["ETag"] = etag
    if request.GET.get("v") == version:
        patch_cache_control(answer, public=True, max_age=_KEEP, immutable=True)
    else:
        patch_cache_control(answer, public=True, no_cache=True)
    return answer


def _json(value: dict[str, Any], status: int = 200) -> HttpResponse:
    return HttpResponse(orjson.dumps(value), content_type="application/json", status=status)
