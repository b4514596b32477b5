"""The balance, and its way to the bank."""

from typing import Any

import pytest
import requests

from tests.payments.sandbox.box import Box

DAY = 86_400
AVAILABLE_AT_ONCE = "4000000000000077"


def ask_for_payouts(box: Box, **fields: Any) -> requests.Response:
    return box.http.post(f"{box.base}/_control/payouts", json=fields, timeout=10)


def balance(box: Box) -> dict[str, list[int]]:
    now = box.client().balance.retrieve()
    return {
        "available": [line.amount for line in now.available],
        "pending": [line.amount for line in now.pending],
    }


def test_a_charge_carries_its_fee(box: Box) -> None:
    taken = box.a_paid_intent(250).latest_charge.balance_transaction
    assert (taken.amount, taken.fee, taken.net) == (250, 28, 222)
    assert sum(detail.amount for detail in taken.fee_details) == 28


def test_the_balance_is_the_sum_of_its_transactions(box: Box) -> None:
    intent = box.a_paid_intent(1000)
    box.a_paid_intent(500, AVAILABLE_AT_ONCE)
    box.client().refunds.create({"payment_intent": intent.id, "amount": 300})
    now = balance(box)
    assert now["available"] == [500 - 32]
    assert now["pending"] == [1000 - 40 - 300]
    rows = box.all("balance_transactions")
    assert sum(now["available"] + now["pending"]) == sum(row["net"] for row in rows)


def test_money_becomes_available_after_two_days(box: Box) -> None:
    box.a_paid_intent(1000)
    assert balance(box) == {"available": [0], "pending": [960]}
    assert "advance the clock" in ask_for_payouts(box).text
    box.advance(2 * DAY)
    assert balance(box) == {"available": [960], "pending": [0]}
    assert {row["status"] for row in box.all("balance_transactions")} == {"available"}


def test_a_payout_names_every_transaction_in_it(box: Box) -> None:
    for amount in (1000, 500):
        box.a_paid_intent(amount)
    box.advance(2 * DAY)
    box.a_paid_intent(700)
    [payout] = box.control("payouts")["data"]
    inside = box.all("balance_transactions", payout=payout["id"])
    assert [(row["type"], row["net"]) for row in inside] == [
        ("charge", 960),
        ("charge", 468),
        ("payout", -1428),
    ]
    assert (payout["amount"], payout["status"]) == (1428, "in_transit")
    assert balance(box)["available"] == [0]
    assert ask_for_payouts(box).status_code == 400
    assert len(box.all("payouts")) == 1


def test_the_next_one_holds_only_what_came_since(box: Box) -> None:
    box.a_paid_intent(1000, AVAILABLE_AT_ONCE)
    box.control("payouts")
    box.a_paid_intent(500, AVAILABLE_AT_ONCE)
    [second] = box.control("payouts")["data"]
    assert second["amount"] == 468
    inside = box.all("balance_transactions", payout=second["id"])
    assert [row["net"] for row in inside] == [468, -468]


def test_it_arrives_a_day_later(box: Box) -> None:
    box.a_paid_intent(1000, AVAILABLE_AT_ONCE)
    [payout] = box.control("payouts")["data"]
    box.advance(DAY - 60)
    assert box.client().payouts.retrieve(payout["id"]).status == "in_transit"
    box.advance(61)
    assert box.client().payouts.retrieve(payout["id"]).status == "paid"
    assert box.event_types()[-1] == "payout.paid"


def test_a_failed_one_brings_the_money_back_for_the_next(box: Box) -> None:
    box.a_paid_intent(1000, AVAILABLE_AT_ONCE)
    [payout] = box.control("payouts", fails=True, arrives_in=60)["data"]
    box.advance(61)
    failed = box.client().payouts.retrieve(payout["id"])
    assert (failed.status, failed.failure_code) == ("failed", "account_closed")
    assert balance(box)["available"] == [960]
    [second] = box.control("payouts")["data"]
    assert second["amount"] == 960
    assert "payout.paid" not in box.event_types()


def test_each_currency_is_paid_out_by_itself(box: Box) -> None:
    box.a_paid_intent(1000, AVAILABLE_AT_ONCE, "eur")
    box.a_paid_intent(500_000, AVAILABLE_AT_ONCE, "irr")
    [only] = box.control("payouts", currency="irr")["data"]
    assert only["currency"] == "irr"
    [rest] = box.control("payouts")["data"]
    assert (rest["currency"], rest["amount"]) == ("eur", 960)


def test_a_sum_below_zero_waits(box: Box) -> None:
    box.a_paid_intent(250, "4000000000000259")
    box.advance(3 * DAY)
    assert ask_for_payouts(box).status_code == 400
    assert box.all("payouts") == []


@pytest.mark.parametrize(
    "fields", [{"currency": "xyz"}, {"arrives_in": -1}, {"fails": "perhaps"}, {"sum": 1}]
)
def test_a_payout_that_makes_no_sense_is_refused(box: Box, fields: dict[str, Any]) -> None:
    box.a_paid_intent(1000, AVAILABLE_AT_ONCE)
    assert ask_for_payouts(box, **fields).status_code == 400
    assert box.all("payouts") == []
