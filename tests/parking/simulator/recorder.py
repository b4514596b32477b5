"""A site that only listens: when which meter said what."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Said(NamedTuple):
    """One call of a meter."""

    at: float  # seconds, monotonic
    serial: str
    what: str  # "state", "acks"
    body: dict[str, Any]
    signature: str


class Recorder:
    """Answers 200 to everything, or `status` while it is set, and keeps what was said."""

    def __init__(self) -> None:
        self.said: list[Said] = []
        self.status = 200
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                *_rest, serial, what = self.path.split("/")
                recorder.said.append(
                    Said(
                        time.monotonic(),
                        serial,
                        what,
                        json.loads(body),
                        self.headers["X-Signature"],
                    )
                )
                self.send_response(recorder.status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def states(self, serial: str | None = None) -> list[Said]:
        """Return the states that were said, by one meter or by all."""
        return [one for one in self.said if one.what == "state" and serial in {None, one.serial}]

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
