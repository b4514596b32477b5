"""Refunds: within what was captured; at once, after a while, or not at all."""

from typing import Any

import pytest
import stripe

from tests.payments.sandbox.box import Box

SLOW, FAILING = "4000000000007726", "4000000000005126"
DELAY = 10


def refund(box: Box, intent: Any, key: str | None = None, **fields: Any) -> Any:
    options: Any = {"idempotency_key": key} if key else {}
    return box.client().refunds.create({"payment_intent": intent.id, **fields}, options)


def charge_of(box: Box, intent: Any) -> Any:
    return box.client().charges.retrieve(intent.latest_charge.id)


def booked(box: Box) -> list[tuple[str, int]]:
    return [(row["type"], row["amount"]) for row in box.all("balance_transactions")]


def test_a_part_is_given_back_and_booked(box: Box) -> None:
    intent = box.a_paid_intent(250)
    part = refund(box, intent, amount=100, reason="requested_by_customer", metadata={"row": "1"})
    assert (part.status, part.amount, part.metadata.to_dict()) == ("succeeded", 100, {"row": "1"})
    charge = charge_of(box, intent)
    assert (charge.amount_refunded, charge.refunded) == (100, False)
    assert booked(box) == [("charge", 250), ("refund", -100)]
    assert box.event_types()[-2:] == ["refund.created", "charge.refunded"]


def test_without_an_amount_the_rest_is_given_back(box: Box) -> None:
    intent = box.a_paid_intent(250)
    refund(box, intent, amount=100)
    assert refund(box, intent).amount == 150
    assert charge_of(box, intent).refunded is True


def test_two_equal_parts_under_two_keys_are_two_refunds(box: Box) -> None:
    intent = box.a_paid_intent(250)
    first, second = (refund(box, intent, key, amount=100) for key in ("refund-1", "refund-2"))
    assert first.id != second.id
    assert charge_of(box, intent).amount_refunded == 200


def test_more_than_what_is_left_is_refused(box: Box) -> None:
    intent = box.a_paid_intent(250)
    refund(box, intent, amount=100)
    with pytest.raises(stripe.InvalidRequestError, match=r"\(151\) is greater .* \(150\)"):
        refund(box, intent, amount=151)
    assert charge_of(box, intent).amount_refunded == 100


def test_nothing_left_has_its_own_code(box: Box) -> None:
    intent = box.a_paid_intent()
    refund(box, intent)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        refund(box, intent)
    assert refusal.value.code == "charge_already_refunded"
    assert len(box.all("refunds")) == 1


@pytest.mark.parametrize("amount", [0, -1, "1.5", "all"])
def test_an_amount_that_is_none_is_refused(box: Box, amount: Any) -> None:
    intent = box.a_paid_intent()
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        refund(box, intent, amount=amount)
    assert refusal.value.param == "amount"
    assert box.all("refunds") == []


def test_an_unpaid_or_unknown_payment_has_nothing_to_refund(box: Box) -> None:
    box.pay(box.a_session().url, "4000000000000002")
    [intent] = box.all("payment_intents")
    for wanted in (intent["id"], "pi_nobody"):
        with pytest.raises(stripe.InvalidRequestError):
            box.client().refunds.create({"payment_intent": wanted})
    assert box.all("refunds") == []


def test_a_slow_one_is_pending_and_succeeds_later(box: Box) -> None:
    box.control("clock", frozen=True)
    slow = refund(box, box.a_paid_intent(card=SLOW))
    assert slow.status == "pending"
    box.advance(DELAY - 1)
    assert box.client().refunds.retrieve(slow.id).status == "pending"
    box.advance(1)
    assert box.client().refunds.retrieve(slow.id).status == "succeeded"
    assert box.event_types()[-2:] == ["refund.updated", "charge.refund.updated"]
    assert booked(box) == [("charge", 250), ("refund", -250)]


def test_a_failing_one_comes_back_with_its_money(box: Box) -> None:
    box.control("clock", frozen=True)
    intent = box.a_paid_intent(card=FAILING)
    failing = refund(box, intent, amount=100)
    assert failing.status == "succeeded"
    box.advance(DELAY)
    failed = box.client().refunds.retrieve(failing.id, {"expand": ["failure_balance_transaction"]})
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    assert failed.failure_balance_transaction.amount == 100
    assert charge_of(box, intent).amount_refunded == 0
    assert booked(box) == [("charge", 250), ("refund", -100), ("refund_failure", 100)]
    assert "refund.failed" in box.event_types()


def test_after_a_failed_one_the_money_can_be_given_back_again(box: Box) -> None:
    intent = box.a_paid_intent(card=FAILING)
    refund(box, intent)
    box.advance(DELAY + 1)
    assert refund(box, intent).amount == 250


@pytest.mark.parametrize("status", ["succeeded", "failed", "canceled"])
def test_the_end_of_a_pending_one_can_be_chosen(box: Box, status: str) -> None:
    slow = refund(box, box.a_paid_intent(card=SLOW))
    assert box.control(f"refunds/{slow.id}/settle", status=status)["status"] == status
    box.advance(DELAY + 1)
    assert box.client().refunds.retrieve(slow.id).status == status
    total = sum(amount for _, amount in booked(box))
    assert total == (0 if status == "succeeded" else 250)


def test_what_has_failed_stays_failed(box: Box) -> None:
    slow = refund(box, box.a_paid_intent(card=SLOW))
    box.control(f"refunds/{slow.id}/settle", status="failed")
    answer = box.http.post(
        f"{box.base}/_control/refunds/{slow.id}/settle", json={"status": "succeeded"}, timeout=10
    )
    assert answer.status_code == 400
    assert "cannot become" in answer.json()["error"]["message"]
    assert box.client().refunds.retrieve(slow.id).status == "failed"


def test_a_refund_to_a_card_cannot_be_cancelled_by_its_sender(box: Box) -> None:
    slow = refund(box, box.a_paid_intent(card=SLOW))
    with pytest.raises(stripe.InvalidRequestError, match="requires_action"):
        box.client().refunds.cancel(slow.id)
    assert box.client().refunds.retrieve(slow.id).status == "pending"
