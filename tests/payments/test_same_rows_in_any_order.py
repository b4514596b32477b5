"""Every notice one to three times, in any order, any of them lost, then reconciled: the same rows.

One story is told to the processor once. Then its notices reach the site again and again, each
time otherwise, and the database is compared row by row with that of the first time.
"""

from __future__ import annotations

import json
import os
import random
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import stripe  # noqa: TID251  (signs notices as the processor does)

from parking import extension
from parking.models import Booking, BookingEvent, Slot
from payments import checkout, gateway, reconciliation, refunds, webhooks
from payments.cancel import cancel_booking
from payments.models import (
    Dispute,
    LedgerEntry,
    Mail,
    MoneyException,
    Payment,
    Payout,
    PayoutPart,
    Refund,
    WebhookEvent,
)
from tests import cast
from tests.payments.processor import SECRET, Processor
from tests.payments.seventeen import at_any_moment
from tests.payments.situations import (
    a_paid_booking,
    an_open_payment,
    check_books,
    take_away,
    taken_back,
)

HEARD = cast.NOW + timedelta(days=2.5)  # when all notices arrive
DISPUTED, AT_ONCE = "4000000000000259", "4000000000000077"
REFUND_PENDS, REFUND_FAILS = "4000000000007726", "4000000000005126"
# When something was looked at, and numbers that follow the order of posting.
LEFT_OUT = {"id", "number", "hash", "previous_hash", "checked_at", "next_check_at"}
LEFT_OUT |= {"checks_failed", "tries", "next_try_at", "processed_at", "is_tied"}

Rows = dict[str, list[Any]]


def a_story(processor: Processor) -> None:
    """Everything that can happen to a payment, most of it unheard by the site."""
    zone = cast.a_zone(longest_stay_min=720)
    spots = [cast.a_spot(zone, f"K-{n}") for n in range(11)]
    stay = {"start": cast.at(3 * 24 * 60), "minutes": 600}

    def open_and_pay(spot: int, card: str = "4242424242424242") -> Payment:
        payment = an_open_payment(spots[spot], **stay)
        processor.pay(payment.session_id or "", card)
        return payment

    def heard_and_cancelled(spot: int, card: str) -> None:
        payment = a_paid_booking(spots[spot], processor, card=card, **stay)
        reference = payment.slot.booking.reference
        done = cancel_booking(reference=reference, now=cast.at(2), actor="citizen")
        refunds.submit(refund_id=done.refund_ids[0], now=cast.at(3))

    open_and_pay(0)
    heard_and_cancelled(1, REFUND_PENDS)
    heard_and_cancelled(2, REFUND_FAILS)
    expired = an_open_payment(spots[3], **stay)
    gateway.expire_session(expired.session_id or "")
    open_and_pay(4, "4000000000000002")  # declined: the page stays open
    for spot, how in ((5, "won"), (6, "lost")):
        open_and_pay(spot, DISPUTED)
        newest = processor.all("disputes")[-1]["id"]
        processor.control(f"disputes/{newest}/close", status=how)
    open_and_pay(7)
    charge = processor.all("charges")[-1]["id"]
    for amount in (30, 50):
        processor.post("refunds", charge=charge, amount=amount)
    longer = a_paid_booking(spots[8], processor, **stay)
    more = extension.extend(
        booking_id=longer.slot.booking_id,
        to=longer.slot.end + timedelta(minutes=30),
        now=cast.at(4),
        actor="citizen",
    )
    checkout.start(slot_id=more.pk, now=cast.at(4))
    processor.pay(more.payments.get().session_id or "")
    late = open_and_pay(9)
    take_away(late.slot, cast.at(5))
    a_paid_booking(spots[9], processor, **stay)
    back_in_time = open_and_pay(10, AT_ONCE)
    take_away(back_in_time.slot, cast.at(5))
    processor.stand_at(cast.NOW + timedelta(days=2.1))
    processor.control("payouts", fails=True, arrives_in=60)
    processor.stand_at(cast.NOW + timedelta(days=2.2))
    processor.control("payouts")
    processor.stand_at(HEARD)


