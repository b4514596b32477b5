"""Many calls at once over small pools: all are answered, and connections are used again."""

from __future__ import annotations

import asyncio
import importlib.util

import httpx

from parking.http_pools import ManyPools

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Station:
    """Answers everything after a moment, and counts who called."""

    def __init__(self) -> None:
        self.opened = self.open = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until it ends."""
        self.opened += 1
        self.open += 1
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                await asyncio.sleep(0.05)
                writer.write(ANSWER)
        except asyncio.IncompleteReadError:
            writer.close()
        finally:
            self.open -= 1


def test_many_at_once_share_the_pools_and_keep_their_connections() -> None:
    async def calls() -> None:
        station = Station()
        server = await asyncio.start_server(station.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        limits = httpx.Limits(
            max_connections=None, max_keepalive_connections=3, keepalive_expiry=60
        )
        http = httpx.AsyncClient(transport=ManyPools(4, limits=limits), trust_env=False)
        async with http, asyncio.timeout(20):
            url = f"http://127.0.0.1:{port}/"
            answers = await asyncio.gather(*(http.get(url) for _call in range(40)))
            assert {answer.status_code for answer in answers} == {200}
            assert station.opened == 40, "nobody waits for another"
            for _call in range(12):
                assert (await http.get(url)).text == "ok"
            assert station.opened == 40, "what was kept is used again"
            while station.open > 12:  # three of each pool
                await asyncio.sleep(0.01)
        async with asyncio.timeout(5):
            while station.open:
                await asyncio.sleep(0.01)
        server.close()

    asyncio.run(calls())


def test_httpcore_need_not_look_for_sniffio_with_each_lock() -> None:
    assert importlib.util.find_spec("sniffio") is not None
