"""What notices did not bring is found again, and the books agree with the processor."""

import pytest

from parking.models import SlotState, Spot
from payments import gateway, reconciliation, refunds, tasks
from payments.cancel import cancel_booking
from payments.models import MoneyException, PaymentState, Reconciliation, Refund, WebhookEvent
from tests import cast
from tests.payments.processor import Processor
from tests.payments.situations import (
    a_paid_booking,
    act_on_events,
    an_open_payment,
    books,
    fresh,
    later,
)


def test_events_that_were_never_delivered_are_read_and_acted_on(
    spot: Spot, processor: Processor
) -> None:
    payment = an_open_payment(spot)
    processor.pay(payment.session_id)
    assert reconciliation.read_events(now=cast.at(3)) == 1
    act_on_events(cast.at(4))
    assert fresh(payment.slot).state == SlotState.CONFIRMED
    assert reconciliation.read_events(now=cast.at(18)) == 0
    run = Reconciliation.objects.first()
    assert (run.kind, run.reached_at, run.seen, run.found) == ("events", cast.at(18), 1, 0)


def test_a_reading_that_broke_off_is_read_again(spot: Spot, processor: Processor) -> None:
    payment = an_open_payment(spot)
    reconciliation.read_events(now=cast.at(1))
    processor.pay(payment.session_id)
    processor.fail("error", "/v1/events", method="GET", status=500)
    with pytest.raises(gateway.GatewayError):
        reconciliation.read_events(now=cast.at(15))
    assert Reconciliation.objects.first().reached_at is None
    processor.control("faults/clear")
    a_week = 7 * 24 * 60
    assert reconciliation.read_events(now=cast.at(a_week)) == 1
    assert WebhookEvent.objects.get().type == "checkout.session.completed"


def test_more_events_than_one_page_are_read(processor: Processor, db: None) -> None:
    zone = cast.a_zone()
    for number in range(60):
        payment = an_open_payment(cast.a_spot(zone, f"K-{number}"))
        processor.pay(payment.session_id)
        cancelled = processor.get(f"checkout/sessions/{payment.session_id}")["payment_intent"]
        processor.post("refunds", payment_intent=cancelled)
    assert reconciliation.read_events(now=cast.at(3)) >= 120


def test_open_payments_and_requested_refunds_come_due(spot: Spot, processor: Processor) -> None:
    payment = a_paid_booking(spot, processor, start=cast.at(60))
    cancel_booking(reference=payment.slot.booking.reference, now=cast.at(5), actor="citizen")
    waiting = an_open_payment(cast.a_spot(spot.zone, "K-2"))
    refund = Refund.objects.get()
    assert reconciliation.due_refunds(now=cast.at(5)) == [refund.id]
    assert reconciliation.due_payments(now=cast.at(5)) == []
    assert reconciliation.due_payments(now=cast.at(10)) == [waiting.id]

    tasks.check_due()
    assert fresh(refund).state == "succeeded"
    assert reconciliation.due_refunds(now=later(1)) == []


def test_the_books_equal_the_processors_balance(spot: Spot, processor: Processor) -> None:
    payment = a_paid_booking(spot, processor, start=cast.at(60))
    cancel_booking(reference=payment.slot.booking.reference, now=cast.at(5), actor="citizen")
    a_paid_booking(spot, processor, start=cast.at(120))
    refunds.submit(refund_id=Refund.objects.get().id, now=cast.at(6))
    comparison = reconciliation.compare_balance(now=cast.at(10))
    assert comparison.agrees
    assert comparison.clearing == comparison.balance == 200 - 2 * payment.fee
    assert Reconciliation.objects.get().differences == []
    assert not MoneyException.objects.exists()


