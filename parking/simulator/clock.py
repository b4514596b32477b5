"""The time of a street: of the world, or faster, begun elsewhere, and put on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

LOOK_EVERY_S = 0.05  # how soon a sleeper notices that the clock was put on
FASTEST = 3600.0


class VirtualClock:
    """Seconds since 1970, `speed` of them in each second of the world."""

    def __init__(
        self,
        *,
        start: float | None = None,
        speed: float = 1.0,
        world: Callable[[], float] = time.time,
    ) -> None:
        self._world = world
        self._since = world()
        self._start = self._since if start is None else start
        self._speed = speed

    def __call__(self) -> float:
        """Return the time."""
        return self._start + (self._world() - self._since) * self._speed

    @property
    def speed(self) -> float:
        """How many seconds pass in one of the world."""
        return self._speed

    def run_at(self, speed: float) -> None:
        """Go on from now at another speed; 0 stands still."""
        self._start, self._since, self._speed = self(), self._world(), speed

    def put_on(self, seconds: float) -> None:
        """Leap ahead; what was due in between is due now."""
        self._start += seconds


async def sleep(clock: Callable[[], float], seconds: float) -> None:
    """Wait until `seconds` have passed by the clock, whatever becomes of its speed."""
    due = clock() + seconds
    while (left := due - clock()) > 0:
        if isinstance(clock, VirtualClock):
            whole = left / clock.speed if clock.speed else LOOK_EVERY_S
            await asyncio.sleep(min(whole, LOOK_EVERY_S))
        else:
            await asyncio.sleep(left)
