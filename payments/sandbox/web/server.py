"""HTTP: reads requests, hands them on, writes each response in one piece."""

import http
import logging
import socket
import sys
import time
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from payments.sandbox.engine import Engine
from payments.sandbox.errors import ApiError
from payments.sandbox.web.api import Api
from payments.sandbox.web.control import PREFIX as CONTROL
from payments.sandbox.web.control import Control
from payments.sandbox.web.control_page import control_page
from payments.sandbox.web.hosted import PREFIX as HOSTED
from payments.sandbox.web.hosted import Hosted
from payments.sandbox.web.messages import Request, Response, error_response
from payments.sandbox.web.shell import STYLE

logger = logging.getLogger(__name__)

MAX_BODY = 256 * 1024
MAX_SKIPPED = 16 * 1024 * 1024
IDLE_TIMEOUT = 60
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]", "::1"})
_STYLESHEET = (Path(__file__).parent / "sandbox.css").read_bytes()


class Site:
    """Everything the sandbox answers, by address."""

    def __init__(self, engine: Engine, *, any_host: bool = False) -> None:
        self._engine = engine
        self._any_host = any_host
        self._api = Api(engine)
        self._hosted = Hosted(engine)
        self._control = Control(engine)

    def respond(self, request: Request) -> Response:
        """Answer any request; an unexpected failure is logged and answered as 500."""
        try:
            return self._respond(request)
        except ApiError as error:
            return error_response(error)
        except Exception:
            logger.exception("%s %s failed", request.method, request.path)
            return error_response(
                ApiError("An unknown error occurred.", status=500, type="api_error")
            )

    def _respond(self, request: Request) -> Response:
        self._refuse_other_names(request)
        path = request.path
        if path.startswith("/v1/"):
            return self._api.respond(request, self._engine.faults.plan(request.method, path))
        if path.startswith(HOSTED):
            return self._hosted.respond(request, self._engine.faults.plan(request.method, path))
        if path.startswith(CONTROL):
            return self._control.respond(request)
        if path == "/" and request.method in ("GET", "HEAD"):
            return control_page(self._engine)
        if path == STYLE:
            return Response(200, _STYLESHEET, "text/css; charset=utf-8")
        raise ApiError(f"Nothing is at {request.method} {path[:200]}.", status=404)

    def _refuse_other_names(self, request: Request) -> None:
        """Refuse a name that is not this machine's: a foreign page may have rebound its own."""
        host = request.header("Host")
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        if not self._any_host and name.lower() not in LOOPBACK_NAMES:
            raise ApiError(
                "The sandbox answers under its loopback name only, such as 127.0.0.1.", status=403
            )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "payment-sandbox"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = IDLE_TIMEOUT

    def __init__(self, site: Site, *arguments: Any) -> None:
        self._site = site
        super().__init__(*arguments)

    def _answer(self) -> None:
        begun = time.perf_counter()
        try:
            request = self._read()
        except ApiError as error:
            # What is left of the request cannot be told from the next one.
            self.close_connection = True
            self._write(error_response(error))
            return
        response = self._site.respond(request)
        took = (time.perf_counter() - begun) * 1000
        logger.info(
            "%s %s %s %.1f ms",
            request.method,
            request.path,
            "answer lost" if response.lost else response.status,
            took,
        )
        if response.lost:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._write(response)

    do_GET = do_POST = do_DELETE = do_HEAD = do_PUT = do_PATCH = _answer  # noqa: N815

    def _read(self) -> Request:
        path, _, query = self.path.partition("?")
        return Request(
            self.command,
            path,
            query,
            # A folded header holds line breaks, and some headers are repeated in the answer.
            {name.lower(): " ".join(value.split()) for name, value in self.headers.items()},
            self._read_body(),
        )

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding"):
            raise ApiError("Send the body with a Content-Length.", status=411)
        written = self.headers.get("Content-Length", "0")
        if not (written.isascii() and written.isdigit() and len(written) < 16):
            raise ApiError("The Content-Length is not a number.")
        length = int(written)
        if length > MAX_BODY:
            self._skip(min(length, MAX_SKIPPED))
            raise ApiError(f"The body may have {MAX_BODY} bytes at most.", status=413)
        body = self.rfile.read(length)
        if len(body) < length:
            raise ApiError("The body ended early.")
        return body

    def _skip(self, length: int) -> None:
        """Read what nobody wants: a client that is still sending would not see the answer."""
        while length > 0 and (piece := self.rfile.read(min(length, MAX_BODY))):
            length -= len(piece)

    def _write(self, response: Response) -> None:
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        for name, value in response.headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer a request that is not HTTP as JSON, not as a page."""
        self.close_connection = True
        text = message or http.HTTPStatus(code).phrase
        self._write(error_response(ApiError(text, status=code)))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - inherited
        """Say nothing: `_answer` logs, without queries, which may hold a card number."""


class Server(ThreadingHTTPServer):
    """The listening socket; one thread for each connection."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, site: Site, *, host: str, port: int) -> None:
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), partial(_Handler, site))

    def handle_error(self, request: object, client_address: object) -> None:
        """Pass over a client that went away; log anything else."""
        error = sys.exception()
        if not isinstance(error, (ConnectionError, TimeoutError)):
            logger.error("A connection broke off.", exc_info=error)

    @property
    def url(self) -> str:
        """Return the address it listens on."""
        host, port = self.server_address[:2]
        name = f"[{host!s}]" if self.address_family == socket.AF_INET6 else str(host)
        return f"http://{name}:{port}"
