"""A hold runs out: the page is ended first, and only then is the place given back."""

from typing import Any

import pytest

from parking import booking, refusals
from parking.models import BookingEvent, SlotState, Spot
from payments import checkout, expiry, gateway
from payments.models import MoneyException, PaymentState, Refund
from tests import cast
from tests.payments.processor import Processor
from tests.payments.situations import an_open_payment, books, fresh

OVER = cast.at(10)


def sweep(now=OVER):  # what the task does
    for payment_id in expiry.sweep(now=now):
        expiry.end_page(payment_id=payment_id, now=now)


def test_a_hold_without_a_payment_is_released_without_the_processor(
    spot: Spot, processor: Processor
) -> None:
    slot = cast.a_hold(spot)
    processor.fail("lost_request", method="*")
    sweep()
    assert fresh(slot).state == SlotState.RELEASED


def test_a_hold_that_still_runs_is_left_alone(spot: Spot, processor: Processor) -> None:
    payment = an_open_payment(spot)
    sweep(cast.at(9.9))
    assert fresh(payment.slot).state == SlotState.HELD
    assert processor.all("checkout/sessions")[0]["status"] == "open"


def test_an_unpaid_page_is_ended_and_then_the_place_is_free(
    spot: Spot, processor: Processor
) -> None:
    payment = an_open_payment(spot)
    sweep()
    assert fresh(payment).state == PaymentState.EXPIRED
    assert fresh(payment.slot).state == SlotState.RELEASED
    assert processor.all("checkout/sessions")[0]["status"] == "expired"
    assert processor.pay(payment.session_id) == "closed"
    assert books() == []
    assert cast.a_hold(spot, now=OVER, start=cast.at(15)).state == SlotState.HELD


def test_who_pays_in_the_last_second_gets_the_place(spot: Spot, processor: Processor) -> None:
    payment = an_open_payment(spot)
    processor.pay(payment.session_id)
    sweep()
    assert fresh(payment).state == PaymentState.PAID
    assert fresh(payment.slot).state == SlotState.CONFIRMED
    assert not Refund.objects.exists()
    assert not BookingEvent.objects.filter(kind="released").exists()


def test_the_place_stays_taken_while_the_processor_is_away(
    spot: Spot, processor: Processor
) -> None:
    payment = an_open_payment(spot)
    processor.fail("error", method="*", status=503)
    asked = 0
    for minute in range(10, 40):
        for payment_id in expiry.sweep(now=cast.at(minute)):
            asked += 1
            with pytest.raises(gateway.GatewayError):
                expiry.end_page(payment_id=payment_id, now=cast.at(minute))
        assert fresh(payment.slot).state == SlotState.EXPIRING
        with pytest.raises(refusals.SpotTaken):
            cast.a_hold(spot, start=cast.at(45), now=cast.at(minute))
    assert 3 < asked < 15, "it backs off"
    assert fresh(payment).checks_failed == asked

    processor.control("faults/clear")
    sweep(cast.at(60))
    assert fresh(payment.slot).state == SlotState.RELEASED


def test_who_paid_during_the_outage_gets_the_place_afterwards(
    spot: Spot, processor: Processor
) -> None:
    payment = an_open_payment(spot)
    processor.pay(payment.session_id)
    processor.fail("error", method="*", status=503, times=6)
    for payment_id in expiry.sweep(now=OVER):
        with pytest.raises(gateway.GatewayError):
            expiry.end_page(payment_id=payment_id, now=OVER)
    processor.control("faults/clear")
    sweep(cast.at(11))
    assert fresh(payment.slot).state == SlotState.CONFIRMED


def test_a_lost_answer_to_the_expire_call_ends_the_page_once(
    spot: Spot, processor: Processor
) -> None:
    payment = an_open_payment(spot)
    processor.fail("lost_answer", "/v1/checkout/sessions/*/expire", times=3)
    [payment_id] = expiry.sweep(now=OVER)
    with pytest.raises(gateway.GatewayError):
        expiry.end_page(payment_id=payment_id, now=OVER, in_a_hurry=True)
    assert fresh(payment.slot).state == SlotState.EXPIRING
    processor.control("faults/clear")
    sweep(cast.at(11))
    assert fresh(payment).state == PaymentState.EXPIRED
    assert fresh(payment.slot).state == SlotState.RELEASED
    assert len(processor.events("checkout.session.expired")) == 1


