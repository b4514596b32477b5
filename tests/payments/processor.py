"""The tests' hand on the payment processor: a sandbox process of their own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import requests
import stripe  # noqa: TID251  (signs notices as the processor does)
from django.test import Client

from payments import gateway

KEY = "sk_test_curblight"
SECRET = "whsec_of_the_tests"
ROOT = Path(__file__).resolve().parents[2]


class Processor:
    """A running sandbox: pay, break, move its clock, read and deliver its events."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "payments.sandbox", "--port", "0"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.base = self._address()
        self.use_new_connections()

    def use_new_connections(self) -> None:
        """Leave the connections to the process that this one was forked from."""
        self._http = requests.Session()
        self._http.trust_env = False
        gateway._client_for.cache_clear()

    def _address(self) -> str:
        assert self.process.stdout is not None
        said = []
        for line in self.process.stdout:
            said.append(line)
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            if found:
                return found[0]
        raise RuntimeError("the sandbox did not start:\n" + "".join(said))

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)

    def start_again(self, now: datetime) -> None:
        """Forget everything and stand at `now`."""
        self.control("reset")
        self.control("faults/clear")
        self.control("clock", now=now.timestamp(), frozen=True)
        self.control("webhooks", paused=True)

    def control(self, what: str, **fields: Any) -> Any:
        answer = self._http.post(f"{self.base}/_control/{what}", json=fields, timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    def stand_at(self, now: datetime) -> None:
        self.control("clock", now=now.timestamp(), frozen=True)

    def fail(self, kind: str, path: str = "/v1/*", *, method: str = "POST", **fields: Any) -> None:
        """Break the next requests: lost_answer, lost_request, error, latency."""
        self.control("faults", kind=kind, path=path, method=method, **fields)

    def get(self, path: str, **params: Any) -> Any:
        answer = self._http.get(
            f"{self.base}/v1/{path}",
            params=params,
            headers={"Authorization": f"Bearer {KEY}"},
            timeout=10,
        )
        assert answer.ok, answer.text
        return answer.json()

    def post(self, path: str, **params: Any) -> Any:
        """Act at the processor as somebody with its dashboard would."""
        answer = self._http.post(
            f"{self.base}/v1/{path}",
            data=params,
            headers={"Authorization": f"Bearer {KEY}"},
            timeout=10,
        )
        assert answer.ok, answer.text
        return answer.json()

    def pay(self, session_id: str, card: str = "4242424242424242") -> str:
        """Pay on the hosted page; return paid, declined, challenge or closed."""
        return self.control(f"sessions/{session_id}/pay", card=card)["result"]

    def a_foreign_page(self) -> str:
        """Open a page that is none of the site's; return its id."""
        session = self.post(
            "checkout/sessions",
            **{
                "mode": "payment",
                "success_url": "http://127.0.0.1/ok",
                "line_items[0][quantity]": 1,
                "line_items[0][price_data][currency]": "eur",
                "line_items[0][price_data][unit_amount]": 300,
                "line_items[0][price_data][product_data][name]": "Umbrella",
            },
        )
        return str(session["id"])

    def all(self, path: str) -> list[dict[str, Any]]:
        """Return the newest hundred objects of a kind, oldest first."""
        return self.get(path, limit=100)["data"][::-1]

    def every(self, path: str) -> list[dict[str, Any]]:
        """Return every object of a kind, page after page, oldest first."""
        rows: list[dict[str, Any]] = []
        while True:
            after = {"starting_after": rows[-1]["id"]} if rows else {}
            page = self.get(path, limit=100, **after)
            rows += page["data"]
            if not page["has_more"]:
                return rows[::-1]

    def events(self, *types: str) -> list[dict[str, Any]]:
        """Return the events so far, oldest first."""
        return [event for event in self.all("events") if not types or event["type"] in types]

    def deliver(self, event: dict[str, Any], **how: Any) -> int:
        """Send one event to the site, signed; return the status of its answer."""
        return post_notice(json.dumps(event).encode(), **how)


def post_notice(
    body: bytes, *, secret: str = SECRET, sent_at: float | None = None, signature: str | None = None
) -> int:
    """Post a body to the webhook with the signature that the secret gives."""
    if signature is None:
        stamp = int(sent_at or time.time())
        signed = stripe.WebhookSignature._compute_signature(
            f"{stamp}.{body.decode('utf-8', 'replace')}", secret
        )
        signature = f"t={stamp},v1={signed}"
    return (
        Client()
        .post(
            "/stripe/webhook/",
            body,
            content_type="application/json",
            headers={"Stripe-Signature": signature},
        )
        .status_code
    )
