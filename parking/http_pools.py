"""Many HTTP calls at once: connections in several small pools."""

from __future__ import annotations

from contextlib import AsyncExitStack
from itertools import cycle
from typing import Any

import httpx


class ManyPools(httpx.AsyncBaseTransport):
    """A transport for `httpx.AsyncClient` that uses so many pools in turn.

    For each request and each answer httpcore looks at every connection of a pool, and asks the
    socket of each that is idle: with a hundred calls on their way that is half of the work.
    """

    def __init__(self, pools: int, **options: Any) -> None:
        """Take what `httpx.AsyncHTTPTransport` takes; limits are those of one pool."""
        certificates = httpx.create_ssl_context(trust_env=False)  # reading them takes long
        self._pools = [
            httpx.AsyncHTTPTransport(verify=certificates, trust_env=False, **options)
            for _pool in range(pools)
        ]
        self._turns = cycle(self._pools)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request by the next pool."""
        return await next(self._turns).handle_async_request(request)

    async def aclose(self) -> None:
        """Close every connection, also where closing another one fails."""
        async with AsyncExitStack() as closing:
            for pool in self._pools:
                closing.push_async_callback(pool.aclose)
