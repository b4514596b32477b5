"""How the meters call the site: states, acknowledgements, and plans for those that nobody calls.

One call at a time per meter, so that its sequence numbers arrive in order; many meters at once.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx

from parking.http_pools import ManyPools
from parking.meter_protocol import UNQUOTED, parse_stamp
from parking.signatures import NONCE_S, new_nonce, sign
from parking.simulator.broker import Broker, BrokerAway
from parking.simulator.clock import sleep
from parking.simulator.device import Device, Reply
from parking.simulator.faults import FaultBook

logger = logging.getLogger(__name__)

CALLERS = 24  # calls at once
POOLS = 6  # of connections for them
POOLS_OF_WAITING = 64  # for thousands that wait for a plan
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=None)
LONGEST_WAIT_S = 20.0
LINE_MARGIN_S = 15.0  # an answer may come so much later than the wait ends


class Undelivered(Exception):
    """The site did not take a message now; a later try may go better."""


class Reporter:
    """Carries what meters have to say to the site."""

    def __init__(
        self,
        site: str,
        faults: FaultBook,
        clock: Callable[[], float],
        took: Callable[[Device, Reply], None],
        *,
        line: str = "",
        wait_s: int = 0,
        broker: Broker | None = None,
    ) -> None:
        """Call `site`; who waits for a plan, `wait_s` seconds at most, calls `line`."""
        self.counts: Counter[str] = Counter()  # by outcome, for whoever watches the street
        self._faults, self._clock, self._took = faults, clock, took
        self._queue: asyncio.Queue[Device] = asyncio.Queue()
        self._dirty: set[Device] = set()  # have a state to tell
        self._asking: set[Device] = set()  # want their plan
        self._queued: set[Device] = set()
        self._busy: set[Device] = set()
        self._failures: Counter[Device] = Counter()
        self._etags: dict[Device, str] = {}
        self._replays: dict[Device, tuple[float, httpx.Request]] = {}
        self._later: set[asyncio.Task[None]] = set()
        self._broker = broker
        self._http = httpx.AsyncClient(
            base_url=site,
            timeout=httpx.Timeout(10, connect=3),
            transport=ManyPools(POOLS, limits=_LIMITS),
            trust_env=False,
        )
        self._line = self._http
        if wait_s:
            self._line = httpx.AsyncClient(
                base_url=line or site,
                timeout=httpx.Timeout(wait_s + LINE_MARGIN_S, connect=3),
                transport=ManyPools(POOLS_OF_WAITING, limits=_LIMITS),
                trust_env=False,
            )

    async def run(self) -> None:
        """Call until cancelled."""
        try:
            async with asyncio.TaskGroup() as callers:
                for _caller in range(CALLERS):
                    callers.create_task(self._call())
        finally:
            for task in self._later:
                task.cancel()
            await self._http.aclose()
            await self._line.aclose()

    def tell(self, device: Device) -> None:
        """Have the meter report its state, as it is when its turn comes."""
        self._dirty.add(device)
        self.wake(device)

    def ask(self, device: Device) -> None:
        """Have the meter fetch its plan."""
        self._asking.add(device)
        self.wake(device)

    def wake(self, device: Device) -> None:
        """Give the meter a turn, for what it has queued."""
        if device not in self._queued:
            self._queued.add(device)
            self._queue.put_nowait(device)

    def is_quiet(self) -> bool:
        """Say whether nothing waits to be said."""
        return not (self._queued or self._busy or self._later)

    def forget(self, device: Device) -> None:
        """Drop what a meter that was taken down still had to say."""
        for known in (self._dirty, self._asking):
            known.discard(device)
        device.acks.clear()
        self._failures.pop(device, None)
        self._etags.pop(device, None)
        self._replays.pop(device, None)

    async def _call(self) -> None:
        while True:
            device = await self._queue.get()
            self._queued.discard(device)
            if device in self._busy:  # its other turn goes on: come back soon
                self._after(0.05, device)
                continue
            self._busy.add(device)
            try:
                await self._turn(device)
                self._failures.pop(device, None)
            except Exception as error:  # noqa: BLE001 (one meter's trouble is not the street's)
                self.counts["undelivered"] += 1
                self._failures[device] += 1
                wait = min(LONGEST_WAIT_S, 0.5 * 2 ** min(self._failures[device], 10))
                expected = isinstance(error, Undelivered | httpx.HTTPError)
                level = logging.DEBUG if expected else logging.WARNING
                logger.log(level, "%s: %r", device.spec.serial, error)
                if device.is_careless("contact", self._clock()):
                    device.forget_plan()
                dice = self._faults.dice(device.spec.serial, "back-off")
                self._after(dice.uniform(0.1, wait), device)
            finally:
                self._busy.discard(device)

    async def _turn(self, device: Device) -> None:
        base = _base(device)
        if device.is_cut(self._clock()):
            raise Undelivered("cut off")
        if not device.spec.keys:
            self.counts["without a key"] += 1
            return
        if device in self._asking:
            await self.fetch_plan(device)
            self._asking.discard(device)
        if device in self._dirty:
            self._dirty.discard(device)
            try:
                await self._report(device, f"{base}/state")
            except BaseException:
                self._dirty.add(device)
                raise
        while device.acks:
            # It leaves the queue only when it has arrived; a repeat does no harm.
            await self._send(device, "POST", f"{base}/acks", device.acks[0])
            if device.acks:
                device.acks.popleft()

    async def _report(self, device: Device, path: str) -> None:
        now, serial = self._clock(), device.spec.serial
        state = device.state(now)
        if late := self._faults.strikes("reorder", serial, now):
            self._send_later(late.parameters["delay_s"], device, path, state)
            state = device.state(now)
        await self._send(device, "POST", path, state)
        if self._faults.strikes("duplicate", serial, now):
            await self._send(device, "POST", path, state)
        if self._faults.strikes("replay", serial, now) and device in self._replays:
            await self._http.send(self._replays[device][1])
        device.note(now, "out", f"state #{state['seq']} r{state['revision']}")

    async def fetch_plan(self, device: Device, *, wait_s: int = 0) -> bool:
        """Ask for the plan and take it; say whether the meter has the latest now.

        Raises:
            Undelivered, httpx.HTTPError: the site does not answer as it should.
        """
        if device.is_cut(self._clock()) or not device.spec.keys:
            raise Undelivered("cut off, or without a key")
        path = f"{_base(device)}/plan"
        etag = self._etags.get(device) if device.revision else None
        headers = {"If-None-Match": etag} if etag else {}
        answer = await self._send(device, "GET", path, None, headers, wait_s=wait_s)
        if answer.status_code != 200:
            return answer.status_code == 304
        reply = device.put_plan(
            method="GET",
            path=path,
            header=answer.headers.get,
            body=answer.content,
            now=self._clock(),
            nonce=answer.request.headers["X-Nonce"],
        )
        if reply.status < 300:  # what was not taken is wanted again
            self._etags[device] = answer.headers.get("ETag", "")
        self._took(device, reply)
        return reply.status < 300

    async def _send(
        self,
        device: Device,
        method: str,
        path: str,
        message: dict[str, Any] | None,
        headers: dict[str, str] | None = None,
        *,
        wait_s: int = 0,
    ) -> httpx.Response:
        body = b"" if message is None else json.dumps(message, separators=(",", ":")).encode()
        answer = await self._signed(device, method, path, body, headers or {}, wait_s=wait_s)
        if answer.status_code == 401 and _code(answer) == "clock_skew":
            await self._set_clock(device)
            answer = await self._signed(device, method, path, body, headers or {}, wait_s=wait_s)
        self.counts[f"{path.rpartition('/')[2]} {answer.status_code}"] += 1
        if answer.status_code == 429 or answer.status_code >= 500 or answer.status_code == 401:
            raise Undelivered(f"{path}: {answer.status_code}")
        if answer.status_code >= 400:  # said wrongly, and no better the second time
            device.note(self._clock(), "out", f"{path} → {answer.status_code} {_code(answer)}")
        return answer

    async def _signed(
        self,
        device: Device,
        method: str,
        path: str,
        body: bytes,
        headers: dict[str, str],
        *,
        wait_s: int = 0,
    ) -> httpx.Response:
        now = self._clock()
        signature = sign(
            key=device.spec.keys[0],
            method=method,
            path=path,
            body=body,
            timestamp=int(device.own_time(now)),
            nonce=new_nonce(),
        )
        if self._faults.strikes("bad_signature", device.spec.serial, now):
            signature["X-Signature"] = "v1=" + "0" * 64
        if device.spec.by_broker and method == "POST":
            return await self._publish(device, path, body, signature)
        http = self._line if wait_s else self._http
        request = http.build_request(
            method,
            path,
            content=body,
            params={"wait": wait_s} if wait_s else None,
            headers={"Content-Type": "application/json", **headers, **signature},
        )
        # Kept only where it may be wanted: ten thousand requests are many bytes.
        if (method == "POST" and self._faults.knows("replay")) and (
            device not in self._replays or self._replays[device][0] < now - NONCE_S
        ):
            self._replays[device] = (now, request)
        return await http.send(request)

    async def _publish(
        self, device: Device, path: str, body: bytes, signature: dict[str, str]
    ) -> httpx.Response:
        """Say through the broker what goes over HTTP otherwise; a refusal comes back by itself."""
        if self._broker is None:
            raise Undelivered("no broker was given")
        try:
            await self._broker.say(device.spec.serial, path.rpartition("/")[2], body, signature)
        except BrokerAway as error:
            raise Undelivered(f"broker: {error}") from error
        return httpx.Response(200)

    async def _set_clock(self, device: Device) -> None:
        answer = await self._signed(device, "GET", "/edge/v1/time", b"", {})
        if answer.status_code == 200:
            told = parse_stamp(answer.json().get("time")).timestamp()
            device.set_clock(told, now=self._clock())

    def _after(self, seconds: float, device: Device) -> None:
        async def later() -> None:
            await sleep(self._clock, seconds)
            self.wake(device)

        self._keep(asyncio.create_task(later()))

    def _send_later(
        self, seconds: float, device: Device, path: str, message: dict[str, Any]
    ) -> None:
        async def later() -> None:
            await sleep(self._clock, seconds)
            try:
                await self._send(device, "POST", path, message)
            except (Undelivered, httpx.HTTPError) as error:
                logger.debug("%s: %s", device.spec.serial, error)

        self._keep(asyncio.create_task(later()))

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._later.add(task)
        task.add_done_callback(self._later.discard)


def _base(device: Device) -> str:
    return f"/edge/v1/meters/{quote(device.spec.serial, safe=UNQUOTED)}"


def _code(answer: httpx.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        return ""
    return str(body.get("code", "")) if isinstance(body, dict) else ""
