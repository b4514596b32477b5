"""Figures for monitoring that knows the token; for everybody else there is no such page."""

from __future__ import annotations

import hmac

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from parking.metrics import page


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer the figures to `Authorization: Bearer METRICS_TOKEN`; 404 where no token is set."""
    token = settings.METRICS_TOKEN
    if not token:
        raise Http404
    claimed = request.headers.get("Authorization", "")
    if not hmac.compare_digest(claimed.encode(), f"Bearer {token}".encode()):
        answer = HttpResponse("a token is wanted\n", status=401, content_type="text/plain")
        answer["WWW-Authenticate"] = 'Bearer realm="metrics"'
        return answer
    return HttpResponse(page(now=timezone.now()), content_type=CONTENT_TYPE_LATEST)
