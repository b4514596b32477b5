"""Run a street until it is stopped."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

from parking.simulator.app import App
from parking.simulator.engine import Feed, Street
from parking.simulator.http import Server


async def serve(
    street: Street, feed: Feed, *, host: str, port: int, ready: Callable[[int], None]
) -> None:
    """Serve the street until SIGINT or SIGTERM; `ready` is told the port that it listens on.

    Raises:
        OSError: the port is taken.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    server = Server(App(street))
    await server.start(host, port)
    living = asyncio.create_task(street.run(feed))
    stopping = asyncio.create_task(stop.wait())
    try:
        ready(server.port)
        await asyncio.wait({living, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if living.done():
            living.result()
    finally:
        living.cancel()
        stopping.cancel()
        await asyncio.gather(living, stopping, return_exceptions=True)
        await server.close()
