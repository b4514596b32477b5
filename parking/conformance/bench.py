"""A meter on the test bench: how the rules call it, and how they wait for what it says."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
from uuid6 import uuid7

from parking.conformance.listener import Listener
from parking.meter_messages import State
from parking.meter_protocol import Entry, Show, message, parse_stamp, plan_path
from parking.signatures import Key, new_nonce, sign


class Broken(Exception):
    """The meter breaks the rule that is being tried; the message says what it did."""


class NotTried(Exception):
    """The rule cannot be tried on this bench; the message says what is missing."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the meter answered."""

    status: int
    content_type: str
    body: dict[str, Any]
    retry_after_s: float = 1.0

    @property
    def code(self) -> str:
        """The protocol's word of a refusal."""
        return str(self.body.get("code", ""))


@dataclass(kw_only=True)
class Bench:
    """The meter and its site. All times are seconds."""

    url: str
    serial: str
    keys: Sequence[Key]  # the newest first
    lamps: Sequence[int]
    listener: Listener
    eye: str = ""  # says what lamps and bays look like, if somebody watches
    answer_s: float = 4.0  # what the city waits for an answer
    heartbeat_s: float = 60.0
    patience_s: float = 10.0  # for what the meter says after a plan
    step_s: float = 4.0  # how long a lamp shows one thing
    clock: Callable[[], float] = time.time
    revision: int = 0  # the last that the meter took
    offset_s: float = 0.0  # what the meter's clock is ahead, where it refuses ours
    taken: list[str] = field(default_factory=list)  # the commands answered with 202
    http: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False))

    @property
    def is_called(self) -> bool:
        """Whether it answers calls."""
        return True

    @property
    def lead_s(self) -> float:
        """How long before its first change a plan must be given."""
        return 1.0

    @property
    def now(self) -> datetime:
        """The time by our clock."""
        return datetime.fromtimestamp(self.clock(), UTC)

    def message(
        self,
        plan: Mapping[int, Sequence[Entry]] | None = None,
        *,
        revision: int | None = None,
        **changes: Any,
    ) -> dict[str, Any]:
        """Return a plan message, whole and true but for the `changes`."""
        now = self.now
        whole = dict.fromkeys(self.lamps, ()) | dict(plan or {})
        body = message(
            serial=self.serial,
            revision=self.revision + 1 if revision is None else revision,
            command_id=str(uuid7()),
            issued_at=now,
            not_after=now + timedelta(hours=1),
            plan=whole,
            now=now,
        )
        return {**body, **changes}

    def put(
        self,
        body: dict[str, Any] | bytes,
        *,
        key: Key | None = None,
        serial: str | None = None,
        ahead_s: float = 0.0,
        nonce: str | None = None,
        headers: Mapping[str, str | None] | None = None,
        sign_as: bytes | None = None,
    ) -> Answer:
        """Send a plan once, signed as asked; `headers` replace those of the signature.

        A meter may set its clock between two calls: where it refuses ours and tells its own, the
        plan is sent again by that, unless it was to be `ahead_s` off.

        Raises:
            Broken: no whole answer came in time.
        """
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        base = urlsplit(self.url)
        path = base.path.rstrip("/") + plan_path(serial or self.serial)

        def send() -> Answer:
            signed: dict[str, str | None] = {
                **sign(
                    key=key or self.keys[0],
                    method="PUT",
                    path=path,
                    body=data if sign_as is None else sign_as,
                    timestamp=int(self.clock() + self.offset_s + ahead_s),
                    nonce=nonce or new_nonce(),
                ),
                **(headers or {}),
            }
            return self._put(f"{base.scheme}://{base.netloc}{path}", data, signed)

        answer = send()
        return send() if not ahead_s and self._learns_time(answer) else answer

    def _put(self, url: str, data: bytes, signed: Mapping[str, str | None]) -> Answer:
        try:
            answer = self.http.put(
                url,
                content=data,
                timeout=self.answer_s,
                headers={"Content-Type": "application/json"}
                | {name: value for name, value in signed.items() if value is not None},
            )
        except httpx.HTTPError as error:
            what = f"{type(error).__name__} {error}".strip()
            raise Broken(f"no whole answer within {self.answer_s:g} s: {what}") from error
        try:
            parsed = answer.json()
        except ValueError:
            parsed = {}
        return Answer(
            status=answer.status_code,
            content_type=answer.headers.get("Content-Type", "").partition(";")[0],
            body=parsed if isinstance(parsed, dict) else {},
            retry_after_s=float(wait)
            if (wait := answer.headers.get("Retry-After", "")).isdigit()
            else 1.0,
        )

    def _learns_time(self, answer: Answer) -> bool:
        """Take the meter's own time from its refusal; say whether there was one."""
        if answer.code != "clock_skew":
            return False
        try:
            there = parse_stamp(answer.body.get("time")).timestamp()
        except ValueError:
            return False
        self.offset_s = there - self.clock()
        return True

    def give(self, plan: Mapping[int, Sequence[Entry]] | None = None, **changes: Any) -> str:
        """Have the meter take a plan as the city would, trying again; return the command's id.

        Raises:
            Broken: it does not take it.
        """
        body = self.message(plan, **changes)
        self.listener.plan = body
        said = ""
        for _attempt in range(3):
            try:
                answer = self.put(body)
            except Broken as error:
                said = str(error)
                continue
            if answer.status in {200, 202}:
                self.revision = body["revision"]
                if answer.status == 202:
                    self.taken.append(body["command_id"])
                return str(body["command_id"])
            said = f"answered {answer.status} {answer.code}".strip()
            if answer.status == 409 and isinstance(answer.body.get("revision"), int):
                body = self.message(plan, revision=answer.body["revision"] + 1, **changes)
            elif answer.status in {429, 503, 504}:
                time.sleep(min(answer.retry_after_s, self.patience_s))
            elif answer.code != "clock_skew":  # then it is setting its clock just now
                break
        raise Broken(f"a plan that keeps all rules was not taken: {said}")

    def refused(self, answer: Answer, status: int | Sequence[int], code: str) -> None:
        """Check that the answer is the refusal that the protocol asks for.

        Raises:
            Broken: it is another one, or none.
        """
        wanted = (status,) if isinstance(status, int) else status
        if answer.status not in wanted or answer.code != code:
            either = " or ".join(str(one) for one in wanted)
            raise Broken(
                f"answered {answer.status} {answer.code or '(no code)'} instead of {either} {code}"
            )

    def wait_for(self, question: Callable[[], Any], *, within: float, broken: str) -> Any:
        """Wait until what the listener has heard answers the question; return the answer.

        Raises:
            Broken: it does not in time.
        """
        deadline = time.monotonic() + within
        with self.listener.changed:
            while not (answer := question()):
                left = deadline - time.monotonic()
                if left <= 0:
                    raise Broken(broken)
                self.listener.changed.wait(left)
        return answer

    def reports_of(self, revision: int) -> list[State]:
        """Return the reports that name the revision, in the order in which they were made."""
        states = [state for _at, state in self.listener.states() if state.revision == revision]
        return sorted(states, key=lambda state: state.seq)

    def report_of(self, revision: int, *, within: float | None = None) -> State:
        """Wait for a report that names the revision; return it."""

        def question() -> State | None:
            states = self.reports_of(revision)
            return states[-1] if states else None

        seconds = self.patience_s if within is None else within
        found: State = self.wait_for(
            question,
            within=seconds,
            broken=f"no report of revision {revision} within {seconds:g} s",
        )
        return found

    def show(self, show: Show, *, lamp: int, seconds: float = 3600) -> dict[int, list[Entry]]:
        """Return a plan with which a lamp shows something from now on."""
        start = self.now - timedelta(seconds=1)
        return {lamp: [Entry(start, start + timedelta(seconds=seconds), show, "7QK4M2")]}

    def look(self) -> dict[str, Any]:
        """Return what the eye sees.

        Raises:
            NotTried: there is none, or it sees nothing.
        """
        if not self.eye:
            raise NotTried("nobody watches the lamps: give --eye")
        try:
            seen = self.http.get(self.eye).raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise NotTried(f"{self.eye}: {error}") from error
        return seen if isinstance(seen, dict) else {}
