"""A process that is killed in the middle of its work leaves nothing half done.

It dies (kill -9) after the first row that it writes, then after the second, and so on until it
lives. What is one transaction has changed nothing until it has changed all; what is several is
finished by whoever comes next.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import re
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, connections, transaction

from parking import corrections, extension
from parking.models import Booking, Slot, SlotState, Spot
from payments import checkout, expiry, gateway, reconciliation, refunds, webhooks
from payments.cancel import cancel_booking
from payments.models import Payment, PaymentState, RefundState
from tests import cast
from tests.payments.processor import Processor
from tests.payments.promises import broken
from tests.payments.situations import a_paid_booking, an_open_payment, books, fresh, later
from tests.racing import Call, wait_until, waiting

NOW = cast.at(30)
_WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|WITH)\b")
_context = multiprocessing.get_context("fork")
pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def start(call: Call, *, dies_after: int | None = None) -> Any:
    """Make the call in a process of its own, that dies once it has written so many times."""

    def run() -> None:
        written = itertools.count(1)

        def watch(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
            answer = execute(sql, *more)
            if _WRITES.match(sql) and next(written) == dies_after:
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

        gateway._client_for.cache_clear()
        with connection.execute_wrapper(watch):
            call()
        connections.close_all()

    connections.close_all()  # a child must not inherit a live connection
    process = _context.Process(target=run, daemon=True)
    process.start()
    return process


def outlives(call: Call, dies_after: int) -> bool:
    """Make the call until it has written so many times; return whether it was done before."""
    process = start(call, dies_after=dies_after)
    process.join(30)
    wait_until(lambda: not others())
    assert process.exitcode in {0, -signal.SIGKILL}
    return bool(process.exitcode == 0)


def others() -> int:
    """Return how many connections to the database there are besides this one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


def rows() -> dict[str, list[Any]]:
    """Return all rows of both apps."""
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values_list())
        for app in ("parking", "payments")
        for model in apps.get_app_config(app).get_models()
    }


def dies_everywhere(call: Call) -> int:
    """Kill the call at each of its writes; return how many deaths it took until it was done."""
    before = rows()
    for deaths in itertools.count():
        if outlives(call, dies_after=deaths + 1):
            assert rows() != before
            assert broken() == []
            return deaths
        assert rows() == before, f"half done after {deaths + 1} writes"
    raise AssertionError


@pytest.fixture
def spot() -> Spot:
    zone = cast.a_zone()
    return cast.a_spot(zone, meter=cast.a_meter(zone), position=1)


# --- What is one transaction


def test_a_hold_of_a_free_stay_is_whole_or_nothing() -> None:
    zone = cast.a_zone(tariff=cast.FREE_OF_CHARGE, most_stays_ahead=3)
    spot = cast.a_spot(zone, meter=cast.a_meter(zone), position=1)
    assert dies_everywhere(lambda: cast.a_hold(spot)) >= 3
    assert Slot.objects.get().state == SlotState.CONFIRMED


def test_a_payment_that_arrives_is_whole_or_nothing(spot: Spot, processor: Processor) -> None:
    payment = an_open_payment(spot)
    processor.pay(payment.session_id or "")
    session = gateway.retrieve_session(payment.session_id or "")
    deaths = dies_everywhere(
        lambda: checkout.apply(payment=payment, session=session, now=cast.at(2))
    )
    assert deaths >= 5
    assert fresh(payment).state == PaymentState.PAID
    assert [kind for kind, _lines in books()] == ["capture", "fee"]


def test_an_extension_is_whole_or_nothing(spot: Spot, processor: Processor) -> None:
    stay = a_paid_booking(spot, processor).slot
    deaths = dies_everywhere(
        lambda: extension.extend(
            booking_id=stay.booking_id, to=cast.at(120), now=NOW, actor="citizen"
        )
    )
    assert deaths >= 2
    assert stay.booking.slots.count() == 2


def test_a_cancellation_is_whole_or_nothing(spot: Spot, processor: Processor) -> None:
    stay = a_paid_booking(spot, processor)
    reference = stay.slot.booking.reference
    deaths = dies_everywhere(lambda: cancel_booking(reference=reference, now=NOW, actor="citizen"))
    assert deaths >= 4
    assert stay.refunds.get().amount == 100, "half of the hour"


def test_a_correction_is_whole_or_nothing(spot: Spot, processor: Processor) -> None:
    stay = a_paid_booking(spot, processor).slot
    deaths = dies_everywhere(
        lambda: corrections.correct_plate(
            booking_id=stay.booking_id, plate="XYZ987", now=NOW, actor="citizen"
        )
    )
    assert deaths >= 2
    assert fresh(stay.booking).plate == "XYZ987"


