"""The site that a meter calls while it is checked: it answers as the city would, and remembers."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from parking.meter_messages import Ack, State, parse_ack, parse_events, parse_state
from parking.meter_protocol import MAX_BODY, PROBLEM, Malformed, problem, stamp
from parking.signatures import Key, NonceMemory, SignatureRefused, sign, verify

LONGEST_WAIT_S = 60.0
_PATH = re.compile(r"/edge/v1/meters/([^/]+)/(plan|acks|state|events)")


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One call of the meter. `trouble` says what is wrong with it, by the word of a rule."""

    at: float  # by our clock
    what: str
    timestamp: int | None = None  # by the meter's clock
    state: State | None = None
    ack: Ack | None = None
    trouble: str = ""
    detail: str = ""
    answered: int = 200


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A plan that is answered once to a meter that fetches it, right or wrong.

    It is signed with `key`, `ahead_s` off, with the nonce that was asked with or another one;
    `headers` replace those of the signature, and `sign_as` is signed in place of the body.
    """

    data: bytes
    etag: str
    key: Key
    ahead_s: float = 0.0
    nonce: str | None = None
    headers: Mapping[str, str | None] = field(default_factory=dict)
    sign_as: bytes | None = None


# What was heard, and the answer: status, body, headers.
Judged = tuple[Heard, int, dict[str, Any] | None, dict[str, str]]


class Listener:
    """Listens until it is closed."""

    def __init__(
        self,
        *,
        serial: str,
        keys: Sequence[Key],
        clock: Callable[[], float],
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.heard: list[Heard] = []
        self.is_deaf = False  # answers 503 to everything
        self.is_closed = False
        self.is_giving = False  # but to who fetches a plan
        self.plan: dict[str, Any] | None = None  # for a meter that fetches it
        self.offer: Offer | None = None  # goes before the plan, once
        self.asked: list[str] = []  # the ETags with which plans were asked for, "" for none
        self.asked_when_offered = 0  # how many there were when the last offer was answered
        self.changed = threading.Condition()
        self._serial, self._keys, self._clock = serial, keys, clock
        self._nonces = NonceMemory()
        listener = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 75

            def do_GET(self) -> None:
                listener._take(self)

            def do_POST(self) -> None:
                listener._take(self)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Stop listening, also to who waits."""
        with self.changed:
            self.is_closed = True
            self.changed.notify_all()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def states(self, *, since: float = 0) -> list[tuple[float, State]]:
        """Return the well-formed reports that were taken, with when they came."""
        with self.changed:
            return [
                (one.at, one.state)
                for one in self.heard
                if one.state and one.at >= since and one.answered == 200 and not one.trouble
            ]

    def acks(self) -> list[Ack]:
        """Return the acknowledgements that were answered."""
        with self.changed:
            return [one.ack for one in self.heard if one.ack and one.answered == 200]

    def _take(self, request: BaseHTTPRequestHandler) -> None:
        length = int(request.headers.get("Content-Length") or 0)
        body = request.rfile.read(min(length, MAX_BODY))
        offer = None
        with self.changed:
            heard, status, answer, headers = self._judge(request, body)
            if heard.what == "plan" and heard.answered == 200 and self.offer is not None:
                offer, self.offer = self.offer, None
                self.asked_when_offered = len(self.asked)
                headers = {"ETag": offer.etag}
            self.heard.append(heard)
            self.changed.notify_all()
        data = b"" if answer is None else json.dumps(answer).encode()
        if offer is not None:
            data = offer.data
        if request.command == "GET" and status == 200:
            headers |= self._signed(request, data, offer)
        request.send_response(status)
        kind = "application/json" if status < 400 else PROBLEM
        for name, value in {**headers, "Content-Type": kind}.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(data)))
        with suppress(ConnectionError):  # who waited may have hung up
            request.end_headers()
            request.wfile.write(data)

    def _signed(
        self, request: BaseHTTPRequestHandler, data: bytes, offer: Offer | None
    ) -> dict[str, str]:
        asked_with = request.headers.get("X-Nonce") or ""
        offer = offer or Offer(data=data, etag="", key=self._keys[0])
        signature = sign(
            key=offer.key,
            method="GET",
            path=request.path.partition("?")[0],
            body=data if offer.sign_as is None else offer.sign_as,
            timestamp=int(self._clock() + offer.ahead_s),
            nonce=offer.nonce or asked_with,
        )
        whole = {**signature, **offer.headers}
        return {name: value for name, value in whole.items() if value is not None}

    def _judge(self, request: BaseHTTPRequestHandler, body: bytes) -> Judged:
        now, path = self._clock(), request.path.partition("?")[0]
        found = _PATH.fullmatch(path)
        what = found[2] if found else "time" if path == "/edge/v1/time" else path

        def refuse(
            status: int, code: str, detail: str, *, trouble: str = "", **more: Any
        ) -> Judged:
            heard = Heard(at=now, what=what, trouble=trouble, detail=detail, answered=status)
            return heard, status, problem(status, code, detail, **more), {}

        if self.is_deaf and not (self.is_giving and what == "plan"):
            return refuse(503, "busy", "The kit plays deaf.")
        try:
            signed = verify(
                header=request.headers.get,
                method=request.command,
                path=path,
                body=body,
                key_of=lambda name: next((k for k in self._keys if k.key_id == name), None),
                now=now,
                skew_s=float("inf") if what == "time" else 300,
            )
            if not self._nonces.first_use(signed, now):
                raise SignatureRefused("replay", "a nonce was used twice")
        except SignatureRefused as error:
            # A clock that is far off is judged by what the meter makes of the answer.
            trouble = "" if error.code == "clock_skew" else error.code
            here = stamp(datetime.fromtimestamp(now, UTC))
            return refuse(401, error.code, str(error), trouble=trouble, time=here)
        if found and unquote(found[1]) != self._serial:
            return refuse(403, "not_yours", f"{what} of another meter", trouble="whose")
        if what in {"plan", "time"}:
            return self._answer(what, request, signed.timestamp, now)
        try:
            document = json.loads(body)
            parsed: dict[str, Any] = {}
            if what == "state":
                parsed["state"] = parse_state(document)
            elif what == "acks":
                parsed["ack"] = parse_ack(document)
            elif what == "events":
                parse_events(document)
            else:
                return refuse(404, "not_found", f"{path} is no address of the protocol")
        except (ValueError, RecursionError) as error:
            status = 422 if isinstance(error, Malformed) else 400
            return refuse(status, "malformed", f"{what}: {error}", trouble="malformed")
        heard = Heard(at=now, what=what, timestamp=signed.timestamp, **parsed)
        return heard, 200, {"time": stamp(datetime.fromtimestamp(now, UTC))}, {}

    def _answer(
        self, what: str, request: BaseHTTPRequestHandler, timestamp: int, now: float
    ) -> Judged:
        status, body, headers = self._served(what, request, now)
        return Heard(at=now, what=what, timestamp=timestamp, answered=status), status, body, headers

    def _served(
        self, what: str, request: BaseHTTPRequestHandler, now: float
    ) -> tuple[int, dict[str, Any] | None, dict[str, str]]:
        if what == "time":
            here = stamp(datetime.fromtimestamp(now, UTC))
            return 200, {"time": here, "unix_ms": int(now * 1000)}, {}
        known = request.headers.get("If-None-Match", "")
        self.asked.append(known)
        self.changed.notify_all()
        found = re.search(r"[?&]wait=(\d{1,3})(?:&|$)", request.path)
        deadline = time.monotonic() + min(int(found[1]) if found else 0, LONGEST_WAIT_S)
        while self.offer is None and known == self._etag() and not self.is_closed:
            left = deadline - time.monotonic()
            if left <= 0:
                return 304, None, {"ETag": known}
            self.changed.wait(left)
        if self.plan is None and self.offer is None:
            return 503, problem(503, "busy", "No plan so far."), {"Retry-After": "5"}
        return 200, self.plan, {"ETag": self._etag()}

    def _etag(self) -> str:
        return f'"{self.plan["revision"]}"' if self.plan else "none"