def test_two_sweepers_do_not_ask_twice(spot: Spot, processor: Processor) -> None:
    an_open_payment(spot)
    assert len(expiry.sweep(now=OVER)) == 1
    assert expiry.sweep(now=cast.at(10.5)) == []
    assert len(expiry.sweep(now=cast.at(11))) == 1, "a claim that nobody finished runs out"


def test_the_maker_can_give_the_hold_up(spot: Spot, processor: Processor) -> None:
    payment = an_open_payment(spot)
    expiry.give_up(slot_id=payment.slot_id, now=cast.at(3), actor="citizen")
    assert fresh(payment).state == PaymentState.EXPIRED
    assert fresh(payment.slot).state == SlotState.RELEASED
    assert BookingEvent.objects.get(kind="expiring").actor == "citizen"


def test_giving_up_after_paying_confirms(spot: Spot, processor: Processor) -> None:
    payment = an_open_payment(spot)
    processor.pay(payment.session_id)
    expiry.give_up(slot_id=payment.slot_id, now=cast.at(3), actor="citizen")
    assert fresh(payment.slot).state == SlotState.CONFIRMED


def test_a_page_that_the_processor_does_not_know_blocks_no_longer_than_the_hard_stop(
    spot: Spot, processor: Processor
) -> None:
    payment = an_open_payment(spot)
    processor.control("reset")
    for minute in (10, 40.9):
        for payment_id in expiry.sweep(now=cast.at(minute)):
            with pytest.raises(gateway.GatewayError):
                expiry.end_page(payment_id=payment_id, now=cast.at(minute))
    assert fresh(payment.slot).state == SlotState.EXPIRING
    [payment_id] = expiry.sweep(now=cast.at(42))
    with pytest.raises(gateway.GatewayError):
        expiry.end_page(payment_id=payment_id, now=cast.at(42))
    assert fresh(payment).state == PaymentState.FAILED
    assert fresh(payment.slot).state == SlotState.RELEASED
    assert MoneyException.objects.get().key == f"page-unknown:{payment.id}"


def test_an_officer_can_force_the_release_but_not_early(spot: Spot, processor: Processor) -> None:
    payment = an_open_payment(spot)
    expiry.sweep(now=OVER)
    with pytest.raises(expiry.TooEarly):
        expiry.force_release(
            slot_id=payment.slot_id, now=cast.at(40), actor="user:1", reason="event"
        )
    assert fresh(payment.slot).state == SlotState.EXPIRING
    expiry.force_release(slot_id=payment.slot_id, now=cast.at(42), actor="user:1", reason="event")
    assert fresh(payment.slot).state == SlotState.RELEASED
    assert MoneyException.objects.get().kind == "forced_release"
    assert BookingEvent.objects.get(kind="released").reason == "event"
    assert fresh(payment).state == PaymentState.OPEN, "it is asked about further on"

    processor.pay(payment.session_id)
    checkout.sync_payment(payment_id=payment.id, now=cast.at(50))
    assert fresh(payment.slot).state == SlotState.CONFIRMED, "nobody had taken the place"


def test_a_place_is_never_released_under_an_open_page(spot: Spot, processor: Processor) -> None:
    payment = an_open_payment(spot)
    booking.begin_expiries(now=OVER)
    expiry._release_unpayable(payment.slot_id, OVER)
    assert fresh(payment.slot).state == SlotState.EXPIRING


def test_a_page_that_opens_after_the_end_of_the_hold_is_given_to_nobody(
    spot: Spot, processor: Processor, monkeypatch: pytest.MonkeyPatch
) -> None:
    slot = cast.a_hold(spot)
    create = gateway.create_session

    def slowly(*args: Any, **kwargs: Any) -> Any:
        session = create(*args, **kwargs)
        booking.begin_expiries(now=OVER)
        return session

    monkeypatch.setattr(gateway, "create_session", slowly)
    with pytest.raises(checkout.HoldOver):
        checkout.start(slot_id=slot.pk, now=cast.at(9.9))
    assert slot.payments.get().state == PaymentState.FAILED
    sweep()
    assert fresh(slot).state == SlotState.RELEASED
