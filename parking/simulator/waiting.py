"""Meters that nobody calls, and that wait on the line for their next plan."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

import httpx

from parking.simulator.clock import sleep
from parking.simulator.device import Device
from parking.simulator.faults import FaultBook
from parking.simulator.reports import LONGEST_WAIT_S, Reporter, Undelivered

ASK_AGAIN_S = 5.0  # where the site answers at once, or the plan could not be taken
AT_ONCE_S = 0.5
logger = logging.getLogger(__name__)


class Line:
    """Each meter asks again as soon as it was answered."""

    def __init__(
        self, reporter: Reporter, faults: FaultBook, clock: Callable[[], float], wait_s: int
    ) -> None:
        self._reporter, self._faults, self._clock = reporter, faults, clock
        self._wait_s = wait_s
        self._waiting: dict[Device, asyncio.Task[None]] = {}

    def join(self, device: Device) -> None:
        """Let a meter wait, as long as nobody calls it."""
        if device not in self._waiting:
            waiting = asyncio.create_task(self._wait(device))
            self._waiting[device] = waiting
            waiting.add_done_callback(lambda _task: self._waiting.pop(device, None))

    def leave(self, device: Device) -> None:
        """Take a meter off the line."""
        if waiting := self._waiting.get(device):
            waiting.cancel()

    async def run(self) -> None:
        """Live until cancelled, and let nobody wait longer."""
        try:
            await asyncio.Event().wait()
        finally:
            for waiting in list(self._waiting.values()):
                waiting.cancel()

    async def _wait(self, device: Device) -> None:
        failures = 0
        dice = self._faults.dice(device.spec.serial, "line")
        while device.spec.polls:
            asked_at = time.monotonic()
            try:
                is_right = await self._reporter.fetch_plan(device, wait_s=self._wait_s)
                failures = 0
            except (Undelivered, httpx.HTTPError) as error:
                logger.debug("%s: %r", device.spec.serial, error)
                failures += 1
                longest = min(LONGEST_WAIT_S, 0.5 * 2 ** min(failures, 10))
                await sleep(self._clock, dice.uniform(0.1, longest))
                continue
            if not is_right or time.monotonic() < asked_at + AT_ONCE_S:
                await sleep(self._clock, ASK_AGAIN_S)
