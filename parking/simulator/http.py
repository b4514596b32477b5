"""A small HTTP/1.1 server that can also misbehave: never answer, or break off in mid-answer."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import parse_qs, unquote

import h11

logger = logging.getLogger(__name__)

LARGEST_BODY = 1_048_576  # bytes
IDLE_S = 75.0


class Ending(Enum):
    """How an answer ends."""

    WHOLE = "whole"
    HALF = "half"  # the connection breaks in the middle of the body
    NONE = "none"  # the connection breaks before anything is said


@dataclass(frozen=True, kw_only=True)
class Request:
    """A whole request; header names are lower-case."""

    method: str
    raw_path: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return a header, whatever its case."""
        return self.headers.get(name.lower())


@dataclass(frozen=True, kw_only=True)
class Response:
    """A whole answer."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    ending: Ending = Ending.WHOLE


Handler = Callable[[Request], Awaitable[Response]]


class Server:
    """Listens until it is closed; connections are kept alive."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self.port = 0

    async def start(self, host: str, port: int) -> None:
        """Listen; port 0 takes a free one, found in `port` afterwards.

        Raises:
            OSError: the port is taken.
        """
        self._server = await asyncio.start_server(self._accept, host, port, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and drop the connections."""
        if self._server is not None:
            self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 (asyncio runs this in a task)
        self._connections.add(task)
        try:
            await self._serve(reader, writer)
        except (OSError, TimeoutError, h11.ProtocolError) as error:
            logger.debug("connection ended: %s", error)
        finally:
            self._connections.discard(task)
            with contextlib.suppress(OSError):
                writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER)
        while True:
            try:
                request = await self._read(connection, reader)
            except h11.RemoteProtocolError as error:
                await self._refuse(connection, writer, error.error_status_hint or 400)
                return
            if request is None:
                return
            response = await self._handler(request)
            if response.ending is Ending.NONE:
                writer.transport.abort()
                return
            head = h11.Response(
                status_code=response.status,
                headers=[
                    ("Content-Type", response.content_type),
                    ("Content-Length", str(len(response.body))),
                    *response.headers.items(),
                ],
            )
            body = b"" if request.method == "HEAD" else response.body
            if response.ending is Ending.HALF:
                writer.write(connection.send(head) or b"")
                writer.write(body[: len(body) // 2])
                await writer.drain()
                writer.transport.abort()
                return
            # One write, so that no answer waits for the acknowledgement of its first half.
            out = connection.send(head) or b""
            if body:
                out += connection.send(h11.Data(data=body)) or b""
            out += connection.send(h11.EndOfMessage()) or b""
            writer.write(out)
            await writer.drain()
            if connection.our_state is not h11.DONE:
                return
            connection.start_next_cycle()

    async def _read(
        self, connection: h11.Connection, reader: asyncio.StreamReader
    ) -> Request | None:
        head: h11.Request | None = None
        body = bytearray()
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                async with asyncio.timeout(IDLE_S):
                    connection.receive_data(await reader.read(65_536))
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > LARGEST_BODY:
                    raise h11.RemoteProtocolError("the body is too long", error_status_hint=413)
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                return _request(head, bytes(body))
            else:  # closed
                return None

    async def _refuse(
        self, connection: h11.Connection, writer: asyncio.StreamWriter, status: int
    ) -> None:
        if connection.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            return
        head = h11.Response(
            status_code=status, headers=[("Content-Length", "0"), ("Connection", "close")]
        )
        writer.write((connection.send(head) or b"") + (connection.send(h11.EndOfMessage()) or b""))
        await writer.drain()


def _request(head: h11.Request, body: bytes) -> Request:
    raw_path, _, query = head.target.decode("ascii").partition("?")
    return Request(
        method=head.method.decode("ascii"),
        raw_path=raw_path,
        path=unquote(raw_path),
        query={name: values[-1] for name, values in parse_qs(query).items()},
        headers={name.decode("ascii"): value.decode("latin-1") for name, value in head.headers},
        body=body,
    )
