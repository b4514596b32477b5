"""Whatever people, banks, the network and the clock do to money: the seventeen promises hold.

A state machine claims, pays, declines, extends, cancels, refunds and disputes through the real
rules and the sandbox over HTTP, while notices come twice, late, in any order or never and the
processor is down or answers into the void. After every step, and once more after everything was
delivered and reconciled, each promise of `tests.payments.seventeen` is looked at.
"""

from __future__ import annotations

import json
import os
import random
import time
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import requests
import stripe  # noqa: TID251  (signs notices as the processor does)
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from parking import extension, holds, refusals
from parking.models import Slot, SlotState
from parking.terms import StayRefused
from payments import (
    cancel,
    checkout,
    expiry,
    gateway,
    officer_refunds,
    reconciliation,
    refunds,
    webhooks,
)
from payments.models import Payment, PaymentState
from tests import cast
from tests.payments.processor import SECRET, Processor
from tests.payments.seventeen import at_any_moment, at_rest
from tests.payments.situations import taken_back

GOOD, DECLINED, CHALLENGED = "4242424242424242", "4000000000000002", "4000002500003155"
REFUND_PENDS, REFUND_FAILS, DISPUTED = "4000000000007726", "4000000000005126", "4000000000000259"
AT_ONCE = "4000000000000077"
CARDS = [GOOD, GOOD, GOOD, AT_ONCE, REFUND_PENDS, REFUND_FAILS, DISPUTED]
# What the machine itself looks at is left alone.
BREAKS = ["/v1/checkout/*", "/v1/refunds", "/v1/refunds/*", "/v1/balance*", "/v1/payouts*"]
SPOTS = 3
PLATE = "ABC123"


