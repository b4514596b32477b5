"""A site's end of the webhooks: takes what is sent, refuses when told to."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import stripe

SECRET = "whsec_of_the_box"
NEXT_SECRET = "whsec_after_the_rotation"


class Receiver:
    """A webhook endpoint on a port of its own."""

    def __init__(self) -> None:
        self.received: list[tuple[bytes, str]] = []
        self.statuses: list[int] = []
        self.hangs_s = 0.0
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(site.hangs_s)
                site.received.append((body, self.headers["Stripe-Signature"]))
                self.send_response(site.statuses.pop(0) if site.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def forget(self) -> None:
        """Begin anew."""
        self.received.clear()
        self.statuses.clear()
        self.hangs_s = 0.0

    def events(self, secret: str = SECRET) -> list[Any]:
        """Return what came, in order, each verified with the real client."""
        return [
            stripe.Webhook.construct_event(body, signature, secret)
            for body, signature in list(self.received)
        ]

    def types(self) -> list[str]:
        """Return the types of what came, in order."""
        return [event.type for event in self.events()]