def hear(processor: Processor, notices: list[dict[str, Any]], rng: random.Random) -> None:
    """Bring the notices in this order, acting on them now and then; reconcile at the end."""
    for notice in notices:
        body = json.dumps(notice).encode()
        stamp = int(time.time())
        signed = stripe.WebhookSignature._compute_signature(f"{stamp}.{body.decode()}", SECRET)
        webhooks.receive(body=body, signature=f"t={stamp},v1={signed}", now=HEARD)
        if rng.random() < 0.3:
            act()
    act()
    runs = [
        reconciliation.read_events,
        reconciliation.compare_balance,
        reconciliation.compare_payouts,
    ]
    rng.shuffle(runs)
    for run in [*runs, *runs]:
        run(now=HEARD)
        act()


def act() -> None:
    for event_id in webhooks.due(now=HEARD):
        webhooks.process(event_id=event_id, now=HEARD)


def rows() -> Rows:
    """Return every row that matters, in the words of the processor where keys are made anew."""
    check_books()
    known = {refund.pk: refund.refund_id or "ours" for refund in Refund.objects.all()}

    def of(model: Any, **more: Any) -> list[Any]:
        return sorted(
            (
                {
                    name: str(known.get(value, value) if isinstance(value, UUID) else value)
                    for name, value in vars(row).items()
                    if not name.startswith("_") and name not in LEFT_OUT | set(more)
                }
                for row in model.objects.all()
            ),
            key=str,
        )

    entries = [
        (entry.key, sorted((line.account, line.amount) for line in entry.lines.all()))
        for entry in LedgerEntry.objects.order_by("key").prefetch_related("lines")
    ]
    return {
        "bookings": of(Booking),
        "slots": of(Slot),
        "history": sorted(BookingEvent.objects.values_list("slot", "kind", "actor", "reason")),
        "payments": of(Payment),
        "refunds": of(Refund, idempotency_key=True),
        "disputes": of(Dispute),
        "payouts": of(Payout),
        "parts": of(PayoutPart, payout_id=True),
        "entries": of(LedgerEntry),
        "lines": entries,
        "exceptions": of(MoneyException, opened_at=True),
        "letters": sorted(Mail.objects.values_list("key", flat=True)),
        "matched": sorted(
            WebhookEvent.objects.filter(type__in=webhooks.FOLLOWED_TYPES).values_list(
                "event_id", "is_matched"
            )
        ),
    }


def compare_orders(processor: Processor, orders: int) -> None:
    a_story(processor)
    told = processor.every("events")
    with taken_back():
        hear(processor, told, random.Random(0))
        expected = rows()
        assert at_any_moment() == []
        assert reconciliation.compare_balance(now=HEARD).agrees
        assert {len(expected[name]) for name in ("disputes", "payouts")} == {2}
        assert len(expected["entries"]) > 30
    for seed in range(1, orders):
        rng = random.Random(seed)
        notices = [event for event in told for _ in range(rng.randint(1, 3))]
        rng.shuffle(notices)
        if seed % 3:
            kept = rng.choice([0.0, 0.2, 0.7])
            lost = {event["id"] for event in told if rng.random() > kept}
            notices = [event for event in notices if event["id"] not in lost]
        with taken_back():
            hear(processor, notices, rng)
            got = rows()
            for name, content in expected.items():
                assert got[name] == content, f"{name} differ, seed {seed}"


@pytest.mark.django_db
def test_the_database_is_the_same_whatever_the_order_of_events(processor: Processor) -> None:
    compare_orders(processor, 3)


@pytest.mark.torture
@pytest.mark.django_db
def test_the_database_is_the_same_in_many_more_orders(processor: Processor) -> None:
    compare_orders(processor, int(os.environ.get("ORDERS") or "200"))