def test_a_payout_is_booked_and_the_equation_holds(spot: Spot, processor: Processor) -> None:
    a_paid_booking(spot, processor, card="4000000000000077")
    [payout] = processor.control("payouts")["data"]
    comparison = reconciliation.compare_balance(now=cast.at(10))
    assert books()[-1] == (
        "payout",
        {"bank": payout["amount"], "psp_clearing": -payout["amount"]},
    )
    assert comparison.agrees
    assert comparison.balance == 0
    reconciliation.compare_balance(now=cast.at(24 * 60))
    assert [kind for kind, _ in books()] == ["capture", "fee", "payout"]


@pytest.mark.parametrize("ends", ["won", "lost"])
def test_a_dispute_is_booked_and_the_equation_holds(
    spot: Spot, processor: Processor, ends: str
) -> None:
    payment = a_paid_booking(spot, processor, card="4000000000000259")
    comparison = reconciliation.compare_balance(now=cast.at(10))
    assert comparison.agrees
    kind, lines = books()[-1]
    assert kind == "dispute"
    assert lines["dispute_loss"] == payment.captured
    [dispute] = processor.all("disputes")
    processor.control(f"disputes/{dispute['id']}/close", status=ends)
    comparison = reconciliation.compare_balance(now=cast.at(60))
    assert comparison.agrees
    assert (books()[-1][0] == "dispute_won") is (ends == "won")


def test_a_refund_that_was_missed_is_taken_in(spot: Spot, processor: Processor) -> None:
    payment = a_paid_booking(spot, processor)
    processor.post("refunds", payment_intent=payment.intent_id, amount=80)
    comparison = reconciliation.compare_balance(now=cast.at(10))
    assert comparison.agrees
    assert Refund.objects.get().state == "external"
    assert MoneyException.objects.get().kind == "external_refund"


def test_money_of_ours_that_nobody_heard_of_is_booked(spot: Spot, processor: Processor) -> None:
    payment = an_open_payment(spot)
    processor.pay(payment.session_id)
    processor.post("refunds", payment_intent=the_intent(processor), amount=50)
    comparison = reconciliation.compare_balance(now=cast.at(5))
    assert comparison.agrees
    assert fresh(payment.slot).state == SlotState.CONFIRMED
    assert [kind for kind, _ in books()] == ["capture", "fee", "refund"]


def the_intent(processor: Processor) -> str:
    [charge] = processor.all("charges")
    return str(charge["payment_intent"])


def test_money_that_is_not_ours_is_listed_and_not_booked(spot: Spot, processor: Processor) -> None:
    an_open_payment(spot)
    processor.pay(processor.a_foreign_page())
    before = books()
    for minute in (10, 24 * 60):
        comparison = reconciliation.compare_balance(now=cast.at(minute))
        assert not comparison.agrees
        assert comparison.clearing == 0
        assert comparison.balance > 0
        [difference] = comparison.differences
        assert (difference.type, difference.books) == ("charge", 0)
    assert books() == before == []
    assert MoneyException.objects.count() == 1, "listed once, however often it is seen"
    assert Reconciliation.objects.first().differences[0]["movement"] == difference.movement


def test_money_that_only_the_books_know_is_listed(spot: Spot, processor: Processor) -> None:
    reconciliation.compare_balance(now=cast.at(-3 * 24 * 60))
    payment = a_paid_booking(spot, processor)
    processor.control("reset")
    comparison = reconciliation.compare_balance(now=cast.at(10))
    assert not comparison.agrees
    [difference] = comparison.differences
    assert (difference.movement, difference.processor) == (payment.balance_transaction_id, 0)


def test_an_outage_changes_nothing(spot: Spot, processor: Processor) -> None:
    payment = an_open_payment(spot)
    processor.fail("error", method="*", status=503)
    tasks.compare_balance()
    tasks.read_events()
    tasks.sync_payment(str(payment.id))
    assert fresh(payment).state == PaymentState.OPEN
    assert fresh(payment.slot).state == SlotState.HELD
    assert not MoneyException.objects.exists()
    assert set(Reconciliation.objects.values_list("reached_at", flat=True)) == {None}
