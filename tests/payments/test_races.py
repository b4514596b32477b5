"""Several at once, on real connections: what must happen once happens once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier, Event, Thread
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from parking import extension, locking, refusals
from parking.models import BookingEvent, Slot, SlotState, Spot
from payments import checkout, expiry, gateway, ledger, proof, refunds, states, tasks, webhooks
from payments.cancel import cancel_booking
from payments.models import (
    LedgerEntry,
    Payment,
    PaymentState,
    Refund,
    RefundReason,
    WebhookEvent,
)
from tests import cast
from tests.payments.processor import Processor
from tests.payments.situations import (
    a_paid_booking,
    an_open_payment,
    books,
    fresh,
    later,
    take_away,
)

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Make the calls at the same moment, each on its own connection; return or catch each."""
    start = Barrier(len(calls))

    def one(call: Callable[[], Any]) -> Any:
        start.wait(10)
        try:
            return call()
        except Exception as error:  # noqa: BLE001  (the tests look at each)
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


def test_two_tabs_that_pay_at_once_get_one_page(processor: Processor) -> None:
    slot = cast.a_hold(cast.a_spot(cast.a_zone()))
    urls = at_once(*[lambda: checkout.start(slot_id=slot.pk, now=cast.at(1))] * 4)
    assert len(set(urls)) == 1
    assert urls[0].startswith(processor.base)
    assert len(processor.all("checkout/sessions")) == 1
    assert Payment.objects.count() == 1


def test_all_who_learn_of_a_payment_at_once_book_it_once(processor: Processor) -> None:
    payment = an_open_payment(cast.a_spot(cast.a_zone()))
    processor.pay(payment.session_id)
    answers = at_once(
        *[lambda: checkout.sync_payment(payment_id=payment.id, now=cast.at(2))] * 3,
        lambda: expiry.end_page(payment_id=payment.id, now=cast.at(2)),
    )
    assert [getattr(answer, "state", answer) for answer in answers] == ["paid"] * 4
    assert [kind for kind, _ in books()] == ["capture", "fee"]
    assert BookingEvent.objects.filter(kind="confirmed").count() == 1


@pytest.mark.parametrize("attempt", range(6))
def test_paying_while_the_hold_ends_is_paid_and_booked_or_neither(
    processor: Processor, attempt: int
) -> None:
    payment = an_open_payment(cast.a_spot(cast.a_zone()))
    expiry.sweep(now=cast.at(10))
    paid, ended = at_once(
        lambda: processor.pay(payment.session_id),
        lambda: expiry.end_page(payment_id=payment.id, now=cast.at(10)),
    )
    assert isinstance(ended, Payment)
    slot, payment = fresh(payment.slot), fresh(payment)
    if paid == "paid":
        assert (payment.state, slot.state) == (PaymentState.PAID, SlotState.CONFIRMED)
    else:
        assert (payment.state, slot.state) == (PaymentState.EXPIRED, SlotState.RELEASED)
    assert not Refund.objects.exists()


def test_late_money_and_another_hold_leave_one_of_them_with_the_place(
    processor: Processor,
) -> None:
    spot = cast.a_spot(cast.a_zone())
    payment = an_open_payment(spot)
    processor.pay(payment.session_id)
    slot = payment.slot
    with transaction.atomic():
        take_away(slot, cast.at(11))
    synced, held = at_once(
        lambda: checkout.sync_payment(payment_id=payment.id, now=cast.at(12)),
        lambda: cast.a_hold(spot, start=cast.at(15), now=cast.at(12)),
    )
    if isinstance(held, refusals.SpotTaken):
        assert fresh(slot).state == SlotState.CONFIRMED
        assert not synced.is_orphan
    else:
        assert fresh(held).state == SlotState.HELD
        assert fresh(slot).state == SlotState.RELEASED
        assert synced.is_orphan
        assert Refund.objects.get().amount == synced.captured


