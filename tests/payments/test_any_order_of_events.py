"""Whatever people, the processor and the clock do, in any order: the design's first rules hold.

A state machine walks holds, payments, declined cards, extensions, changes, corrections, early ends,
cancellations, lost answers, the sweeper, and the death of whoever does one of these, through the
real rules and the sandbox over HTTP, and looks at every row after each step.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from parking import corrections, extension, holds, lights, locking, refusals
from parking.models import (
    LIVE_STATES,
    PENDING_STATES,
    Booking,
    Slot,
    SlotKind,
    SlotState,
)
from parking.stays import stay_of
from parking.terms import StayRefused
from payments import cancel, change, checkout, expiry, gateway, reconciliation, refunds, reminders
from payments.models import (
    DEAD_REFUND_STATES,
    MailKind,
    MoneyException,
    Payment,
    PaymentState,
)
from tests import cast
from tests.payments.processor import Processor
from tests.payments.situations import check_books, taken_back

GOOD, DECLINED = "4242424242424242", "4000000000000002"
SPOTS = 2
PLATES = ("ABC123", "XYZ789")


WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|WITH)\b")


class Death(BaseException):
    """The end of a process, as its database sees it: an open transaction is undone, and no more.

    It is no `Exception`, so that no rule can catch it. What was sent to the processor stays sent.
    """


# What somebody can be at when death comes, and the state of the slot that it needs.
JOBS: dict[str, tuple[SlotState | None, Callable[[Kerb, int], None]]] = {
    "hold": (None, lambda kerb, which: kerb.hold(which % SPOTS, 1, 6, PLATES[0])),
    "book": (None, lambda kerb, which: kerb.book(which % SPOTS, which % 5, 6)),
    "open the page": (SlotState.HELD, lambda kerb, which: kerb.open_the_page_and_leave(which)),
    "give up": (SlotState.HELD, lambda kerb, which: kerb.give_up(which)),
    "extend": (SlotState.CONFIRMED, lambda kerb, which: kerb.extend(which, 3)),
    "cancel": (SlotState.CONFIRMED, lambda kerb, which: kerb.cancel_or_end(which)),
    "move": (SlotState.CONFIRMED, lambda kerb, which: kerb.change(which, which % SPOTS, 3, None)),
    "shorten": (SlotState.CONFIRMED, lambda kerb, which: kerb.change(which, None, None, -1)),
    "correct": (SlotState.CONFIRMED, lambda kerb, which: kerb.correct_the_plate(which, PLATES[1])),
    "sweep": (None, lambda kerb, _: kerb.sweep()),
    "hear": (None, lambda kerb, _: kerb.hear_of_the_payments()),
    "refund": (None, lambda kerb, _: kerb.send_the_refunds()),
    "remind": (None, lambda kerb, _: kerb.remind()),
    "lamps": (None, lambda kerb, _: kerb.look_at_the_lamps()),
}


class Kerb(RuleBasedStateMachine):
    """A street of two spots, some people, a processor and a clock."""

    processor: Processor

    @initialize()
    def open_the_street(self) -> None:
        self.frame = taken_back()
        self.frame.__enter__()
        self.processor.start_again(cast.NOW)
        self.now = cast.NOW
        zone = cast.a_zone(longest_stay_min=600)
        meter = cast.a_meter(zone)
        self.spots = [
            cast.a_spot(zone, f"K-{n}", metres_east=6 * n, meter=meter, position=n + 1)
            for n in range(SPOTS)
        ]

    def teardown(self) -> None:
        if hasattr(self, "frame"):
            self.frame.__exit__(None, None, None)

    # --- What people do

    @rule(
        spot=st.integers(0, SPOTS - 1),
        ahead=st.integers(0, 12),
        length=st.integers(3, 24),
        plate=st.sampled_from(PLATES),
    )
    def hold(self, spot: int, ahead: int, length: int, plate: str) -> None:
        start = self._grid() + timedelta(minutes=5 * ahead)
        with suppress(refusals.SpotTaken, StayRefused):
            holds.hold(
                spot_id=self.spots[spot].pk,
                start=start,
                end=start + timedelta(minutes=5 * length),
                plate=plate,
                email="guest@example.org",
                now=self.now,
            )

    @rule(spot=st.integers(0, SPOTS - 1), ahead=st.integers(0, 6), length=st.integers(3, 12))
    def book(self, spot: int, ahead: int, length: int) -> None:
        """Hold, pay, and have it heard of: what most people do, in one step."""
        before = set(Slot.objects.values_list("id", flat=True))
        self.hold(spot=spot, ahead=ahead, length=length, plate=PLATES[0])
        for slot in Slot.objects.exclude(id__in=before):
            with suppress(checkout.CheckoutError, gateway.GatewayError):
                checkout.start(slot_id=slot.pk, now=self.now)
                payment = slot.payments.get()
                self.processor.pay(payment.session_id or "", GOOD)
                checkout.sync_payment(payment_id=payment.id, now=self.now)

    @precondition(lambda self: self._any(state=SlotState.CONFIRMED))
    @rule(which=st.integers(0, 99), minutes=st.integers(1, 12))
    def extend_and_pay(self, which: int, minutes: int) -> None:
        """The payment is made, and nobody has heard of it yet."""
        self.extend(which=which, minutes=minutes)
        for slot in Slot.objects.filter(state=SlotState.HELD).order_by("-id")[:1]:
            with suppress(checkout.CheckoutError):
                checkout.start(slot_id=slot.pk, now=self.now)
                payment = slot.payments.get(state=PaymentState.OPEN)
                self.processor.pay(payment.session_id or "", GOOD)

    @precondition(lambda self: self._any(state=SlotState.HELD))
    @rule(which=st.integers(0, 99), card=st.sampled_from([GOOD, GOOD, DECLINED]))
    def go_and_pay(self, which: int, card: str) -> None:
        slot = self._one(which, state=SlotState.HELD)
        with suppress(checkout.CheckoutError):
            checkout.start(slot_id=slot.pk, now=self.now)
            payment = slot.payments.get(state=PaymentState.OPEN)
            self.processor.pay(payment.session_id or "", card)

    @precondition(lambda self: self._any(state=SlotState.HELD))
    @rule(which=st.integers(0, 99))
    def open_the_page_and_leave(self, which: int) -> None:
        slot = self._one(which, state=SlotState.HELD)
        with suppress(checkout.CheckoutError):
            checkout.start(slot_id=slot.pk, now=self.now)

    @precondition(lambda self: Payment.objects.filter(state=PaymentState.OPEN).exists())
    @rule(which=st.integers(0, 99), card=st.sampled_from([GOOD, DECLINED]))
    def pay_on_a_page_that_is_open_in_a_tab(self, which: int, card: str) -> None:
        pages = list(Payment.objects.filter(state=PaymentState.OPEN).order_by("created_at", "id"))
        self.processor.pay(pages[which % len(pages)].session_id or "", card)

    @precondition(lambda self: self._any(state=SlotState.HELD))
    @rule(which=st.integers(0, 99))
    def give_up(self, which: int) -> None:
        slot = self._one(which, state=SlotState.HELD)
        with suppress(gateway.GatewayError):  # the sweeper goes on
            expiry.give_up(slot_id=slot.pk, now=self.now, actor="citizen")

    @precondition(lambda self: self._any(state=SlotState.CONFIRMED))
    @rule(which=st.integers(0, 99), minutes=st.integers(1, 30))
    def extend(self, which: int, minutes: int) -> None:
        slot = self._one(which, state=SlotState.CONFIRMED)
        with suppress(refusals.SpotTaken, StayRefused, refusals.NotBooked, refusals.ChangePending):
            extension.extend(
                booking_id=slot.booking_id,
                to=slot.end + timedelta(minutes=5 * minutes),
                now=self.now,
                actor="citizen",
            )

    @precondition(lambda self: self._any(state=SlotState.CONFIRMED))
    @rule(which=st.integers(0, 99))
    def cancel_or_end(self, which: int) -> None:
        slot = self._one(which, state=SlotState.CONFIRMED)
        told = cancel.due_now(reference=slot.booking.reference, now=self.now)
        try:
            done = cancel.cancel_booking(
                reference=slot.booking.reference, now=self.now, actor="citizen", told=told
            )
        except refusals.WrongState:
            assert told is None, "what can be cancelled was offered"
        else:
            assert done.refunded == told, "what was told is what goes back"

    @precondition(lambda self: self._any(state=SlotState.CONFIRMED))
    @rule(
        which=st.integers(0, 99),
        spot=st.none() | st.integers(0, SPOTS - 1),
        later=st.sampled_from([None, -2, 3, 12]),
        longer=st.sampled_from([None, -6, -1, 3, 12]),
    )
    def change(self, which: int, spot: int | None, later: int | None, longer: int | None) -> None:
        slot = self._one(which, state=SlotState.CONFIRMED)
        stay = stay_of(locking.slots_of(slot.booking_id))
        wish = {
            "reference": slot.booking.reference,
            "spot_id": None if spot is None else self.spots[spot].pk,
            "start": stay.start + timedelta(minutes=5 * later) if later else None,
            "end": stay.end + timedelta(minutes=5 * longer) if longer else None,
        }
        with suppress(refusals.BookingError, StayRefused):
            change.change_booking(**wish, now=self.now, actor="citizen")

    @precondition(lambda self: Booking.objects.exists())
    @rule(which=st.integers(0, 99), plate=st.sampled_from(PLATES))
    def correct_the_plate(self, which: int, plate: str) -> None:
        known = list(Booking.objects.order_by("id"))
        with suppress(corrections.TooLate, corrections.TooOften):
            corrections.correct_plate(
                booking_id=known[which % len(known)].pk, plate=plate, now=self.now, actor="citizen"
            )

    # --- What time, workers and the network do

    @rule(minutes=st.sampled_from([1, 4, 9, 11, 30, 60]))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.processor.stand_at(self.now)

    @rule()
    def sweep(self) -> None:
        for payment_id in expiry.sweep(now=self.now):
            with suppress(gateway.GatewayError):
                expiry.end_page(payment_id=payment_id, now=self.now)

    @rule()
    def hear_of_the_payments(self) -> None:
        for payment in Payment.objects.filter(state=PaymentState.OPEN).order_by("created_at"):
            with suppress(gateway.GatewayError):
                checkout.sync_payment(payment_id=payment.id, now=self.now)

    @rule()
    def send_the_refunds(self) -> None:
        for refund_id in reconciliation.due_refunds(now=self.now):
            with suppress(gateway.GatewayError):
                refunds.submit(refund_id=refund_id, now=self.now)

    @rule()
    def remind(self) -> None:
        reminders.owe(now=self.now)

    @rule()
    def look_at_the_lamps(self) -> None:
        lights.look(now=self.now)

    @rule(kind=st.sampled_from(["lost_answer", "lost_request", "error"]))
    def break_the_next_call(self, kind: str) -> None:
        more = {"status": 503} if kind == "error" else {}
        self.processor.fail(kind, times=1, **more)

    @rule(job=st.sampled_from(sorted(JOBS)), which=st.integers(0, 99), writes=st.integers(1, 9))
    def somebody_dies(self, job: str, which: int, writes: int) -> None:
        """A worker or a page dies after so many rows that it wrote; see `Death`."""
        needs, do = JOBS[job]
        if needs is not None and not self._any(state=needs):
            return
        written = itertools.count(1)

        def watch(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
            answer = execute(sql, *more)
            if WRITES.match(sql) and next(written) == writes:
                raise Death
            return answer

        with connection.execute_wrapper(watch):
            try:
                do(self, which)
            except Death:
                event(f"died while at {job}")

    def _grid(self) -> datetime:
        """Return the next start on the grid."""
        past = timedelta(minutes=self.now.minute % 5)
        return self.now - past + timedelta(minutes=5 if past else 0)

    def _any(self, **state: str) -> bool:
        return Slot.objects.filter(**state).exists()

    def _one(self, which: int, **state: str) -> Slot:
        slots = list(Slot.objects.filter(**state).select_related("booking").order_by("id"))
        return slots[which % len(slots)]

    # --- What must never be false

    @invariant()
    def nobody_shares_a_spot(self) -> None:
        by_spot: dict[int, list[Slot]] = defaultdict(list)
        for slot in Slot.objects.filter(state__in=LIVE_STATES).order_by("period"):
            by_spot[slot.spot_id].append(slot)
        for slots in by_spot.values():
            assert all(
                one.end <= other.start or one.booking_id == other.booking_id
                for one, other in pairwise(slots)
            )

    @invariant()
    def no_place_is_given_back_while_money_may_come(self) -> None:
        released = Slot.objects.filter(state=SlotState.RELEASED)
        assert not released.filter(payments__state=PaymentState.OPEN).exists()

    @invariant()
    def a_confirmed_slot_is_paid_exactly_or_free_with_a_reason(self) -> None:
        for slot in Slot.objects.filter(state=SlotState.CONFIRMED):
            paid = slot.payments.filter(state=PaymentState.PAID, is_orphan=False)
            captured = list(paid.values_list("captured", flat=True))
            assert captured == ([slot.amount] if slot.amount else [])
            assert slot.amount or slot.free_reason

    @invariant()
    def a_booking_is_one_stay_on_one_spot(self) -> None:
        for made in Booking.objects.all():
            stay = list(made.slots.filter(state=SlotState.CONFIRMED).order_by("period"))
            assert all(one.end == other.start for one, other in pairwise(stay))
            assert len({slot.spot_id for slot in stay}) <= 1
            assert made.slots.filter(state__in=PENDING_STATES).count() <= 1
            assert not stay or stay[0].kind != SlotKind.EXTENSION, "it has a stay before it"
            assert not stay or made.spot_id == stay[0].spot_id
            later = [slot.follows_id for slot in made.slots.exclude(kind=SlotKind.FIRST)]
            assert all(later), "a change or extension knows what it follows"

    @invariant()
    def money_has_a_place_or_goes_back(self) -> None:
        for payment in Payment.objects.filter(state=PaymentState.PAID).select_related("slot"):
            back = _back(payment)
            assert back <= payment.captured
            if payment.is_orphan:
                assert back == payment.captured
                assert payment.slot.state != SlotState.CONFIRMED
            elif payment.slot.state == SlotState.CONFIRMED:
                assert back == payment.slot.returned, "who still has the stay has paid for it"
            elif payment.slot.state == SlotState.REPLACED:
                assert back >= payment.slot.returned, "what a change made cheaper goes back"
            elif payment.slot.state != SlotState.CANCELLED:
                assert MoneyException.objects.filter(payment=payment).exists()

    @invariant()
    def whoever_loses_a_stay_is_written_to(self) -> None:
        """The letter is owed last in the transaction that also asks for the refunds."""
        for made in Booking.objects.filter(slots__state=SlotState.CANCELLED).distinct():
            assert made.mails.filter(kind=MailKind.CANCELLED).exists()

    @invariant()
    def a_stay_costs_what_its_tariff_says(self) -> None:
        for made in Booking.objects.all():
            stay = stay_of(locking.slots_of(made.pk))
            if stay.is_booked:
                minutes = (stay.end - stay.start) / timedelta(minutes=1)
                price = -(-minutes * 200 // 60)  # two euro an hour, rounded up
                assert stay.price == price
                paid = Payment.objects.filter(
                    slot__booking=made, state=PaymentState.PAID, is_orphan=False
                )
                assert sum(one.captured - _back(one) for one in paid) == price

    @invariant()
    def the_books_balance(self) -> None:
        check_books()


def _back(payment: Payment) -> int:
    alive = payment.refunds.exclude(state__in=DEAD_REFUND_STATES)
    return sum(alive.values_list("amount", flat=True))


@pytest.mark.django_db
@pytest.mark.parametrize("walks", [8, pytest.param(200, marks=pytest.mark.torture)])
def test_the_rules_hold_in_any_order_of_events(processor: Processor, walks: int) -> None:
    Kerb.processor = processor
    run_state_machine_as_test(
        Kerb,
        settings=settings(
            max_examples=walks,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
