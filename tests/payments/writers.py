"""Everybody who writes, at random and at once: processes on a few spots of one meter.

As in `tests.torture.crowd`, the turns that are taken are the clock.
"""

from __future__ import annotations

import multiprocessing
import random
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connections

from parking import any_spot, corrections, extension, holds, lights, refusals
from parking.models import LIVE_STATES, Slot, SlotState
from parking.terms import StayRefused
from payments import cancel, change, checkout, expiry, gateway, reconciliation, refunds, webhooks
from payments.models import Payment, PaymentState
from tests import cast
from tests.payments.processor import Processor
from tests.torture.crowd import Turns

STEP = timedelta(minutes=5)
A_TURN = timedelta(seconds=3)  # on the clock of this city
# What a rule says to somebody, or the processor: an answer, not an error.
ANSWERS = (refusals.BookingError, StayRefused, checkout.CheckoutError, gateway.GatewayError)
Action = Callable[["Writer"], Any]


@dataclass
class Writer:
    """One process that writes: its luck, its clock and what it writes on."""

    processor: Processor
    zone_id: int
    spots: Sequence[int]
    luck: random.Random
    now: datetime = cast.NOW

    def stay(self) -> dict[str, Any]:
        """Wish for a stay soon, so that all wish for the same."""
        now = self.now
        start = now - (now - cast.NOW) % STEP + STEP * self.luck.randint(1, 12)
        return {
            "start": start,
            "end": start + STEP * self.luck.randint(3, 12),
            "plate": f"CAR{self.luck.randint(1, 30)}",
            "email": f"guest{self.luck.randint(1, 50)}@example.org",
            "now": now,
        }

    def slot(self, *states: str) -> Slot | None:
        known = Slot.objects.filter(state__in=states).select_related("booking").order_by("?")
        return known.first()

    def payment(self) -> Payment | None:
        return Payment.objects.filter(state=PaymentState.OPEN).order_by("?").first()


def hold(writer: Writer) -> None:
    holds.hold(spot_id=writer.luck.choice(writer.spots), **writer.stay())


def hold_any(writer: Writer) -> None:
    any_spot.hold_any(zone_id=writer.zone_id, **writer.stay())


def open_page(writer: Writer) -> None:
    if slot := writer.slot(SlotState.HELD):
        checkout.start(slot_id=slot.pk, now=writer.now)


def pay(writer: Writer) -> None:
    if payment := writer.payment():
        writer.processor.pay(payment.session_id or "")
        checkout.sync_payment(payment_id=payment.id, now=writer.now)


def act_on_notices(writer: Writer) -> None:
    reconciliation.read_events(now=writer.now)
    for event_id in webhooks.due(now=writer.now, limit=5):
        webhooks.process(event_id=event_id, now=writer.now)


def extend(writer: Writer) -> None:
    if slot := writer.slot(SlotState.CONFIRMED):
        to = slot.end + STEP * writer.luck.randint(2, 8)
        extension.extend(booking_id=slot.booking_id, to=to, now=writer.now, actor="citizen")


def change_one(writer: Writer) -> None:
    if slot := writer.slot(SlotState.CONFIRMED):
        luck = writer.luck
        change.change_booking(
            reference=slot.booking.reference,
            spot_id=luck.choice(writer.spots),
            end=slot.end + STEP * luck.choice([-2, 0, 0, 3, 6]),
            now=writer.now,
            actor="citizen",
        )


def cancel_one(writer: Writer) -> None:
    if slot := writer.slot(SlotState.CONFIRMED):
        reference = slot.booking.reference
        cancel.cancel_booking(reference=reference, now=writer.now, actor="citizen")


def give_up(writer: Writer) -> None:
    if slot := writer.slot(SlotState.HELD):
        expiry.give_up(slot_id=slot.pk, now=writer.now, actor="citizen")


def correct(writer: Writer) -> None:
    if slot := writer.slot(*LIVE_STATES):
        plate = f"CAR{writer.luck.randint(1, 30)}"
        corrections.correct_plate(
            booking_id=slot.booking_id, plate=plate, now=writer.now, actor="citizen"
        )


def sweep(writer: Writer) -> None:
    for payment_id in expiry.sweep(now=writer.now):
        expiry.end_page(payment_id=payment_id, now=writer.now)


def send_refunds(writer: Writer) -> None:
    for refund_id in reconciliation.due_refunds(now=writer.now):
        refunds.submit(refund_id=refund_id, now=writer.now)


def look_at_lamps(writer: Writer) -> None:
    lights.look(now=writer.now)


OFTEN: tuple[Action, ...] = (
    *(hold, hold_any, open_page, open_page, pay, pay),
    *(extend, change_one, cancel_one, give_up, correct, sweep),
)
ALL: tuple[Action, ...] = (*OFTEN, *OFTEN, act_on_notices, send_refunds, look_at_lamps)


def run(
    processor: Processor, *, turns: Turns, zone_id: int, spots: Sequence[int], processes: int
) -> Counter[str]:
    """Let everybody write until all turns are taken; count what came of it, "action: outcome"."""
    context = multiprocessing.get_context("fork")
    results: Any = context.Queue()
    connections.close_all()  # a child must not inherit a live connection

    def write(number: int) -> None:
        connections.close_all()
        processor.use_new_connections()
        writer = Writer(processor, zone_id, spots, random.Random(number))
        came: Counter[str] = Counter()
        for turn in turns:
            writer.now = cast.NOW + A_TURN * turn
            came[_act(writer, writer.luck.choice(ALL))] += 1
        connections.close_all()
        results.put(came)

    crowd = [context.Process(target=write, args=(n,), daemon=True) for n in range(processes)]
    for member in crowd:
        member.start()
    whole: Counter[str] = Counter()
    for _ in crowd:
        whole += results.get(timeout=600)
    for member in crowd:
        member.join(30)
    return whole


def _act(writer: Writer, action: Action) -> str:
    try:
        action(writer)
    except ANSWERS as error:
        database = error.__cause__ and error.__cause__.__cause__  # what PostgreSQL said, if it did
        because = f" because of {type(database).__name__}" if database else ""
        return f"{action.__name__}: {type(error).__name__}{because}"
    except Exception as error:  # noqa: BLE001 (the test counts what must not happen)
        traceback.print_exc()  # shown when the test fails
        return f"{action.__name__}: ERROR {type(error).__name__}: {error}"
    return f"{action.__name__}: done"