def test_cancelling_twice_at_once_refunds_once(processor: Processor) -> None:
    payment = a_paid_booking(cast.a_spot(cast.a_zone()), processor, start=cast.at(60))
    reference = payment.slot.booking.reference
    answers = at_once(
        *[lambda: cancel_booking(reference=reference, now=cast.at(5), actor="citizen")] * 3
    )
    assert sorted(type(answer).__name__ for answer in answers) == [
        "Cancelled",
        "WrongState",
        "WrongState",
    ]
    assert Refund.objects.get().amount == 200


def test_two_workers_that_send_a_refund_send_one(processor: Processor) -> None:
    payment = a_paid_booking(cast.a_spot(cast.a_zone()), processor, start=cast.at(60))
    done = cancel_booking(reference=payment.slot.booking.reference, now=cast.at(5), actor="citizen")
    at_once(*[lambda: refunds.submit(refund_id=done.refund_ids[0], now=cast.at(5))] * 3)
    assert Refund.objects.get().state == "succeeded"
    assert len(processor.all("refunds")) == 1
    assert [kind for kind, _ in books()].count("refund") == 1


def test_officers_who_refund_at_once_cannot_exceed_what_came_in(processor: Processor) -> None:
    payment = a_paid_booking(cast.a_spot(cast.a_zone()), processor)

    def ask() -> Refund:
        with transaction.atomic():
            locking.lock_slot(payment.slot_id)
            return refunds.request(
                payment=states.lock_payment(payment.id),
                amount=150,
                reason=RefundReason.OPERATOR,
                actor="user:1",
                now=cast.at(5),
            )

    answers = at_once(ask, ask, ask)
    assert [isinstance(answer, refunds.OverRefund) for answer in answers].count(True) == 2
    assert Refund.objects.get().amount == 150


def test_a_notice_that_comes_many_times_at_once_is_stored_once(processor: Processor) -> None:
    payment = an_open_payment(cast.a_spot(cast.a_zone()))
    processor.pay(payment.session_id)
    [event] = processor.events("checkout.session.completed")
    assert at_once(*[lambda: processor.deliver(event)] * 6) == [200] * 6
    assert WebhookEvent.objects.count() == 1


def test_workers_that_get_the_same_notice_act_on_it_once(processor: Processor) -> None:
    payment = an_open_payment(cast.a_spot(cast.a_zone()))
    processor.pay(payment.session_id)
    [event] = processor.events("checkout.session.completed")
    processor.deliver(event)
    processor.fail("latency", method="GET", seconds=0.5)
    answers = at_once(
        *[lambda: webhooks.process(event_id=event["id"], now=later(1))] * 3,
    )
    assert [answer.is_matched for answer in answers if answer] == [True]


def test_sealing_from_several_workers_leaves_no_gap(processor: Processor) -> None:
    zone = cast.a_zone()
    payments = [an_open_payment(cast.a_spot(zone, f"K-{n}")) for n in range(6)]
    for payment in payments:
        processor.pay(payment.session_id)

    def sync(payment: Payment) -> Callable[[], Any]:
        return lambda: checkout.sync_payment(payment_id=payment.id, now=cast.at(2))

    answers = at_once(*[sync(payment) for payment in payments], *[ledger.seal] * 4)
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    ledger.seal()
    numbers = LedgerEntry.objects.order_by("number").values_list("number", flat=True)
    assert list(numbers) == list(range(1, 13))
    assert proof.first_broken() is None


