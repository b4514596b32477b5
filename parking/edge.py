"""Where meters call us: every request is signed, every mistake answered as an RFC 9457 problem."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import RawPostDataException
from django.utils import timezone
from django.utils.encoding import escape_uri_path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from parking import meter_keys, refusals, tasks
from parking.edge_auth import Caller, OutOfUse, authenticate
from parking.lights import commands, outcomes, plan_of, reported
from parking.meter_messages import parse_ack, parse_events, parse_state
from parking.meter_protocol import MAX_BODY, PROBLEM, Malformed, message, problem, stamp
from parking.models import Meter
from parking.signatures import SignatureRefused, sign

PULLED_PLAN_GOOD_FOR = timedelta(hours=1)
logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request whose signature held, and the meter that made it."""

    request: HttpRequest
    caller: Caller
    now: datetime


Handler = Callable[[Call], HttpResponse]
View = Callable[..., HttpResponse]


def signed_by_meter(method: str, *, any_time: bool = False) -> Callable[[Handler], View]:
    """Let only requests through that a meter signed for itself.

    With `any_time` a clock that is off is no reason to refuse: it asks for the time.
    """

    def decorate(handler: Handler) -> View:
        @csrf_exempt
        @require_http_methods([method])
        @wraps(handler)
        def view(request: HttpRequest, serial: str | None = None) -> HttpResponse:
            try:
                call = _authenticated(request, any_time=any_time)
                if serial is not None and serial != call.caller.serial:
                    return _problem(403, "not_yours", "This key belongs to another meter.")
                with refusals.contended():
                    return handler(call)
            except _Refused as refused:
                return refused.answer
            except Malformed as error:
                return _problem(
                    422,
                    "malformed",
                    "The message breaks the protocol.",
                    errors=[{"pointer": path, "detail": text} for path, text in error.errors],
                )
            except refusals.Busy:
                answer = _problem(503, "busy", "Others are at this meter: try again in a moment.")
                answer.headers["Retry-After"] = "1"
                return answer
            except meter_keys.KeyUnreadable as error:
                logger.critical("%s", error)
                return _problem(503, "unavailable", "The site cannot read its keys.")

        return view

    return decorate


def plan_for(call: Call) -> HttpResponse:
    """Answer the meter's plan, signed with the asker's nonce, or 304 when it has it."""
    meter = Meter.objects.only("serial", "plan_revision", "plan").get(id=call.caller.meter_id)
    etag = f'"{meter.plan_revision}"'
    if etag in call.request.headers.get("If-None-Match", "").replace("W/", ""):
        return HttpResponse(status=304, headers={"ETag": etag})
    command = commands.fetched(meter_id=meter.pk, now=call.now)
    body = message(
        serial=meter.serial,
        revision=meter.plan_revision,
        command_id=str(command.id) if command else None,
        issued_at=command.created_at if command else call.now,
        not_after=command.not_after if command else call.now + PULLED_PLAN_GOOD_FOR,
        plan=plan_of(meter),
        now=call.now,
    )
    return _signed(call, body, ETag=etag)


@signed_by_meter("GET")
def plan(call: Call) -> HttpResponse:
    """Answer the meter's plan at once, whatever `wait` it allows.

    A thread of the site is worth more than a quiet line: who wants to wait asks `edge_line`.
    """
    return plan_for(call)


@signed_by_meter("POST")
def acks(call: Call) -> HttpResponse:
    """Take a meter's word on a command."""
    ack = parse_ack(_json(call.request))
    known = outcomes.acknowledge(
        meter_id=call.caller.meter_id,
        command_id=ack.command_id,
        stage=ack.stage,
        reason=ack.reason,
        now=call.now,
    )
    if not known:
        return _problem(404, "unknown_command", "This meter was never given such a command.")
    return JsonResponse({"revision": call.caller.plan_revision})


@signed_by_meter("POST")
def state(call: Call) -> HttpResponse:
    """Take a meter's report of itself; the answer says which revision it should have."""
    heard = reported.take_state(
        meter_id=call.caller.meter_id,
        state=parse_state(_json(call.request)),
        skew_ms=1000 * (call.caller.signed.timestamp - int(call.now.timestamp())),
        now=call.now,
    )
    if heard.should_send:
        tasks.nudge_meter(call.caller.meter_id)
    return JsonResponse(
        {"news": heard.is_news, "revision": heard.plan_revision, "time": stamp(call.now)}
    )


@signed_by_meter("POST")
def events(call: Call) -> HttpResponse:
    """Keep a batch of events, each once."""
    batch = parse_events(_json(call.request))
    new = reported.take_events(meter_id=call.caller.meter_id, events=batch, now=call.now)
    return JsonResponse({"received": len(batch), "new": new})


@signed_by_meter("GET", any_time=True)
def time(call: Call) -> HttpResponse:
    """Answer our time, signed with the asker's nonce so that no old answer can pass for it."""
    return _signed(call, {"time": stamp(call.now), "unix_ms": int(call.now.timestamp() * 1000)})


def _signed(call: Call, message: dict[str, Any], **headers: str) -> HttpResponse:
    """Answer something that the meter can hold against its key."""
    body = json.dumps(message, separators=(",", ":")).encode()
    signature = sign(
        key=call.caller.key,
        method="GET",
        path=escape_uri_path(call.request.path),
        body=body,
        timestamp=int(call.now.timestamp()),
        nonce=call.caller.signed.nonce,
    )
    return HttpResponse(
        body,
        content_type="application/json",
        headers={**signature, **headers, "Cache-Control": "no-store"},
    )


class _Refused(Exception):
    def __init__(self, answer: HttpResponse) -> None:
        super().__init__(answer.status_code)
        self.answer = answer


def _body(request: HttpRequest) -> bytes:
    try:
        length = int(request.headers.get("Content-Length") or 0)
    except ValueError:
        length = 0
    if length > MAX_BODY:
        raise _Refused(_problem(413, "too_large", f"At most {MAX_BODY} bytes."))
    try:
        return request.body
    except (OSError, RawPostDataException) as error:
        raise _Refused(_problem(400, "malformed", "The body broke off.")) from error


def _authenticated(request: HttpRequest, *, any_time: bool) -> Call:
    body, now = _body(request), timezone.now()
    try:
        caller = authenticate(
            header=request.headers.get,
            method=request.method or "",
            path=escape_uri_path(request.path),
            body=body,
            now=now,
            any_time=any_time,
        )
    except SignatureRefused as error:
        raise _Refused(_problem(401, error.code, str(error), time=stamp(now))) from error
    except OutOfUse as error:
        raise _Refused(_problem(403, "out_of_use", "This meter is out of use.")) from error
    return Call(request=request, caller=caller, now=now)


def _json(request: HttpRequest) -> object:
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise _Refused(_problem(400, "malformed", "The body is no JSON.")) from error


def _problem(status: int, code: str, detail: str, **members: Any) -> HttpResponse:
    return JsonResponse(
        problem(status, code, detail, **members), status=status, content_type=PROBLEM
    )
