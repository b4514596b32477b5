"""Disputes: the bank takes the money, and returns it if they are won."""

from typing import Any

import pytest
import stripe

from tests.payments.sandbox.box import Box

DISPUTED = "4000000000000259"
FEE = 2000


def the_dispute(box: Box) -> Any:
    [dispute] = box.client().disputes.list().data
    return dispute


def net(box: Box) -> int:
    return sum(row["net"] for row in box.all("balance_transactions"))


def test_the_card_opens_one_and_the_money_leaves(box: Box) -> None:
    intent = box.a_paid_intent(250, DISPUTED)
    dispute = the_dispute(box)
    assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", "fraudulent", 250)
    assert dispute.payment_intent == intent.id
    [moved] = dispute.balance_transactions
    assert (moved.amount, moved.fee, moved.reporting_category) == (-250, FEE, "dispute")
    assert net(box) == 250 - 28 - 250 - FEE
    assert box.event_types()[-2:] == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]


def test_a_disputed_charge_cannot_be_refunded(box: Box) -> None:
    intent = box.a_paid_intent(250, DISPUTED)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        box.client().refunds.create({"payment_intent": intent.id})
    assert refusal.value.code == "charge_disputed"
    assert box.all("refunds") == []


def test_a_won_one_returns_the_money_but_not_the_fee(box: Box) -> None:
    intent = box.a_paid_intent(250, DISPUTED)
    closed = box.control(f"disputes/{the_dispute(box).id}/close", status="won")
    assert closed["status"] == "won"
    assert net(box) == 250 - 28 - FEE
    assert box.event_types()[-2:] == ["charge.dispute.funds_reinstated", "charge.dispute.closed"]
    assert box.client().refunds.create({"payment_intent": intent.id}).status == "succeeded"


def test_a_lost_one_returns_nothing(box: Box) -> None:
    box.a_paid_intent(250, DISPUTED)
    before = net(box)
    box.control(f"disputes/{the_dispute(box).id}/close", status="lost")
    assert the_dispute(box).status == "lost"
    assert net(box) == before
    assert box.event_types()[-1] == "charge.dispute.closed"


def test_it_ends_once(box: Box) -> None:
    box.a_paid_intent(250, DISPUTED)
    dispute = the_dispute(box)
    assert box.client().disputes.close(dispute.id).status == "lost"
    with pytest.raises(stripe.InvalidRequestError, match="already closed"):
        box.client().disputes.close(dispute.id)
    assert box.event_types().count("charge.dispute.closed") == 1


@pytest.mark.parametrize(
    ("evidence", "status"),
    [("winning_evidence", "won"), ("losing_evidence", "lost"), ("a photograph", "under_review")],
)
def test_evidence_decides_as_in_test_mode(box: Box, evidence: str, status: str) -> None:
    box.a_paid_intent(250, DISPUTED)
    changes: Any = {"evidence": {"uncategorized_text": evidence}}
    box.client().disputes.update(the_dispute(box).id, changes)
    assert the_dispute(box).status == status


def test_any_charge_can_be_disputed_from_outside_once(box: Box) -> None:
    charge = box.a_paid_intent(250).latest_charge
    box.client().refunds.create({"charge": charge.id, "amount": 100})
    opened = box.control("disputes", charge=charge.id, reason="product_not_received")
    assert (opened["amount"], opened["reason"]) == (150, "product_not_received")
    again = box.http.post(f"{box.base}/_control/disputes", json={"charge": charge.id}, timeout=10)
    assert again.status_code == 400
    assert len(box.all("disputes")) == 1