def test_the_gateway_is_never_asked_inside_a_transaction(
    processor: Processor, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    ask = gateway._ask

    def watch(call: Any) -> Any:
        asked.append(connection.in_atomic_block)
        return ask(call)

    monkeypatch.setattr(gateway, "_ask", watch)
    payment = a_paid_booking(cast.a_spot(cast.a_zone()), processor, start=cast.at(60))
    done = cancel_booking(reference=payment.slot.booking.reference, now=cast.at(5), actor="citizen")
    refunds.submit(refund_id=done.refund_ids[0], now=cast.at(5))
    assert len(asked) == 3
    assert not any(asked)


@contextmanager
def somebody_at(spot: Spot) -> Iterator[None]:
    """Hold the spot's lock on another connection, and let nobody wait long for it."""
    is_locked, is_over = Event(), Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                Spot.objects.select_for_update().get(id=spot.pk)
                is_locked.set()
                is_over.wait(20)
        finally:
            connection.close()

    other = Thread(target=hold)
    other.start()
    is_locked.wait(10)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '50ms'")
    try:
        yield
    finally:
        is_over.set()
        other.join()
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")


def test_a_crowd_at_the_spot_is_told_and_nothing_is_lost(
    processor: Processor, client: Client
) -> None:
    now = timezone.now()
    processor.stand_at(now)
    spot = cast.a_spot(cast.a_zone())
    start = (now + timedelta(hours=2)).replace(minute=0, second=0, microsecond=0)
    payment = a_paid_booking(spot, processor, start=start, now=now)
    reference = payment.slot.booking.reference
    client.get(f"/bookings/{reference}/", {"key": payment.slot.booking.access_key})
    with somebody_at(spot):
        for name, form in (("pay/", {}), ("give-up/", {}), ("cancel/", {"told": "200"})):
            answer = client.post(f"/bookings/{reference}/{name}", form, follow=True)
            assert (answer.status_code, answer["Retry-After"]) == (409, "1")
            assert "try again in a moment" in answer.content.decode()
        with pytest.raises(refusals.Busy):
            cancel_booking(reference=reference, now=now, actor="citizen")
    assert fresh(payment.slot).state == SlotState.CONFIRMED
    assert not Refund.objects.exists()


def test_a_crowd_at_the_spot_delays_the_work_of_tasks_and_loses_none(
    processor: Processor,
) -> None:
    spot = cast.a_spot(cast.a_zone())
    payment = an_open_payment(spot)
    processor.pay(payment.session_id)
    processor.deliver(processor.events("checkout.session.completed")[0])
    with somebody_at(spot):
        tasks.sync_payment(str(payment.id))
        tasks.end_page(str(payment.id))
        assert not webhooks.process(event_id=WebhookEvent.objects.get().event_id, now=later(1))
    assert fresh(payment).state == PaymentState.OPEN
    assert webhooks.process(event_id=WebhookEvent.objects.get().event_id, now=later(3))
    assert fresh(payment).state == PaymentState.PAID


@pytest.mark.parametrize("attempt", range(6))
def test_an_extension_and_the_next_booking_never_both_have_the_time(attempt: int) -> None:
    spot = cast.a_spot(cast.a_zone())
    [first] = cast.a_stay(spot, 60)
    calls: list[Callable[[], Any]] = [
        lambda: extension.extend(
            booking_id=first.booking_id, to=cast.at(120), now=cast.at(30), actor="citizen"
        ),
        lambda: cast.a_hold(spot, cast.at(60), 60, now=cast.at(30)),
    ]
    answers = at_once(*(calls if attempt % 2 else reversed(calls)))
    assert sorted(type(answer).__name__ for answer in answers) == ["Slot", "SpotTaken"]
    assert Slot.objects.live().count() == 2


def test_two_extensions_at_once_are_one() -> None:
    [first] = cast.a_stay(cast.a_spot(cast.a_zone()), 60)
    answers = at_once(
        *[
            lambda: extension.extend(
                booking_id=first.booking_id, to=cast.at(90), now=cast.at(30), actor="citizen"
            )
        ]
        * 4
    )
    names = sorted(type(answer).__name__ for answer in answers)
    assert names == ["ChangePending"] * 3 + ["Slot"]


@pytest.mark.parametrize("attempt", range(4))
def test_cancelling_while_an_extension_is_asked_leaves_no_paid_time_without_a_stay(
    processor: Processor, attempt: int
) -> None:
    payment = a_paid_booking(cast.a_spot(cast.a_zone()), processor)
    reference, booking_id = payment.slot.booking.reference, payment.slot.booking_id
    calls: list[Callable[[], Any]] = [
        lambda: extension.extend(
            booking_id=booking_id, to=cast.at(90), now=cast.at(30), actor="citizen"
        ),
        lambda: cancel_booking(reference=reference, now=cast.at(30), actor="citizen"),
    ]
    at_once(*(calls if attempt % 2 else reversed(calls)))
    states_now = set(Slot.objects.values_list("state", flat=True))
    assert SlotState.CANCELLED in states_now
    assert not states_now & {SlotState.HELD, SlotState.CONFIRMED}
