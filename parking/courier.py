"""Carries plans to meters: an event loop in a thread of its own, one in each process.

Whoever sends hands a plan over and goes on, or waits; a hundred calls that wait for their meters
cost one thread. How a meter is reached is its address's matter.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar

from parking import meter_client, meter_mqtt
from parking.meter_client import Answer, MeterError
from parking.signatures import Key

Result = TypeVar("Result")


class PutPlan(Protocol):
    """A way to reach a meter. It raises MeterError and nothing else."""

    async def __call__(
        self,
        *,
        edge_url: str,
        serial: str,
        message: dict[str, Any],
        keys: Sequence[Key],
        now: float,
    ) -> Answer:
        """Give a meter its plan; `keys` are its valid ones, the newest first, `now` in seconds."""


def carry(
    *, edge_url: str, serial: str, message: dict[str, Any], keys: Sequence[Key], now: float
) -> Future[Answer | MeterError]:
    """Send a meter its plan; the future holds its answer or the error, and raises neither."""

    put_plan: PutPlan = meter_client.put_plan
    if edge_url == meter_mqtt.ADDRESS:
        put_plan = meter_mqtt.put_plan

    async def send() -> Answer | MeterError:
        try:
            return await put_plan(
                edge_url=edge_url, serial=serial, message=message, keys=keys, now=now
            )
        except MeterError as error:
            return error

    return start(send())


def start(work: Coroutine[Any, Any, Result]) -> Future[Result]:
    """Let a coroutine run in this process's loop."""
    return asyncio.run_coroutine_threadsafe(work, _loop())


_lock = threading.Lock()
_running: tuple[int, asyncio.AbstractEventLoop] | None = None  # of this process id


def _loop() -> asyncio.AbstractEventLoop:
    global _running
    with _lock:
        if _running is None or _running[0] != os.getpid():  # a fork has no threads of its parent
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="courier", daemon=True).start()
            _running = (os.getpid(), loop)
        return _running[1]
