"""The line on which maps are told of bookings: server-sent events, `GET /map/live`, by ASGI.

It says no more than the map's own question does: which spots are taken, and when.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from parking.kerb_news import KerbNews

PATH = "/map/live"
MOST_READERS = 5_000
# So often something is said although nothing happens: who has hung up is noticed.
SIGN_OF_LIFE_S = 20.0
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    # Public, and asked without a cookie: where no proxy leads here it is another port.
    (b"access-control-allow-origin", b"*"),
]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class KerbLine:
    """The ASGI application. One in each process; `news.run()` must run beside it."""

    def __init__(self) -> None:
        self.news = KerbNews()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Tell one map what happens until it hangs up or the process ends."""
        if scope["method"] != "GET":
            await _refuse(405, send)
        elif len(self.news) >= MOST_READERS:
            await _refuse(503, send)
        else:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            tasks = [asyncio.create_task(self._tell(send)), asyncio.create_task(_hung_up(receive))]
            with suppress(asyncio.CancelledError):  # the server ends, and does not wait for us
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _tell(self, send: Send) -> None:
        with self.news.read() as news:
            await _say(b"retry: 5000\n\n", send)
            while True:
                try:
                    body = await asyncio.wait_for(news.get(), SIGN_OF_LIFE_S)
                except TimeoutError:
                    await _say(b": still here\n\n", send)
                    continue
                if body is None:
                    break
                await _say(b"data: %s\n\n" % body, send)
        await send({"type": "http.response.body", "body": b""})


async def _say(body: bytes, send: Send) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _refuse(status: int, send: Send) -> None:
    headers = [(b"content-length", b"0"), *_HEADERS[-1:]]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