class Money(RuleBasedStateMachine):
    """A street of three spots, a processor with a bank behind it, and a bad network."""

    processor: Processor

    @initialize()
    def open_the_street(self) -> None:
        self.frame = taken_back()
        self.frame.__enter__()
        self.processor.start_again(cast.NOW)
        self.now = cast.NOW
        zones = [cast.a_zone(code, longest_stay_min=600) for code in ("kamppi", "punavuori")]
        self.spots = [cast.a_spot(zones[n % 2], f"K-{n}") for n in range(SPOTS)]
        self.officer = cast.a_person("root", is_superuser=True)
        self.second = cast.a_person("second", is_superuser=True)
        self.told: set[str] = set()

    def teardown(self) -> None:
        if not hasattr(self, "frame"):
            return
        try:
            self.come_to_rest()
            assert at_any_moment() + at_rest(self.processor, self.now) == []
        finally:
            self.frame.__exit__(None, None, None)

    # --- What people do

    @rule(spot=st.integers(0, SPOTS - 1), ahead=st.integers(0, 24), length=st.integers(3, 24))
    def claim(self, spot: int, ahead: int, length: int) -> None:
        self._claim(spot, ahead, length)

    @rule(spot=st.integers(0, SPOTS - 1), ahead=st.integers(0, 24), card=st.sampled_from(CARDS))
    def claim_and_pay(self, spot: int, ahead: int, card: str) -> None:
        """What most do; nobody has heard of the money yet."""
        slot = self._claim(spot, ahead, 12)
        if slot is not None:
            self._open(slot)
            self._pay(slot, card)

    @precondition(lambda self: self._slots(SlotState.HELD))
    @rule(which=st.integers(0, 99))
    def open(self, which: int) -> None:
        self._open(self._one(SlotState.HELD, which))

    @precondition(lambda self: self._open_payments())
    @rule(which=st.integers(0, 99), card=st.sampled_from(CARDS))
    def pay(self, which: int, card: str) -> None:
        pages = self._open_payments()
        self._pay(pages[which % len(pages)].slot, card)

    @precondition(lambda self: self._open_payments())
    @rule(which=st.integers(0, 99))
    def decline(self, which: int) -> None:
        pages = self._open_payments()
        self._pay(pages[which % len(pages)].slot, DECLINED)

    @precondition(lambda self: self._open_payments())
    @rule(which=st.integers(0, 99), passes=st.booleans())
    def ask_for_3d_secure(self, which: int, passes: bool) -> None:
        pages = self._open_payments()
        answer = "ok" if passes else "fail"
        self._pay(pages[which % len(pages)].slot, CHALLENGED, three_ds=answer)

    @precondition(lambda self: self._slots(SlotState.CONFIRMED))
    @rule(which=st.integers(0, 99), minutes=st.integers(1, 24), pays=st.booleans())
    def extend(self, which: int, minutes: int, pays: bool) -> None:
        slot = self._one(SlotState.CONFIRMED, which)
        to = slot.end + timedelta(minutes=5 * minutes)
        with suppress(refusals.BookingError, StayRefused):
            more = extension.extend(
                booking_id=slot.booking_id, to=to, now=self.now, actor="citizen"
            )
            if pays:
                self._open(more)
                self._pay(more, GOOD)

    @precondition(lambda self: self._slots(SlotState.CONFIRMED))
    @rule(which=st.integers(0, 99))
    def cancel(self, which: int) -> None:
        reference = self._one(SlotState.CONFIRMED, which).booking.reference
        with suppress(refusals.WrongState):
            cancel.cancel_booking(reference=reference, now=self.now, actor="citizen")

    # --- What the office does

    @precondition(lambda self: self._paid())
    @rule(which=st.integers(0, 99), amount=st.integers(1, 150))
    def refund_a_part(self, which: int, amount: int) -> None:
        paid = self._paid()
        with suppress(refunds.OverRefund):
            asked = officer_refunds.ask(
                payment_id=paid[which % len(paid)].id,
                amount=amount,
                note="broken meter",
                by=self.officer,
                now=self.now,
            )
            officer_refunds.approve(request_id=asked.pk, by=self.second, now=self.now)

    @precondition(lambda self: self._charges())
    @rule(which=st.integers(0, 99), amount=st.integers(1, 60))
    def refund_behind_our_back(self, which: int, amount: int) -> None:
        charges = self._charges()
        with suppress(AssertionError, requests.ConnectionError):  # nothing left, or broken
            self.processor.post("refunds", charge=charges[which % len(charges)], amount=amount)

    # --- What banks do

    @precondition(lambda self: self._charges())
    @rule(which=st.integers(0, 99))
    def dispute(self, which: int) -> None:
        charges = self._charges()
        with suppress(AssertionError):  # disputed already, or refunded
            self.processor.control("disputes", charge=charges[which % len(charges)])

    @precondition(lambda self: self.processor.all("disputes"))
    @rule(which=st.integers(0, 99), how=st.sampled_from(["won", "lost"]))
    def decide_a_dispute(self, which: int, how: str) -> None:
        known = self.processor.all("disputes")
        with suppress(AssertionError):  # decided already
            self.processor.control(f"disputes/{known[which % len(known)]['id']}/close", status=how)

    @rule(fails=st.booleans())
    def pay_out(self, fails: bool) -> None:
        with suppress(AssertionError):  # nothing is available
            self.processor.control("payouts", fails=fails, arrives_in=600)

    # --- What time, workers and the network do

    @rule(minutes=st.sampled_from([1, 9, 11, 31, 60, 2 * 24 * 60]))
    def advance(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.processor.stand_at(self.now)

    @rule()
    def expire(self) -> None:
        for payment_id in expiry.sweep(now=self.now):
            with suppress(gateway.GatewayError):
                expiry.end_page(payment_id=payment_id, now=self.now)

    @rule(seed=st.integers(0, 9999), copies=st.integers(1, 3), act=st.booleans())
    def deliver_in_any_order(self, seed: int, copies: int, act: bool) -> None:
        """Bring some of the notices of which nobody was told, shuffled, up to three times."""
        notices = self._untold() * copies
        random.Random(seed).shuffle(notices)
        for notice in notices[: 1 + seed % 12]:
            self._deliver(notice)
        if act:
            self._act()

    @rule()
    def drop(self) -> None:
        """Lose every notice of which nobody was told so far."""
        self.told |= {event["id"] for event in self._untold()}

    @rule()
    def act_on_what_was_delivered(self) -> None:
        self._act()

    @rule()
    def ask_about_what_is_due(self) -> None:
        self._minute()

    @rule()
    def reconcile(self) -> None:
        for run in (
            reconciliation.read_events,
            reconciliation.compare_balance,
            reconciliation.compare_payouts,
        ):
            with suppress(gateway.GatewayError):
                run(now=self.now)
        self._act()

    @rule(kind=st.sampled_from(["lost_answer", "lost_request"]), times=st.integers(1, 2))
    def lose_the_next_answers(self, kind: str, times: int) -> None:
        self.processor.fail(kind, times=times)

    @rule(status=st.sampled_from([500, 503, 429]), path=st.sampled_from(BREAKS))
    def processor_down(self, status: int, path: str) -> None:
        self.processor.fail("error", path, method="*", times=3, status=status)

    # --- What must never be false

    @invariant()
    def the_promises_hold(self) -> None:
        assert at_any_moment() == []

    def come_to_rest(self) -> None:
        """Let the faults stop and the time go by in which the beat finds everything."""
        self.processor.control("faults/clear")
        for _round in range(10):
            self.now += timedelta(minutes=16)
            self.processor.stand_at(self.now)
            self.expire()
            self._minute()
            self.reconcile()

    # --- How

    def _claim(self, spot: int, ahead: int, length: int) -> Slot | None:
        past = timedelta(minutes=self.now.minute % 5, seconds=self.now.second)
        start = self.now - past + timedelta(minutes=5 * (ahead + 1))
        try:
            return holds.hold(
                spot_id=self.spots[spot].pk,
                start=start,
                end=start + timedelta(minutes=5 * length),
                plate=PLATE,
                email="guest@example.org",
                now=self.now,
            )
        except (refusals.SpotTaken, StayRefused):
            return None

    def _open(self, slot: Slot) -> None:
        with suppress(checkout.CheckoutError):
            checkout.start(slot_id=slot.pk, now=self.now)

    def _pay(self, slot: Slot, card: str, **how: Any) -> None:
        page = slot.payments.filter(state=PaymentState.OPEN).first()
        if page is not None:
            self.processor.control(f"sessions/{page.session_id}/pay", card=card, **how)

    def _minute(self) -> None:
        for refund_id in reconciliation.due_refunds(now=self.now):
            with suppress(gateway.GatewayError):
                refunds.submit(refund_id=refund_id, now=self.now)
        for payment_id in reconciliation.due_payments(now=self.now):
            with suppress(gateway.GatewayError):
                checkout.sync_payment(payment_id=payment_id, now=self.now)

    def _act(self) -> None:
        for event_id in webhooks.due(now=self.now):
            webhooks.process(event_id=event_id, now=self.now)

    def _untold(self) -> list[dict[str, Any]]:
        return [event for event in self.processor.every("events") if event["id"] not in self.told]

    def _deliver(self, event: dict[str, Any]) -> None:
        self.told.add(event["id"])
        body = json.dumps(event).encode()
        stamp = int(time.time())  # signatures carry the machine's time
        signed = stripe.WebhookSignature._compute_signature(f"{stamp}.{body.decode()}", SECRET)
        webhooks.receive(body=body, signature=f"t={stamp},v1={signed}", now=self.now)

    def _slots(self, state: str) -> list[Slot]:
        return list(Slot.objects.filter(state=state).select_related("booking").order_by("id"))

    def _one(self, state: str, which: int) -> Slot:
        slots = self._slots(state)
        return slots[which % len(slots)]

    def _open_payments(self) -> list[Payment]:
        rows = Payment.objects.filter(state=PaymentState.OPEN).select_related("slot")
        return list(rows.order_by("created_at", "id"))

    def _paid(self) -> list[Payment]:
        return list(Payment.objects.filter(state=PaymentState.PAID).order_by("created_at", "id"))

    def _charges(self) -> list[str]:
        known = self.processor.all("charges")
        return [charge["id"] for charge in known if charge["status"] == "succeeded"]


@pytest.fixture
def _without_the_clients_own_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every fault reach our own code; the client's repeats would hide it, and wait."""

    def client(in_a_hurry: bool = False) -> stripe.StripeClient:
        from django.conf import settings as site

        return gateway._client_for(site.STRIPE_API_KEY, site.STRIPE_API_BASE, 0, (3.0, 10.0))

    monkeypatch.setattr(gateway, "_client", client)


def walk(processor: Processor, *, examples: int, steps: int) -> None:
    Money.processor = processor
    run_state_machine_as_test(
        Money,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a walk costs too much to shrink
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.django_db
@pytest.mark.usefixtures("_without_the_clients_own_repeats")
def test_the_promises_hold_in_any_order(processor: Processor) -> None:
    walk(processor, examples=6, steps=20)


@pytest.mark.torture
@pytest.mark.django_db
@pytest.mark.usefixtures("_without_the_clients_own_repeats")
def test_the_promises_hold_in_many_more_orders(processor: Processor) -> None:
    walk(processor, examples=int(os.environ.get("WALKS") or "400"), steps=60)
