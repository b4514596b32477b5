"""The line on which meters wait for their next plan: `GET …/plan?wait=30`, served by ASGI.

A wait costs this process some kilobytes and no thread. What is asked of the database runs in a
few threads, through the very view that answers everybody else.
"""

from __future__ import annotations

import asyncio
import io
import logging
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.db import close_old_connections
from django.http import HttpResponse, JsonResponse
from django.utils import timezone

from parking.edge import Call, plan_for, signed_by_meter
from parking.meter_protocol import PROBLEM, problem
from parking.plan_news import PlanNews

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

THREADS = 4
LONGEST_WAIT_S = 60.0
MOST_WAITING = 5_000
_PLAN = re.compile(r"/edge/v1/meters/([^/]+)/plan")
_ETAG = re.compile(r'(?:W/)?"(\d{1,19})"')
logger = logging.getLogger(__name__)


class Line:
    """The ASGI application. One in each process; `news.run()` must run beside it."""

    def __init__(self) -> None:
        self.news = PlanNews()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="edge")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        answer = await self._answer(scope, receive)
        if answer is not None:
            await _send(answer, send)

    async def _answer(self, scope: Scope, receive: Receive) -> HttpResponse | None:
        """Return the answer; None for whoever has hung up."""
        if scope["path"] == "/healthz":
            return HttpResponse("ok\n", content_type="text/plain")
        found = _PLAN.fullmatch(scope["path"])
        if found is None:
            return _refuse(404, "not_found", "Meters wait for their plans here, nothing else.")
        first = await receive()
        if first["type"] != "http.request":
            return None
        if first.get("more_body") or first.get("body"):
            return _refuse(413, "too_large", "A plan is asked for without a body.")
        request = ASGIRequest(scope, io.BytesIO())
        serial, etag = found[1], _revision(request.headers.get("If-None-Match", ""))
        asked: list[Call] = []

        @signed_by_meter("GET")
        def plan(call: Call) -> HttpResponse:
            asked.append(call)
            return plan_for(call)

        with self.news.wait(serial, etag) as wait:  # before the first look: nothing gets lost
            answer = await self._in_thread(plan, request, serial)
            seconds = _seconds(request.GET.get("wait", ""))
            if answer.status_code != 304 or not seconds:
                return answer
            if len(self.news) > MOST_WAITING:
                return _busy()
            hung_up = asyncio.create_task(_hung_up(receive))
            try:
                deadline = time.monotonic() + seconds
                while await _news(wait.news, hung_up, deadline):
                    wait.news.clear()
                    if wait.is_over:
                        break
                    renewed = await self._in_thread(_again, asked[0])
                    if renewed.status_code != 304:
                        return renewed
                return None if hung_up.done() else answer
            finally:
                hung_up.cancel()

    async def _in_thread(self, view: Callable[..., HttpResponse], *args: Any) -> HttpResponse:
        def answer() -> HttpResponse:
            close_old_connections()
            try:
                return view(*args)
            finally:
                close_old_connections()

        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, answer)
        except Exception:
            logger.exception("a meter's question could not be answered")
            return _busy()


def _again(call: Call) -> HttpResponse:
    """Answer as things are now; who asks is known from the first time."""
    return plan_for(replace(call, now=timezone.now()))


async def _news(news: asyncio.Event, hung_up: asyncio.Task[None], deadline: float) -> bool:
    """Wait for news; False when the time is over or nobody is there any more."""
    told = asyncio.create_task(news.wait())
    try:
        left = max(0.0, deadline - time.monotonic())
        await asyncio.wait({told, hung_up}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        return told.done() and not hung_up.done()
    finally:
        told.cancel()


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(answer: HttpResponse, send: Send) -> None:
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.items()
    ]
    if answer.status_code != 304:
        headers.append((b"content-length", str(len(answer.content)).encode()))
    await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": answer.content})


def _seconds(text: str) -> float:
    """Read how long the meter will wait; nonsense is no wait."""
    return min(float(text), LONGEST_WAIT_S) if re.fullmatch(r"[0-9]{1,6}", text) else 0.0


def _revision(header: str) -> int | None:
    found = _ETAG.search(header)
    return int(found[1]) if found else None


def _busy() -> HttpResponse:
    answer = _refuse(503, "busy", "Please ask again in a moment.")
    answer.headers["Retry-After"] = "5"
    return answer


def _refuse(status: int, code: str, detail: str) -> HttpResponse:
    return JsonResponse(problem(status, code, detail), status=status, content_type=PROBLEM)
