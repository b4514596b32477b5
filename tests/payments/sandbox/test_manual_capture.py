"""Payments that are only authorized at first."""

from typing import Any

import pytest
import stripe

from tests.payments.sandbox.box import Box

WEEK = 7 * 86_400


def an_authorized_intent(box: Box) -> Any:
    session = box.a_session(payment_intent_data={"capture_method": "manual"})
    assert box.pay(session.url).status_code == 303
    done = box.client().checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert done.payment_status == "unpaid"
    return done.payment_intent


def test_nothing_is_taken_before_the_capture(box: Box) -> None:
    intent = an_authorized_intent(box)
    assert (intent.status, intent.amount_capturable) == ("requires_capture", 250)
    assert box.all("balance_transactions") == []
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        box.client().refunds.create({"payment_intent": intent.id})
    assert refusal.value.code == "charge_not_refundable"


def test_a_capture_takes_the_money(box: Box) -> None:
    captured = box.client().payment_intents.capture(an_authorized_intent(box).id)
    assert (captured.status, captured.amount_received) == ("succeeded", 250)
    [session] = box.all("checkout/sessions")
    assert session["payment_status"] == "paid"
    with pytest.raises(stripe.InvalidRequestError):
        box.client().payment_intents.capture(captured.id)
    assert len(box.all("balance_transactions")) == 1


def test_a_part_may_be_captured_and_no_more_than_all(box: Box) -> None:
    intent = an_authorized_intent(box)
    with pytest.raises(stripe.InvalidRequestError):
        box.client().payment_intents.capture(intent.id, {"amount_to_capture": 251})
    captured = box.client().payment_intents.capture(intent.id, {"amount_to_capture": 90})
    assert captured.amount_received == 90


def test_a_cancelled_one_takes_nothing(box: Box) -> None:
    intent = box.client().payment_intents.cancel(
        an_authorized_intent(box).id, {"cancellation_reason": "abandoned"}
    )
    assert (intent.status, intent.cancellation_reason) == ("canceled", "abandoned")
    assert box.all("balance_transactions") == []


def test_it_lapses_after_a_week(box: Box) -> None:
    intent = an_authorized_intent(box)
    box.advance(WEEK + 1)
    assert box.client().payment_intents.retrieve(intent.id).status == "canceled"
    assert box.event_types()[-1] == "payment_intent.canceled"


def test_a_captured_payment_cannot_be_cancelled(box: Box) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="status of succeeded"):
        box.client().payment_intents.cancel(box.a_paid_intent().id)
