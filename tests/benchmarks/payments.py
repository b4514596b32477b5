"""Payments confirmed per minute from end to end, with every real process on this machine.

`make bench ARGS=payments`. People hold a spot and open the payment page over the API, and pay at
the sandbox; its notice reaches the site, a worker asks back and confirms, and the books are sealed.
The clock runs from the first hold until the last payment is confirmed and sealed; the people and
the sandbox run on the same cores.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests

from tests.benchmarks.server import free_port, site

PAYMENTS, PEOPLE = int(os.environ.get("PAYMENTS") or "1000"), 4
GOAL = 1000  # a minute
SECRET = "whsec_benchmark"
PATIENCE_S = 240


class Person(threading.Thread):
    """Books and pays, one spot after the other."""

    def __init__(self, site: str, sandbox: str, spots: range, start: Any) -> None:
        super().__init__()
        self.site, self.sandbox, self.spots, self.start_at = site, sandbox, spots, start
        self.http = requests.Session()
        self.http.trust_env = False

    def run(self) -> None:
        """Do it for each spot."""
        for spot in self.spots:
            made = self.post(
                f"{self.site}/api/v1/bookings/",
                {
                    "spot": spot,
                    "from": self.start_at.isoformat(),
                    "to": (self.start_at + timedelta(hours=1)).isoformat(),
                    "vehicle": f"ABC {spot:04}",
                    "email": f"guest{spot}@example.org",
                },
            )
            url = f"{self.site}/api/v1/bookings/{made['reference']}/checkout/"
            page = self.post(url, {}, {"Booking-Key": made["key"]})["url"]
            session = page.rsplit("/", 1)[1].partition("#")[0]
            pay = f"{self.sandbox}/_control/sessions/{session}/pay"
            assert self.post(pay, {"card": "4242424242424242"})["result"] == "paid"

    def post(self, url: str, body: dict[str, Any], headers: Any = None) -> dict[str, Any]:
        """Send JSON; return the answer's."""
        answer = self.http.post(url, json=body, headers=headers, timeout=30)
        assert answer.ok, answer.text
        said: dict[str, Any] = answer.json()
        return said


@contextmanager
def running(*module: str) -> Iterator[None]:
    """Run a Python module beside the site."""
    process = subprocess.Popen(
        [sys.executable, "-m", *module], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def main() -> int:
    """Measure, print, and fail where the goal is missed."""
    port, sandbox_port = free_port(), free_port()
    sandbox = f"http://127.0.0.1:{sandbox_port}"
    os.environ |= {
        "STRIPE_API_KEY": "sk_test_benchmark",
        "STRIPE_API_BASE": sandbox,
        "STRIPE_WEBHOOK_SECRETS": SECRET,
        "SITE_URL": f"http://127.0.0.1:{port}",
    }
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        address = stack.enter_context(site("curblight_bench_payments", port))
        from payments.webhooks import FOLLOWED_TYPES

        stack.enter_context(
            running(
                *("payments.sandbox", "--port", str(sandbox_port)),
                *(word for type_ in FOLLOWED_TYPES for word in ("--webhook-event", type_)),
                *("--state", str(folder / "sandbox.db"), "--webhook-secret", SECRET),
                *("--webhook-url", f"http://127.0.0.1:{port}/stripe/webhook/"),
            )
        )
        from django.utils import timezone

        from tests.benchmarks import city

        city.build(spots=PAYMENTS + PEOPLE)
        celery = ("celery", "-A", "config", "--quiet")
        stack.enter_context(
            running(*celery, "worker", "-P", "threads", "-c", "16", "--without-gossip",
                    "--without-mingle", "--loglevel", "ERROR")
        )  # fmt: skip
        stack.enter_context(
            running(*celery, "beat", "--pidfile=", "--schedule", str(folder / "beat"))
        )
        start = timezone.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=3)
        _all_pay(address, sandbox, range(PAYMENTS + 1, PAYMENTS + PEOPLE + 1), start)
        _wait_for(PEOPLE)  # warmed up
        began = time.monotonic()
        _all_pay(address, sandbox, range(1, PAYMENTS + 1), start)
        paid_s = time.monotonic() - began
        _wait_for(PAYMENTS + PEOPLE)
        seconds = time.monotonic() - began
        waits = _waits()
    rate = PAYMENTS / seconds * 60
    sys.stdout.write(
        f"{PAYMENTS} payments in {seconds:.1f} s ({paid_s:.1f} s of it people paying): "
        f"{rate:,.0f} a minute; from paid to confirmed {statistics.median(waits):.1f} s in the "
        f"middle, {waits[int(len(waits) * 0.99) - 1]:.1f} s at p99; goal: {GOAL:,} a minute\n"
    )
    return int(rate < GOAL)


def _all_pay(address: str, sandbox: str, spots: range, start: Any) -> None:
    people = [
        Person(address, sandbox, range(spots.start + n, spots.stop, PEOPLE), start)
        for n in range(PEOPLE)
    ]
    for person in people:
        person.start()
    for person in people:
        person.join()


def _wait_for(count: int) -> None:
    """Wait until so many payments are confirmed, their fees known, and the books sealed."""
    from payments.models import LedgerEntry, Payment

    deadline = time.monotonic() + PATIENCE_S
    while True:
        done = Payment.objects.filter(slot__state="confirmed", fee__isnull=False).count()
        if done == count and not LedgerEntry.objects.filter(number=None).exists():
            return
        assert time.monotonic() < deadline, f"{done} of {count} are confirmed"
        time.sleep(0.2)


def _waits() -> list[float]:
    """Return how long each payment waited to be confirmed, in seconds, shortest first."""
    from payments.models import LedgerEntry

    entries = LedgerEntry.objects.filter(kind="capture").values_list("occurred_at", "posted_at")
    return sorted((posted - occurred).total_seconds() for occurred, posted in entries)


if __name__ == "__main__":
    sys.exit(main())
