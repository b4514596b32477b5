"""A sandbox process for tests: its client, its payer's browser, its controls."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import requests
import stripe

ROOT = Path(__file__).resolve().parents[3]
KEY = "sk_test_box"
VISA = "4242424242424242"
CHALLENGED = "4000002500003155"
RETURN_URL = "http://127.0.0.1:1/ok?session={CHECKOUT_SESSION_ID}"
CANCEL_URL = "http://127.0.0.1:1/cancelled"
START_PATIENCE_S = 20
T = TypeVar("T")


class Box:
    """A running sandbox. Whoever starts one stops it."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "payments.sandbox", "--port", "0", *arguments],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.http = requests.Session()
        self.http.trust_env = False
        self.base = wait_for(self._address, seconds=START_PATIENCE_S)

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.said.extend(iter(self.process.stderr.readline, ""))

    def _address(self) -> str | None:
        if self.process.poll() is not None:
            raise AssertionError("the sandbox did not start:\n" + "".join(self.said))
        found = re.search(r"http://127\.0\.0\.1:\d+", "".join(self.said))
        return found[0] if found else None

    @property
    def log(self) -> str:
        """What the process has written."""
        return "".join(self.said)

    def stop(self) -> int:
        """Stop it as a supervisor would; return its exit status."""
        self.http.close()
        self.process.terminate()
        status = self.process.wait(10)
        self._reader.join(5)
        return status

    def kill(self) -> None:
        """End it without a chance to clean up."""
        self.http.close()
        self.process.kill()
        self.process.wait(10)

    # The controls

    def control(self, what: str, verb: str = "POST", /, **fields: Any) -> Any:
        """Use a control; return what it says."""
        answer = self.http.request(verb, f"{self.base}/_control/{what}", json=fields, timeout=20)
        assert answer.ok, answer.text
        return answer.json()

    def advance(self, seconds: float) -> None:
        """Move the clock on."""
        self.control("clock", advance=seconds)

    def now(self) -> float:
        """Return the sandbox's time."""
        return float(self.control("state", "GET")["clock"]["now"])

    # The client

    def client(self, key: str = KEY, *, retries: int = 0) -> stripe.V1Services:
        """Return the real client's first version of the API."""
        return stripe.StripeClient(
            key,
            base_addresses={"api": self.base},
            max_network_retries=retries,
            http_client=stripe.RequestsClient(timeout=20, session=self.http),
        ).v1

    def order(self, amount: int = 250, currency: str = "eur", **changes: Any) -> dict[str, Any]:
        """Return what a site sends to open a session."""
        price = {
            "currency": currency,
            "unit_amount": amount,
            "product_data": {"name": "Spot A12"},
        }
        return {
            "mode": "payment",
            "success_url": RETURN_URL,
            "cancel_url": CANCEL_URL,
            "client_reference_id": "BK1",
            "line_items": [{"quantity": 1, "price_data": price}],
            "payment_intent_data": {"metadata": {"booking": "BK1"}},
            **changes,
        }

    def a_session(self, amount: int = 250, currency: str = "eur", **changes: Any) -> Any:
        """Open a session."""
        return self.client().checkout.sessions.create(self.order(amount, currency, **changes))

    def a_paid_intent(self, amount: int = 250, card: str = VISA, currency: str = "eur") -> Any:
        """Open a session, pay it; return its payment intent with the charge expanded."""
        session = self.a_session(amount, currency)
        assert self.pay(session.url, card).status_code == 303
        expand = ["payment_intent.latest_charge.balance_transaction"]
        paid = self.client().checkout.sessions.retrieve(session.id, {"expand": expand})
        return paid.payment_intent

    def all(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """Return the objects of a kind as JSON, oldest first."""
        answer = self.http.get(
            f"{self.base}/v1/{path}",
            params={"limit": 100, **params},
            headers={"Authorization": f"Bearer {KEY}"},
            timeout=20,
        )
        assert answer.ok, answer.text
        rows: list[dict[str, Any]] = answer.json()["data"]
        return rows[::-1]

    def event_types(self) -> list[str]:
        """Return the types of all events, oldest first."""
        return [event["type"] for event in self.all("events")]

    # The payer

    def browse(self, url: str, form: dict[str, str] | None = None) -> requests.Response:
        """Open a page, or send its form; follow nothing."""
        method = "GET" if form is None else "POST"
        return self.http.request(method, url, data=form, allow_redirects=False, timeout=20)

    def pay(self, url: str, card: str = VISA, **details: str) -> requests.Response:
        """Fill in the hosted page."""
        cvc = "1234" if card.startswith("3") else "123"
        return self.browse(url, {"card": card, "expiry": "12 / 49", "cvc": cvc, **details})


def wait_for(question: Callable[[], T | None], *, seconds: float = 10) -> T:
    """Ask until there is an answer that counts as true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = question()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"nothing happened for {seconds} s")
