"""What is served by ASGI, because it waits: meters for their plans, maps for bookings.

Pages are WSGI.
"""

import asyncio
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from parking import kerb_line  # noqa: E402 (needs the settings)
from parking.edge_line import Line, Receive, Scope, Send  # noqa: E402

meters = Line()
maps = kerb_line.KerbLine()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Lead a request to whom it is for, or live as long as the server."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
    elif scope["type"] == "http":
        line = maps if scope["path"] == kerb_line.PATH else meters
        await line(scope, receive, send)


async def _live(receive: Receive, send: Send) -> None:
    await receive()
    tasks = [asyncio.create_task(line.news.run()) for line in (meters, maps)]
    await send({"type": "lifespan.startup.complete"})
    await receive()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await send({"type": "lifespan.shutdown.complete"})
