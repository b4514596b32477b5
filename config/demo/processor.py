"""The payment sandbox as a citizen and a stage hand meet it: its hosted page, and its clock."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

import httpx
from django.conf import settings

GOOD_CARDS = ("4242424242424242", "4242424242424242", "5555555555554444", "378282246310005")
CHALLENGED_CARD = "4000002500003155"
DECLINED_CARDS = ("4000000000000002", "4000000000009995")
_TIMEOUT_S = 10.0


class SandboxAway(Exception):
    """No payment sandbox answers at STRIPE_API_BASE; the argument is that address."""


class SandboxFailed(Exception):
    """A hosted page answered as none should."""


def is_real() -> bool:
    """Say whether the configured processor is Stripe itself, whose pages only people can pay."""
    return urlsplit(settings.STRIPE_API_BASE).hostname == "api.stripe.com"


class Sandbox:
    """A sandbox whose clock is ours and which sends no webhooks, while the block lasts.

    Raises:
        SandboxAway: nothing answers there, or something that is no sandbox.
    """

    def __init__(self) -> None:
        self._http = httpx.Client(base_url=settings.STRIPE_API_BASE, timeout=_TIMEOUT_S)
        self._clock: int | None = None

    def __enter__(self) -> Sandbox:
        try:
            # An empty city begins with an empty processor, so that the two agree to the cent.
            self._control("reset", {})
            self._control("webhooks", {"paused": True, "discard": True})
        except (httpx.HTTPError, ValueError) as error:
            self._http.close()
            raise SandboxAway(settings.STRIPE_API_BASE) from error
        return self

    def __exit__(self, *_error: object) -> None:
        try:
            self._control("clock", {"reset": True})
            self._control("webhooks/clear", {})
            self._control("webhooks", {"paused": False, "discard": False})
        finally:
            self._http.close()

    def set_clock(self, moment: datetime) -> None:
        """Let the sandbox live at that moment."""
        seconds = int(moment.timestamp())
        if seconds != self._clock:
            self._control("clock", {"now": seconds})
            self._clock = seconds

    def pay(self, *, page: str, card: str) -> bool:
        """Fill in the hosted page and answer the bank's question; say whether it was paid."""
        details = {"card": card, "expiry": "12/49", "cvc": "1234" if card[0] == "3" else "123"}
        answer = self._http.post(page, data=details)
        if card == CHALLENGED_CARD:
            answer = self._http.post(page, data={"three_ds": "ok"})
        if answer.status_code not in {303, 402}:
            answer.raise_for_status()
            raise SandboxFailed(f"{page} answered {answer.status_code}")
        return answer.status_code == 303

    def _control(self, what: str, message: dict[str, object]) -> None:
        self._http.post(f"/_control/{what}", json=message).raise_for_status()
