"""Where the processor's notices arrive."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from parking.tasks.nudges import nudge
from payments import gateway, tasks, webhooks

logger = logging.getLogger(__name__)

LARGEST_BODY = 256 * 1024


@csrf_exempt
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """Store a signed notice once and answer at once; acting on it is a task's work."""
    try:
        length = int(request.headers.get("Content-Length") or 0)
    except ValueError:
        return HttpResponse("Content-Length is no number\n", status=400, content_type="text/plain")
    if length > LARGEST_BODY:
        return HttpResponse("too large\n", status=413, content_type="text/plain")
    try:
        event = webhooks.receive(
            body=request.body,
            signature=request.headers.get("Stripe-Signature", ""),
            now=timezone.now(),
        )
    except gateway.BadSignature as error:
        logger.warning("webhook refused: %s", error)
        return HttpResponse("bad signature\n", status=400, content_type="text/plain")
    except webhooks.WrongMode:
        logger.warning("webhook refused: it is of the other mode, test or live")
        return HttpResponse("wrong mode\n", status=400, content_type="text/plain")
    if event is not None:
        nudge(tasks.process_event, event.id)
    return HttpResponse("ok\n", content_type="text/plain")
