"""The processor did it, but its answer got lost: a repeat must not do it twice."""

import pytest
from django.db import transaction

from parking.models import SlotState, Spot
from payments import checkout, expiry, gateway, refunds
from payments.cancel import cancel_booking
from payments.models import Payment, PaymentState, Refund
from tests import cast
from tests.payments.processor import Processor
from tests.payments.situations import a_paid_booking, books, fresh

SESSIONS, REFUNDS = "/v1/checkout/sessions", "/v1/refunds"


def test_the_client_repeats_by_itself_with_the_same_key(spot: Spot, processor: Processor) -> None:
    slot = cast.a_hold(spot)
    processor.fail("lost_answer", SESSIONS, times=2)
    assert checkout.start(slot_id=slot.pk, now=cast.at(1)).startswith(processor.base)
    assert len(processor.all("checkout/sessions")) == 1


def test_pressing_pay_again_finds_the_same_page(spot: Spot, processor: Processor) -> None:
    slot = cast.a_hold(spot)
    processor.fail("lost_answer", SESSIONS, times=3)
    with pytest.raises(checkout.ProcessorAway):
        checkout.start(slot_id=slot.pk, now=cast.at(1))
    assert Payment.objects.get().state == PaymentState.CREATED
    assert fresh(slot).state == SlotState.HELD
    checkout.start(slot_id=slot.pk, now=cast.at(1.5))
    assert Payment.objects.get().state == PaymentState.OPEN
    [session] = processor.all("checkout/sessions")
    assert session["id"] == Payment.objects.get().session_id


def test_a_request_that_never_arrived_is_made_anew_later(spot: Spot, processor: Processor) -> None:
    slot = cast.a_hold(spot)
    processor.fail("lost_request", SESSIONS, times=3)
    with pytest.raises(checkout.ProcessorAway):
        checkout.start(slot_id=slot.pk, now=cast.at(1))
    # By now the first `expires_at` is less than 30 minutes ahead: the processor would refuse it.
    processor.stand_at(cast.at(5))
    checkout.start(slot_id=slot.pk, now=cast.at(5))
    assert sorted(Payment.objects.values_list("state", flat=True)) == ["failed", "open"]
    assert len(processor.all("checkout/sessions")) == 1


def test_a_page_that_nobody_was_given_keeps_no_place(spot: Spot, processor: Processor) -> None:
    slot = cast.a_hold(spot)
    processor.fail("lost_answer", SESSIONS)
    with pytest.raises(checkout.ProcessorAway):
        checkout.start(slot_id=slot.pk, now=cast.at(1))
    assert expiry.sweep(now=cast.at(10)) == []
    assert fresh(slot).state == SlotState.RELEASED
    assert Payment.objects.get().state == PaymentState.FAILED


def test_a_refund_is_made_once(spot: Spot, processor: Processor) -> None:
    payment = a_paid_booking(spot, processor, start=cast.at(30))
    done = cancel_booking(reference=payment.slot.booking.reference, now=cast.at(5), actor="citizen")
    processor.fail("lost_answer", REFUNDS, times=3)
    with pytest.raises(gateway.GatewayError):
        refunds.submit(refund_id=done.refund_ids[0], now=cast.at(5))
    refund = Refund.objects.get()
    assert refund.state == "submitted"
    assert refund.next_check_at > cast.at(5)
    assert "refund" not in [kind for kind, _ in books()]

    refunds.submit(refund_id=refund.id, now=cast.at(6))
    assert fresh(refund).state == "succeeded"
    [theirs] = processor.all("refunds")
    assert theirs["id"] == fresh(refund).refund_id
    assert [kind for kind, _ in books()] == ["capture", "fee", "refund"]


def test_a_refund_is_made_once_even_when_the_key_is_forgotten(
    spot: Spot, processor: Processor
) -> None:
    payment = a_paid_booking(spot, processor, start=cast.at(30))
    done = cancel_booking(reference=payment.slot.booking.reference, now=cast.at(5), actor="citizen")
    processor.fail("lost_answer", REFUNDS, times=3)
    with pytest.raises(gateway.GatewayError):
        refunds.submit(refund_id=done.refund_ids[0], now=cast.at(5))
    two_days = cast.at(2 * 24 * 60)
    processor.stand_at(two_days)  # the processor keeps a key for a day
    refunds.submit(refund_id=done.refund_ids[0], now=two_days)
    assert len(processor.all("refunds")) == 1
    assert Refund.objects.get().state == "succeeded"


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_the_processor_is_asked(processor: Processor) -> None:
    slot = cast.a_hold(cast.a_spot(cast.a_zone()))
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        gateway.retrieve_session("cs_test_1")
    checkout.start(slot_id=slot.pk, now=cast.at(1))  # the rules ask outside of any
