"""Money that arrives for a slot that was given up, or that is not what was asked."""

from dataclasses import replace

import pytest

from parking.models import SlotState, Spot
from payments import checkout, gateway, refunds
from payments.models import Mail, MoneyException, PaymentState, Refund
from tests import cast
from tests.payments.processor import Processor
from tests.payments.situations import an_open_payment, books, fresh, take_away


def test_it_claims_the_place_again_while_nobody_has_it(spot: Spot, processor: Processor) -> None:
    payment = an_open_payment(spot)
    take_away(payment.slot, cast.at(11))
    processor.pay(payment.session_id)
    payment = checkout.sync_payment(payment_id=payment.id, now=cast.at(12))
    slot = fresh(payment.slot)
    assert (slot.state, slot.ended_at) == (SlotState.CONFIRMED, None)
    assert not payment.is_orphan
    assert not Refund.objects.exists()
    assert not MoneyException.objects.exists()


def test_it_goes_back_when_somebody_else_has_the_place(spot: Spot, processor: Processor) -> None:
    payment = an_open_payment(spot)
    take_away(payment.slot, cast.at(11))
    other = cast.a_hold(spot, start=cast.at(15), now=cast.at(12))
    processor.pay(payment.session_id)

    payment = checkout.sync_payment(payment_id=payment.id, now=cast.at(13))
    assert (payment.state, payment.is_orphan) == (PaymentState.PAID, True)
    assert fresh(payment.slot).state == SlotState.RELEASED
    assert fresh(other).state == SlotState.HELD
    refund = Refund.objects.get()
    assert (refund.amount, refund.reason, refund.state) == (200, "late_payment", "requested")
    assert MoneyException.objects.get().kind == "orphan"
    assert books()[0] == ("capture", {"psp_clearing": 200, "citizen_refund_due": -200})

    refunds.submit(refund_id=refund.id, now=cast.at(14))
    assert fresh(refund).state == "succeeded"
    assert books()[-1] == ("refund", {"citizen_refund_due": 200, "psp_clearing": -200})
    assert [mail.kind for mail in Mail.objects.all()] == ["orphan"]


def test_it_goes_back_when_the_stay_is_past(spot: Spot, processor: Processor) -> None:
    payment = an_open_payment(spot)
    take_away(payment.slot, cast.at(11))
    processor.pay(payment.session_id)
    payment = checkout.sync_payment(payment_id=payment.id, now=cast.at(60))
    assert payment.is_orphan
    assert fresh(payment.slot).state == SlotState.RELEASED
    assert Refund.objects.get().amount == 200


def test_syncing_an_orphan_again_refunds_once(spot: Spot, processor: Processor) -> None:
    payment = an_open_payment(spot)
    take_away(payment.slot, cast.at(11))
    cast.a_hold(spot, start=cast.at(15), now=cast.at(12))
    processor.pay(payment.session_id)
    session = gateway.retrieve_session(payment.session_id)
    for _ in range(3):
        checkout.apply(payment=payment, session=session, now=cast.at(13))
    assert Refund.objects.count() == 1
    assert MoneyException.objects.count() == 1
    assert [kind for kind, _ in books()] == ["capture", "fee"]


@pytest.mark.parametrize("told", [{"amount": 199}, {"currency": "USD"}])
def test_another_amount_or_currency_confirms_nothing(
    spot: Spot, processor: Processor, told: dict
) -> None:
    payment = an_open_payment(spot)
    processor.pay(payment.session_id)
    session = gateway.retrieve_session(payment.session_id)
    session = replace(session, capture=replace(session.capture, **told))
    payment = checkout.apply(payment=payment, session=session, now=cast.at(2))
    assert payment.state == PaymentState.PAID
    assert fresh(payment.slot).state == SlotState.HELD
    assert MoneyException.objects.get().kind == "amount"
    assert not Mail.objects.exists()
    assert books()[0][1]["suspense"] == -session.capture.amount


def test_a_second_payment_for_a_confirmed_slot_goes_back(spot: Spot, processor: Processor) -> None:
    first = an_open_payment(spot)
    take_away(first.slot, cast.at(11))
    processor.pay(first.session_id)
    checkout.sync_payment(payment_id=first.id, now=cast.at(12))
    second = type(first).objects.create(
        slot=first.slot,
        amount=200,
        currency="EUR",
        state=PaymentState.OPEN,
        idempotency_key="another",
        session_id="cs_test_another",
        expires_at=cast.at(40),
        created_at=cast.at(1),
        next_check_at=cast.at(10),
    )
    session = gateway.retrieve_session(first.session_id)
    capture = replace(session.capture, intent_id="pi_2", charge_id="ch_2", fee=None)
    checkout.apply(payment=second, session=replace(session, capture=capture), now=cast.at(13))
    refund = Refund.objects.get()
    assert (refund.payment_id, refund.reason, refund.amount) == (second.id, "duplicate", 200)
    assert MoneyException.objects.get().kind == "double_payment"
    assert fresh(first.slot).state == SlotState.CONFIRMED
    assert not fresh(first).is_orphan


def test_money_on_an_ended_payment_is_listed_and_moves_nothing(
    spot: Spot, processor: Processor
) -> None:
    payment = an_open_payment(spot)
    processor.pay(payment.session_id)
    session = gateway.retrieve_session(payment.session_id)
    type(payment).objects.filter(id=payment.id).update(
        state=PaymentState.EXPIRED, next_check_at=None
    )
    payment = checkout.apply(payment=payment, session=session, now=cast.at(2))
    assert payment.state == PaymentState.EXPIRED
    assert fresh(payment.slot).state == SlotState.HELD
    assert MoneyException.objects.get().key == f"paid-after-end:{payment.id}"
    assert books() == []