def test_two_writes_without_a_transaction_are_seen_half_done(spot: Spot) -> None:
    """The control: a booking is written, and then its slot."""
    with pytest.raises(AssertionError, match="half done after 1 writes"):
        dies_everywhere(lambda: cast.an_unguarded_slot(spot.pk))


# --- What waits while it is killed


def killed_while_it_waits(spot: Spot, call: Call) -> None:
    """Kill the call while it waits for the spot; then free the spot, and let the server go on."""
    gate = _context.Event()
    process = start(lambda: gate.wait(30) and call())
    with transaction.atomic():
        Spot.objects.select_for_update(no_key=True).get(id=spot.pk)
        gate.set()
        wait_until(lambda: waiting() == 1)
        process.kill()
        process.join(30)
    wait_until(lambda: not others())


def test_a_hold_whose_maker_is_gone_is_whole_and_runs_out(spot: Spot) -> None:
    """Its statement is with the server, which may still write it: then all of it."""
    killed_while_it_waits(spot, lambda: cast.a_hold(spot))
    assert Booking.objects.count() == Slot.objects.count() <= 1
    expiry.sweep(now=cast.at(10))
    assert not Slot.objects.live().exists()
    assert cast.a_hold(spot).state == SlotState.HELD


def test_a_cancellation_whose_maker_is_gone_has_not_been(spot: Spot, processor: Processor) -> None:
    reference = a_paid_booking(spot, processor).slot.booking.reference
    before = rows()
    killed_while_it_waits(
        spot, lambda: cancel_booking(reference=reference, now=NOW, actor="citizen")
    )
    assert rows() == before
    assert cancel_booking(reference=reference, now=NOW, actor="citizen").refunded == 100


# --- What is several transactions, with the processor asked between them


def each_death(prepare: Callable[[int], Call]) -> Iterator[None]:
    """Kill the call of each newly prepared situation one write later; yield after each death."""
    for deaths in itertools.count():
        if outlives(prepare(deaths), dies_after=deaths + 1):
            assert deaths >= 2
            return
        yield


@pytest.fixture
def street() -> list[Spot]:
    """A free spot for each death."""
    zone = cast.a_zone()
    return [cast.a_spot(zone, f"K-{number}") for number in range(30)]


@pytest.mark.parametrize("is_paid", [False, True])
def test_the_end_of_a_hold_is_finished_by_the_next_sweep(
    street: list[Spot], processor: Processor, is_paid: bool
) -> None:
    def prepare(number: int) -> Call:
        payment = an_open_payment(street[number])
        if is_paid:
            processor.pay(payment.session_id or "")
        return lambda: end_holds(10)

    for _ in each_death(prepare):
        assert broken() == []
        assert not Slot.objects.filter(state=SlotState.RELEASED, payments__state="open").exists()
        end_holds(12)  # the dead one's claim is over
        payment = Payment.objects.latest("created_at", "id")
        wanted = ("paid", "confirmed") if is_paid else ("expired", "released")
        assert (payment.state, payment.slot.state) == wanted
    assert broken() == []


def end_holds(minutes: float) -> None:
    for payment_id in expiry.sweep(now=cast.at(minutes)):
        expiry.end_page(payment_id=payment_id, now=cast.at(minutes))


def test_a_notice_is_acted_on_by_the_next_who_looks(
    street: list[Spot], processor: Processor
) -> None:
    def prepare(number: int) -> Call:
        payment = an_open_payment(street[number])
        processor.pay(payment.session_id or "")
        event = processor.events("checkout.session.completed")[-1]
        processor.deliver(event)
        return lambda: webhooks.process(event_id=event["id"], now=later(0))

    for _ in each_death(prepare):
        assert broken() == []
        for event_id in webhooks.due(now=later(1)):
            assert webhooks.process(event_id=event_id, now=later(1))
        payment = Payment.objects.latest("created_at", "id")
        assert (payment.state, payment.slot.state) == (PaymentState.PAID, SlotState.CONFIRMED)
    kinds = [kind for kind, _lines in books()]
    assert kinds.count("capture") == Payment.objects.count()
    assert broken() == []


def test_a_refund_is_sent_once_although_its_sender_died(
    street: list[Spot], processor: Processor
) -> None:
    def prepare(number: int) -> Call:
        stay = a_paid_booking(street[number], processor, start=cast.at(60))
        reference = stay.slot.booking.reference
        [refund_id] = cancel_booking(reference=reference, now=NOW, actor="citizen").refund_ids
        return lambda: refunds.submit(refund_id=refund_id, now=NOW)

    for deaths, _ in enumerate(each_death(prepare), start=1):
        for refund_id in reconciliation.due_refunds(now=cast.at(40)):
            refunds.submit(refund_id=refund_id, now=cast.at(40))
        assert Payment.objects.filter(refunds__state=RefundState.SUCCEEDED).count() == deaths
        assert len(processor.all("refunds")) == deaths
    assert broken() == []
