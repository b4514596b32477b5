"""Kill the worker fifty times while two hundred people pay: to the cent, nothing is lost or twice.

The whole site runs with its real processes on a database of its own. The worker is killed (SIGKILL)
at random points, mostly while it confirms payments, sends refunds and ends holds, and is started
again, as whatever supervises it would.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests

from scripts.processes import kill_group
from tests.journeys.stack import Stack

PAID_PER_KILL = 4
pytestmark = pytest.mark.torture


def kills() -> int:
    """Return how often the worker dies; `KILLS=5` makes a short run."""
    return int(os.environ.get("KILLS") or "50")


class Site(Stack):
    """The site without meters, driven as programs do."""

    def up(self) -> None:
        """Start what money needs."""
        self.begin("redis")
        self.begin("sandbox")
        self.manage("migrate", "--no-input", "--verbosity", "0")
        self._collect_static()
        self.manage("seed_demo", "--city", "helsinki", "--history-days", "0")
        self._price_the_night()
        for name in ("worker", "beat", "web"):
            self.begin(name)
        self.wait("the site", lambda: self._answers(self.ports.web, "/healthz"))
        self.wait("the sandbox", lambda: self._answers(self.ports.sandbox, "/"))
        self.wait("the worker", self.worker_is_ready)
        self.http = requests.Session()
        self.http.trust_env = False
        self.places = self._places()
        self.people = 0

    def worker_is_ready(self) -> bool:
        """Say whether the worker takes work."""
        return "ready." in (self.logs / "worker.log").read_text(errors="replace")

    def kill_worker(self) -> None:
        """End the worker without a chance to tidy up, and start another."""
        _service, process = self.running.pop("worker")
        kill_group(process, signal.SIGKILL)
        process.wait(10)
        self.begin("worker")

    def book(self) -> dict[str, Any]:
        """Book a spot that is free and open its payment page."""
        self.people += 1
        for spot, start in self.places:
            answer = self.http.post(
                f"{self.address}/api/v1/bookings/",
                json={
                    "spot": spot,
                    "from": start.isoformat(),
                    "to": (start + timedelta(hours=1)).isoformat(),
                    "vehicle": f"ABC {self.people:03}",
                    "email": f"guest{self.people}@example.org",
                },
                timeout=20,
            )
            if answer.status_code == 201:
                made: dict[str, Any] = answer.json()
                assert self.act(made, "checkout").ok
                return made
        raise AssertionError("no spot is left")

    def act(self, made: dict[str, Any], what: str) -> requests.Response:
        """Do something with a booking, as its guest."""
        path = f"{self.address}/api/v1/bookings/{made['reference']}/{what}/"
        return self.http.post(path, headers={"Booking-Key": made["key"]}, timeout=20)

    def pay(self, made: dict[str, Any]) -> None:
        """Pay on the processor's page."""
        [(session,)] = self.rows(
            "SELECT session_id FROM payments_payment payment"
            " JOIN parking_slot slot ON slot.id = payment.slot_id"
            " JOIN parking_booking booking ON booking.id = slot.booking_id WHERE reference = %s",
            made["reference"],
        )
        self.sandbox(f"_control/sessions/{session}/pay", card="4242424242424242")

    def sandbox(self, path: str, **fields: Any) -> Any:
        """Use the processor's controls."""
        url = f"http://127.0.0.1:{self.ports.sandbox}/{path}"
        answer = self.http.post(url, json=fields, timeout=20)
        assert answer.ok, answer.text
        return answer.json()

    def all_of(self, kind: str) -> list[dict[str, Any]]:
        """Return every object of a kind that the processor has."""
        rows: list[dict[str, Any]] = []
        while True:
            after = {"starting_after": rows[-1]["id"]} if rows else {}
            answer = self.http.get(
                f"http://127.0.0.1:{self.ports.sandbox}/v1/{kind}",
                params={"limit": 100, **after},
                headers={"Authorization": f"Bearer {self.env['STRIPE_API_KEY']}"},
                timeout=20,
            ).json()
            rows += answer["data"]
            if not answer["has_more"]:
                return rows

    def _places(self) -> Iterator[tuple[int, datetime]]:
        noon = datetime.now(ZoneInfo("Europe/Helsinki")).replace(  # noqa: TID251 (a real site)
            hour=12, minute=0, second=0, microsecond=0
        ) + timedelta(days=1)
        spots = self.rows("SELECT id FROM parking_spot WHERE is_active ORDER BY id LIMIT 400")
        for hour in range(4):
            for (spot,) in spots:
                yield spot, noon + timedelta(hours=hour)


