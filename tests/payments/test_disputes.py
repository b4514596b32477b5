"""A bank takes money back: by notice or by reconciliation, the rows are the same."""

from __future__ import annotations

import itertools
import random

import pytest

from parking.models import Spot
from payments import disputes, gateway, reconciliation, states
from payments.models import Dispute, MoneyException, WebhookEvent
from tests import cast
from tests.payments.processor import Processor
from tests.payments.situations import (
    a_paid_booking,
    act_on_events,
    an_open_payment,
    books,
    later,
)

DISPUTED = "4000000000000259"
FEE = 2000


def the_dispute(processor: Processor) -> str:
    [dispute] = processor.all("disputes")
    return str(dispute["id"])


def end(processor: Processor, how: str) -> None:
    processor.control(f"disputes/{the_dispute(processor)}/close", status=how)


def rows() -> tuple[object, ...]:
    return (
        list(Dispute.objects.values_list("state", "amount", "reason")),
        sorted((kind, sorted(lines.items())) for kind, lines in books()),
        list(MoneyException.objects.values_list("kind", flat=True)),
    )


def expected(how: str) -> tuple[object, ...]:
    lost = ("dispute", [("dispute_loss", 200), ("psp_clearing", -2200), ("psp_fees", FEE)])
    won = ("dispute_won", [("dispute_loss", -200), ("psp_clearing", 200)])
    capture = ("capture", [("parking_revenue:kamppi", -200), ("psp_clearing", 200)])
    fee = ("fee", [("psp_clearing", -28), ("psp_fees", 28)])
    return (
        [(how, 200, "fraudulent")],
        sorted([capture, fee, lost, *([won] if how == "won" else [])]),
        ["dispute"],
    )


@pytest.mark.parametrize("how", ["won", "lost"])
@pytest.mark.parametrize("seed", range(3))
def test_notices_in_any_order_with_losses_leave_the_same_rows(
    spot: Spot, processor: Processor, how: str, seed: int
) -> None:
    rng = random.Random(seed)
    payment = an_open_payment(spot)
    processor.pay(payment.session_id or "", DISPUTED)
    end(processor, how)
    notices = [event for event in processor.events() for _ in range(rng.randint(0, 2))]
    rng.shuffle(notices)
    hours = itertools.count(1)
    for notice in notices:
        assert processor.deliver(notice) == 200
        act_on_events(later(next(hours)))
    reconciliation.read_events(now=cast.at(5))
    act_on_events(later(next(hours)))
    assert rows() == expected(how)
    assert reconciliation.compare_balance(now=cast.at(6)).agrees


@pytest.mark.parametrize("how", ["won", "lost"])
def test_reconciliation_alone_leaves_the_same_rows(
    spot: Spot, processor: Processor, how: str
) -> None:
    payment = an_open_payment(spot)
    processor.pay(payment.session_id or "", DISPUTED)
    end(processor, how)
    assert reconciliation.compare_balance(now=cast.at(5)).agrees
    assert reconciliation.compare_balance(now=cast.at(9)).agrees
    got = rows()
    if how == "lost":  # that it is lost moves no money: the events say it
        reconciliation.read_events(now=cast.at(10))
        act_on_events(later(1))
        got = rows()
    assert got == expected(how)


def test_an_old_word_about_an_ended_dispute_changes_nothing(
    spot: Spot, processor: Processor
) -> None:
    payment = a_paid_booking(spot, processor, card=DISPUTED)
    before = gateway.retrieve_dispute(the_dispute(processor))
    end(processor, "won")
    after = gateway.retrieve_dispute(the_dispute(processor))
    for said in (after, before, after):
        disputes.adopt(said=said, payment=payment, now=cast.at(5))
    assert Dispute.objects.get().state == "won"
    assert [kind for kind, _ in books()] == ["capture", "fee", "dispute", "dispute_won"]


def test_a_won_dispute_cannot_be_lost_again(spot: Spot, processor: Processor) -> None:
    payment = a_paid_booking(spot, processor, card=DISPUTED)
    end(processor, "won")
    won = gateway.retrieve_dispute(the_dispute(processor))
    disputes.adopt(said=won, payment=payment, now=cast.at(5))
    with pytest.raises(states.MoveRefused):
        disputes.adopt(said=type(won)(**{**vars(won), "status": "lost"}), payment=payment,
                       now=cast.at(6))  # fmt: skip
    assert Dispute.objects.get().state == "won"


def test_a_dispute_of_a_payment_that_is_not_ours_is_listed_and_not_booked(
    spot: Spot, processor: Processor
) -> None:
    a_paid_booking(spot, processor)
    before = books()
    processor.pay(processor.a_foreign_page(), DISPUTED)
    for event in processor.events("charge.dispute.created"):
        processor.deliver(event)
    act_on_events(later(1))
    assert not WebhookEvent.objects.get().is_matched
    comparison = reconciliation.compare_balance(now=cast.at(5))
    assert {one.type for one in comparison.differences} == {"charge", "adjustment"}
    assert books() == before
    assert not Dispute.objects.exists()
    assert MoneyException.objects.filter(kind="unmatched").count() == 2
