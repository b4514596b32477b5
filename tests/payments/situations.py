"""Situations of money, by name, made through the public rules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from parking import booking, locking
from parking.models import Slot, Spot
from payments import checkout, webhooks
from payments.models import LedgerEntry, Payment, WebhookEvent
from tests import cast
from tests.payments.processor import Processor


def an_open_payment(spot: Spot, **hold: Any) -> Payment:
    """Hold the spot and open the processor's page for it."""
    slot = cast.a_hold(spot, **hold)
    checkout.start(slot_id=slot.pk, now=slot.created_at)
    return slot.payments.get()


def a_paid_booking(
    spot: Spot, processor: Processor, *, card: str = "4242424242424242", **hold: Any
) -> Payment:
    """Hold, pay and confirm."""
    payment = an_open_payment(spot, **hold)
    assert processor.pay(payment.session_id or "", card) == "paid"
    return checkout.sync_payment(payment_id=payment.id, now=payment.created_at)


@contextmanager
def taken_back() -> Iterator[None]:
    """Undo in the end whatever was written, as Django does after each of its own tests."""
    frame = transaction.atomic()
    frame._from_testcase = True  # type: ignore[attr-defined]  # no other lets the gateway ask
    with frame:
        yield
        transaction.set_rollback(True)


def books() -> list[tuple[str, dict[str, int]]]:
    """Return every entry's kind with what it moved on each account, in the order of posting."""
    return [
        (entry.kind, {line.account: line.amount for line in entry.lines.all()})
        for entry in LedgerEntry.objects.order_by("id").prefetch_related("lines")
    ]


def act_on_events(now: datetime) -> None:
    """Do what the workers do with stored events."""
    for event_id in webhooks.due(now=now):
        webhooks.process(event_id=event_id, now=now)


def check_books() -> None:
    """Run the deferred checks now, as the end of the transaction would."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def fresh(row: Any) -> Any:
    """Read a row again."""
    return type(row)._default_manager.get(pk=row.pk)


def everything() -> dict[str, list[Any]]:
    """Return the rows that matter, without the marks of when they were looked at."""
    return {
        "slots": list(Slot.objects.order_by("id").values_list("id", "state")),
        "payments": list(
            Payment.objects.order_by("id").values_list(
                "id", "state", "captured", "fee", "is_orphan"
            )
        ),
        "books": books(),
        "events": sorted(WebhookEvent.objects.values_list("event_id", flat=True)),
    }


def take_away(slot: Slot, now: datetime) -> None:
    """Release a slot although its payment is open, as an officer can."""
    held = locking.lock_slot(slot.pk)
    booking.begin_expiry(slot=held, now=now, actor="officer")
    booking.release(slot=held, now=now, actor="officer")


def later(hours: int) -> datetime:
    """Return a moment at which what arrived just now is due; arrivals have the real time."""
    return timezone.now() + timedelta(hours=hours)