@pytest.fixture
def site(tmp_path: Any) -> Iterator[Site]:
    running = Site(tmp_path)
    try:
        running.up()
        yield running
    finally:
        running.down()


def settled(site: Site, paid: int) -> bool:
    """Say whether nothing waits: notices, payments, refunds, holds that are over."""
    [(waiting,)] = site.rows(
        "SELECT (SELECT count(*) FROM payments_webhookevent WHERE processed_at IS NULL)"
        " + (SELECT count(*) FROM payments_payment WHERE state IN ('created', 'open'))"
        " + (SELECT count(*) FROM payments_payment WHERE state = 'paid' AND fee IS NULL)"
        " + (SELECT count(*) FROM payments_refund WHERE state <> 'succeeded')"
        " + (SELECT count(*) FROM payments_ledgerentry WHERE number IS NULL)"
        " + (SELECT count(*) FROM parking_slot WHERE state IN ('held', 'expiring'))"
    )
    [(done,)] = site.rows("SELECT count(*) FROM payments_payment WHERE state = 'paid'")
    return waiting == 0 and done == paid


def test_money_and_bookings_agree_to_the_cent(site: Site) -> None:
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))
    chance = random.Random(seed)
    paid: list[dict[str, Any]] = []
    unpaid, cancelled = [], []
    for turn in range(kills()):
        for _ in range(PAID_PER_KILL):
            made = site.book()
            site.pay(made)
            paid.append(made)
        if turn % 3 == 0:  # a page that is open, and a hold that runs out
            made = site.book()
            site.let_the_hold_run_out(made["reference"])
            unpaid.append(made)
        earlier = paid[chance.randrange(len(paid))]
        if earlier not in cancelled and site.act(earlier, "cancel").status_code == 200:
            cancelled.append(earlier)
        if chance.random() < 0.5:
            site.wait("the worker", site.worker_is_ready)
        time.sleep(chance.uniform(0, 1.5))
        site.kill_worker()

    site.wait(f"rest (seed {seed})", lambda: settled(site, len(paid)), seconds=300)
    check_bookings(site, paid, unpaid, cancelled)
    check_money(site, len(paid), len(cancelled))
    site.manage("verify_ledger")


def check_bookings(site: Site, paid: list[Any], unpaid: list[Any], cancelled: list[Any]) -> None:
    states = dict(
        site.rows(
            "SELECT reference, slot.state FROM parking_slot slot"
            " JOIN parking_booking booking ON booking.id = slot.booking_id"
        )
    )
    ended = {made["reference"] for made in cancelled}
    assert {states[made["reference"]] for made in unpaid} <= {"released"}
    for made in paid:
        expected = "cancelled" if made["reference"] in ended else "confirmed"
        assert states[made["reference"]] == expected


def check_money(site: Site, paid: int, cancelled: int) -> None:
    charges = {one["id"]: one["amount"] for one in site.all_of("charges")}
    back = {one["id"]: one["amount"] for one in site.all_of("refunds")}
    assert (len(charges), len(back)) == (paid, cancelled), "each once, at the processor"

    def booked(kind: str) -> dict[str, int]:
        return dict(
            site.rows(
                "SELECT provider_reference, abs(line.amount) FROM payments_ledgerentry entry"
                " JOIN payments_ledgerline line ON line.entry_id = entry.id"
                " WHERE account = 'psp_clearing' AND kind = %s",
                kind,
            )
        )

    assert booked("capture") == charges, "each once, in the books"
    assert booked("refund") == back
    [(clearing,)] = site.rows(
        "SELECT sum(amount) FROM payments_ledgerline WHERE account = 'psp_clearing'"
    )
    assert clearing == sum(one["net"] for one in site.all_of("balance_transactions"))
    assert site.rows("SELECT kind, detail FROM payments_moneyexception") == []
