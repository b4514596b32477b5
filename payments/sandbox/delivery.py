"""Sending webhooks: signed, from a few threads at once, so that no order is promised."""

import hashlib
import hmac
import http.client
import json
import logging
import threading
import time
import urllib.parse

from payments.sandbox.engine import Engine
from payments.sandbox.errors import Json
from payments.sandbox.kinds import ENDPOINT, EVENT
from payments.sandbox.webhooks import Delivery

logger = logging.getLogger(__name__)

TIMEOUT = 10
STOP_PATIENCE = 3.0
LONGEST_SLEEP = 1.0


def signature(body: bytes, secrets: list[str], *, timestamp: int) -> str:
    """Return the Stripe-Signature header: one v1 for each secret that is valid now."""
    signed = f"{timestamp}.".encode() + body
    marks = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={timestamp}", *(f"v1={mark}" for mark in marks)])


def post(endpoint: Json, event: Json) -> tuple[bool, str]:
    """Send an event to an endpoint; return whether it was accepted, and how it went.

    The signature carries the machine's time, not the sandbox's: receivers check it against theirs.
    """
    body = json.dumps(event, indent=2).encode()
    address = urllib.parse.urlsplit(endpoint["url"])
    secure = address.scheme == "https"
    factory = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = factory(address.hostname or "", address.port, timeout=TIMEOUT)
    target = urllib.parse.urlunsplit(("", "", address.path or "/", address.query, ""))
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": signature(body, endpoint["_secrets"], timestamp=int(time.time())),
        "User-Agent": "Stripe/1.0 (sandbox)",
    }
    try:
        connection.request("POST", target, body, headers)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        return False, f"{type(error).__name__}: {error}"
    finally:
        connection.close()
    return 200 <= status < 300, str(status)


class Deliverer:
    """The threads that send what is due. Paused by the webhook settings, stopped by `stop()`."""

    def __init__(self, engine: Engine, *, threads: int = 4) -> None:
        self._engine = engine
        self._wake = threading.Condition()
        self._stopping = threading.Event()
        self._changes = 0
        self._threads = [
            threading.Thread(target=self._work, name=f"webhooks-{number}", daemon=True)
            for number in range(threads)
        ]
        engine.on_change(self._on_change)

    def start(self) -> None:
        """Begin to send."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish what is being sent, unless that takes long; the rest waits in the state file."""
        with self._wake:
            self._stopping.set()
            self._wake.notify_all()
        patient_until = time.monotonic() + STOP_PATIENCE
        for thread in self._threads:
            thread.join(timeout=max(0.0, patient_until - time.monotonic()))

    def _on_change(self) -> None:
        with self._wake:
            self._changes += 1
            self._wake.notify_all()

    def _work(self) -> None:
        while not self._stopping.is_set():
            seen = self._changes
            try:
                delivery = self._take()
                if delivery is None:
                    self._sleep(seen, self._pause())
                else:
                    deliver(self._engine, delivery)
            except Exception:
                if self._stopping.is_set():
                    return
                logger.exception("A webhook thread stumbled; it goes on.")
                time.sleep(LONGEST_SLEEP)

    def _sleep(self, seen: int, seconds: float) -> None:
        with self._wake:
            self._wake.wait_for(lambda: self._stopping.is_set() or self._changes != seen, seconds)

    def _take(self) -> Delivery | None:
        self._engine.tick()
        outbox = self._engine.outbox
        return None if outbox.settings.paused else outbox.take(now=self._engine.clock.now())

    def _pause(self) -> float:
        due = self._engine.outbox.next_due()
        if due is None or self._engine.outbox.settings.paused:
            return LONGEST_SLEEP
        return min(max(due - self._engine.clock.now(), 0.01), LONGEST_SLEEP)


def deliver(engine: Engine, delivery: Delivery) -> bool:
    """Send one delivery and record how it went; return whether it was accepted."""
    event = engine.store.get(EVENT, delivery.event)
    endpoint = engine.store.get(ENDPOINT, delivery.endpoint)
    if event is None or endpoint is None:
        engine.outbox.abandon(delivery, "the endpoint was removed")
        return False
    accepted, outcome = post(endpoint, event)
    if not accepted:
        logger.warning("%s %s: not accepted: %s", event["type"], event["id"], outcome)
    engine.outbox.record(delivery, accepted=accepted, outcome=outcome, now=engine.clock.now())
    return accepted


def deliver_now(engine: Engine) -> dict[str, int]:
    """Send everything that is due, in this thread, even while deliveries are paused."""
    engine.tick()
    tried = accepted = 0
    # Due at the beginning only: a retry that becomes due meanwhile waits for the next call.
    now = engine.clock.now()
    while delivery := engine.outbox.take(now=now):
        tried += 1
        accepted += deliver(engine, delivery)
    return {"attempted": tried, "accepted": accepted}


def deliver_events(engine: Engine, event_ids: list[str]) -> list[Json]:
    """Send exactly these events, in this order, once per mention and endpoint; queue nothing."""
    results: list[Json] = []
    for event_id in event_ids:
        event = engine.store.get(EVENT, event_id)
        for endpoint in engine.outbox.endpoints(event["type"]) if event else []:
            accepted, outcome = post(endpoint, event or {})
            results.append(
                {
                    "event": event_id,
                    "endpoint": endpoint["id"],
                    "accepted": accepted,
                    "outcome": outcome,
                }
            )
    return results
