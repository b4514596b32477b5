"""A payment costs the database and the workers no more than it must."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from parking.models import Slot, Spot
from payments import checkout, tasks
from payments.models import Payment, PaymentState
from tests import cast
from tests.payments.processor import Processor
from tests.payments.situations import an_open_payment, fresh


@pytest.fixture
def nudged(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """The tasks that were enqueued, each with its arguments."""
    messages: list[tuple[str, Any]] = []

    def enqueue(task: Any, args: Any = (), **_options: Any) -> None:
        messages.append((task.name, tuple(args)))

    monkeypatch.setattr("celery.app.task.Task.apply_async", enqueue)
    return messages


def test_opening_the_page_takes_eight_statements(spot: Spot, processor: Processor) -> None:
    slot = cast.a_hold(spot)
    done = statements(
        lambda: checkout.start(slot_id=slot.pk, booking_id=slot.booking_id, now=cast.at(1))
    )
    assert len(done) == 8, done
    assert slot.payments.get().state == PaymentState.OPEN


def test_a_notice_that_confirms_takes_thirteen_statements(spot: Spot, processor: Processor) -> None:
    payment, event_id = a_paid_notice(spot, processor)
    done = statements(lambda: tasks.process_event(event_id))
    assert len(done) == 13, done
    assert fresh(payment).state == PaymentState.PAID
    assert fresh(payment).fee is not None


def test_a_confirmed_booking_nudges_its_letter_and_its_own_meter(
    spot: Spot, processor: Processor, nudged: list[tuple[str, Any]]
) -> None:
    meter = cast.a_meter(spot.zone)
    Spot.objects.filter(id=spot.pk).update(meter=meter, position=1)
    _payment, event_id = a_paid_notice(spot, processor)
    nudged.clear()
    tasks.process_event(event_id)
    assert nudged == [("payments.send_mail", ()), ("parking.ship_command", (meter.pk,))]


def test_a_spot_without_a_meter_nudges_none(
    spot: Spot, processor: Processor, nudged: list[tuple[str, Any]]
) -> None:
    _payment, event_id = a_paid_notice(spot, processor)
    nudged.clear()
    tasks.process_event(event_id)
    assert nudged == [("payments.send_mail", ())]


def test_what_has_confirmed_nothing_nudges_nothing(
    spot: Spot, processor: Processor, nudged: list[tuple[str, Any]]
) -> None:
    unpaid = an_open_payment(cast.a_spot(spot.zone, "K-2"))
    payment, event_id = a_paid_notice(spot, processor)
    checkout.sync_payment(payment_id=payment.id, now=payment.created_at)
    nudged.clear()
    tasks.process_event(event_id)  # the return page was faster
    tasks.sync_payment(str(payment.id))
    tasks.sync_payment(str(unpaid.id))
    tasks.end_page(str(unpaid.id))
    assert nudged == []
    assert fresh(unpaid).state == PaymentState.EXPIRED
    assert Slot.objects.get(payments=payment).state == "confirmed"


def a_paid_notice(spot: Spot, processor: Processor) -> tuple[Payment, str]:
    """Pay for the spot; return the payment and the notice of it that waits to be acted on."""
    now = timezone.now()
    processor.stand_at(now)  # tasks ask the clock themselves
    start = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)
    payment = an_open_payment(spot, start=start, now=now)
    assert processor.pay(payment.session_id or "") == "paid"
    [event] = processor.events("checkout.session.completed")
    assert processor.deliver(event) == 200
    return payment, str(event["id"])


def statements(act: Callable[[], Any]) -> list[str]:
    """Do it; return what the database was asked, without the savepoints."""
    with CaptureQueriesContext(connection) as captured:
        act()
    asked = [query["sql"] for query in captured.captured_queries]
    return [sql for sql in asked if not sql.startswith(("SAVEPOINT", "RELEASE SAVEPOINT"))]
