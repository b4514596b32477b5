"""Money goes back: all of it, a part of it, never more than came in."""

import pytest

from parking import locking, refusals
from parking.models import SlotState, Spot
from payments import cancel, checkout, gateway, ledger, refunds, states
from payments.cancel import cancel_booking
from payments.models import Document, Mail, MoneyException, Payment, Refund, RefundReason
from tests import cast
from tests.payments.processor import Processor
from tests.payments.situations import (
    a_paid_booking,
    act_on_events,
    an_open_payment,
    books,
    check_books,
    fresh,
    later,
)

PENDING, FAILS = "4000000000007726", "4000000000005126"


def ask(payment: Payment, amount: int, **fields: object) -> Refund:
    locking.lock_slot(payment.slot_id)
    locked = states.lock_payment(payment.id)
    return refunds.request(
        payment=locked,
        amount=amount,
        reason=RefundReason.OPERATOR,
        actor="user:1",
        now=cast.at(5),
        **fields,
    )


def test_cancelling_before_the_start_returns_everything(spot: Spot, processor: Processor) -> None:
    payment = a_paid_booking(spot, processor, start=cast.at(60))
    reference = payment.slot.booking.reference
    assert cancel.due_now(reference=reference, now=cast.at(30)) == 200
    done = cancel_booking(reference=reference.lower(), now=cast.at(30), actor="citizen")
    assert done.refunded == 200
    assert fresh(payment.slot).state == SlotState.CANCELLED
    [refund] = Refund.objects.all()
    assert (refund.state, refund.reason) == ("requested", "cancelled")
    assert processor.all("refunds") == [], "the call is the task's work"

    refunds.submit(refund_id=refund.id, now=cast.at(30))
    assert fresh(refund).state == "succeeded"
    assert books()[-1] == ("refund", {"parking_revenue:kamppi": 200, "psp_clearing": -200})
    check_books()
    assert set(Mail.objects.values_list("kind", "amount")) == {
        ("confirmed", None),
        ("cancelled", 200),
    }
    assert processor.all("refunds")[0]["metadata"] == {"refund": str(refund.id)}
    assert cast.a_hold(spot, start=cast.at(60), now=cast.at(31)).state == SlotState.HELD


def test_cancelling_during_the_stay_returns_the_unused_minutes(
    spot: Spot, processor: Processor
) -> None:
    payment = a_paid_booking(spot, processor)
    done = cancel_booking(
        reference=payment.slot.booking.reference, now=cast.at(30), actor="citizen"
    )
    assert done.refunded == 100
    assert Refund.objects.get().reason == "unused_time"


def test_cancelling_twice_refunds_once(spot: Spot, processor: Processor) -> None:
    payment = a_paid_booking(spot, processor, start=cast.at(60))
    reference = payment.slot.booking.reference
    cancel_booking(reference=reference, now=cast.at(30), actor="citizen")
    with pytest.raises(refusals.WrongState):
        cancel_booking(reference=reference, now=cast.at(31), actor="citizen")
    assert cancel.due_now(reference=reference, now=cast.at(31)) is None
    assert Refund.objects.count() == 1


def test_less_than_was_told_cancels_nothing(spot: Spot, processor: Processor) -> None:
    payment = a_paid_booking(spot, processor)
    with pytest.raises(cancel.LessDue) as less:
        cancel_booking(
            reference=payment.slot.booking.reference, now=cast.at(45), actor="citizen", told=100
        )
    assert less.value.due == 50
    assert fresh(payment.slot).state == SlotState.CONFIRMED
    assert not Refund.objects.exists()
    assert not Mail.objects.filter(kind="cancelled").exists()


def test_a_free_stay_is_cancelled_without_a_refund(processor: Processor, db: None) -> None:
    slot = cast.a_hold(cast.a_spot(cast.a_zone(tariff=cast.FREE_OF_CHARGE)), start=cast.at(30))
    done = cancel_booking(reference=slot.booking.reference, now=cast.at(5), actor="citizen")
    assert (done.refunded, done.refund_ids) == (0, [])
    assert fresh(slot).state == SlotState.CANCELLED
    assert not Refund.objects.exists()


def test_two_equal_parts_are_two_refunds(spot: Spot, processor: Processor) -> None:
    payment = a_paid_booking(spot, processor)
    for _ in range(2):
        refunds.submit(refund_id=ask(payment, 50).id, now=cast.at(6))
    assert [row["amount"] for row in processor.all("refunds")] == [50, 50]
    assert refunds.left_of(payment) == 100


def test_more_than_came_in_is_refused(spot: Spot, processor: Processor) -> None:
    payment = a_paid_booking(spot, processor)
    ask(payment, 150)
    with pytest.raises(refunds.OverRefund):
        ask(payment, 51)
    assert Refund.objects.count() == 1
    ask(payment, 50)


def test_an_unpaid_payment_has_nothing_to_return(spot: Spot, processor: Processor) -> None:
    with pytest.raises(refunds.NotPaid):
        ask(an_open_payment(spot), 1)
    assert not Refund.objects.exists()


def test_parts_return_the_tax_to_the_last_unit(processor: Processor, db: None) -> None:
    taxed = {
        **cast.TWO_EURO_AN_HOUR,
        "tax": {"code": "vat", "rate_bp": 2550, "included": True},
    }
    payment = a_paid_booking(cast.a_spot(cast.a_zone(tariff=taxed)), processor)
    for amount in (67, 66, 67):
        refunds.submit(refund_id=ask(payment, amount).id, now=cast.at(6))
    totals: dict[str, int] = {}
    for kind, lines in books():
        if kind != "fee":
            for account, amount in lines.items():
                totals[account] = totals.get(account, 0) + amount
    assert totals == {"psp_clearing": 0, "parking_revenue:kamppi": 0, "tax_payable:vat": 0}
    assert [lines.get("tax_payable:vat") for kind, lines in books() if kind == "refund"] == [
        14,
        13,
        14,
    ]


def test_a_pending_refund_is_followed_to_its_end(spot: Spot, processor: Processor) -> None:
    payment = a_paid_booking(spot, processor, card=PENDING)
    refund = refunds.submit(refund_id=ask(payment, 200).id, now=cast.at(6))
    assert refund.state == "pending"
    assert refund.next_check_at > cast.at(6)
    assert [kind for kind, _ in books()] == ["capture", "fee", "refund"]
    processor.control(f"refunds/{refund.refund_id}/settle", status="succeeded")
    refund = refunds.submit(refund_id=refund.id, now=cast.at(30))
    assert (refund.state, refund.next_check_at) == ("succeeded", None)
    assert [kind for kind, _ in books()] == ["capture", "fee", "refund"]


def test_a_refund_that_comes_back_is_reversed_and_put_before_a_person(
    spot: Spot, processor: Processor
) -> None:
    payment = a_paid_booking(spot, processor)
    refund = refunds.submit(refund_id=ask(payment, 200).id, now=cast.at(6))
    assert refund.state == "succeeded"
    processor.control(f"refunds/{refund.refund_id}/settle", status="failed")
    for event in processor.events("refund.failed", "refund.updated"):
        processor.deliver(event)
    act_on_events(later(1))
    refund = fresh(refund)
    assert refund.state == "failed"
    assert refund.failure
    assert [kind for kind, _ in books()] == ["capture", "fee", "refund", "refund_failed"]
    assert books()[-1][1] == {"parking_revenue:kamppi": -200, "psp_clearing": 200}
    assert MoneyException.objects.get().kind == "refund_failed"
    assert refunds.left_of(payment) == 200, "it can be tried another way"


def test_a_refund_first_seen_failed_leaves_the_same_books(spot: Spot, processor: Processor) -> None:
    payment = a_paid_booking(spot, processor, card=PENDING)
    refund = ask(payment, 200)
    processor.fail("lost_answer", "/v1/refunds", times=3)
    with pytest.raises(gateway.GatewayError):
        refunds.submit(refund_id=refund.id, now=cast.at(6))
    [theirs] = processor.all("refunds")
    processor.control(f"refunds/{theirs['id']}/settle", status="failed")
    for event in processor.events("refund.failed"):
        processor.deliver(event)
    act_on_events(later(1))
    assert fresh(refund).state == "failed"
    assert [kind for kind, _ in books()] == ["capture", "fee", "refund", "refund_failed"]


def test_a_refund_that_the_processor_refuses_moves_no_money(
    spot: Spot, processor: Processor
) -> None:
    payment = a_paid_booking(spot, processor)
    processor.post("refunds", payment_intent=payment.intent_id)
    refund = refunds.submit(refund_id=ask(payment, 200).id, now=cast.at(6))
    assert (refund.state, refund.failure) == ("failed", "charge_already_refunded")
    assert [kind for kind, _ in books()] == ["capture", "fee"]
    assert MoneyException.objects.get().kind == "refund_failed"


def test_a_refund_made_behind_our_back_is_taken_in_and_listed(
    spot: Spot, processor: Processor
) -> None:
    payment = a_paid_booking(spot, processor)
    processor.post("refunds", payment_intent=payment.intent_id, amount=80)
    [event] = processor.events("refund.created")
    for _ in range(2):
        processor.deliver(event)
        act_on_events(later(1))
    refund = Refund.objects.get()
    assert (refund.state, refund.amount, refund.reason) == ("external", 80, "external")
    assert books()[-1] == ("refund", {"parking_revenue:kamppi": 80, "psp_clearing": -80})
    assert MoneyException.objects.get().kind == "external_refund"
    with pytest.raises(refunds.OverRefund):
        ask(payment, 121)

    processor.control(f"refunds/{refund.refund_id}/settle", status="failed")
    processor.deliver(processor.events("refund.failed")[0])
    act_on_events(later(2))
    assert fresh(refund).state == "failed"
    assert [kind for kind, _ in books()][-1] == "refund_failed"


def test_every_refund_gets_a_credit_note(spot: Spot, processor: Processor) -> None:
    payment = a_paid_booking(spot, processor)
    for _ in range(2):
        last = refunds.submit(refund_id=ask(payment, 50).id, now=cast.at(6))
    processor.control(f"refunds/{last.refund_id}/settle", status="failed")
    refunds.adopt(said=gateway.retrieve_refund(last.refund_id), now=cast.at(7))
    ledger.seal()
    assert [
        (str(document), str(document.reverses or ""))
        for document in Document.objects.order_by("entry__number")
    ] == [
        ("R-2026-000001", ""),
        ("C-2026-000001", "R-2026-000001"),
        ("C-2026-000002", "R-2026-000001"),
        ("V-2026-000001", "C-2026-000002"),
    ]


def test_an_old_word_about_an_ended_refund_changes_nothing(
    spot: Spot, processor: Processor
) -> None:
    payment = a_paid_booking(spot, processor, card=PENDING)
    refund = refunds.submit(refund_id=ask(payment, 200).id, now=cast.at(6))
    old = gateway.retrieve_refund(refund.refund_id)
    processor.control(f"refunds/{refund.refund_id}/settle", status="failed")
    refunds.submit(refund_id=refund.id, now=cast.at(7))
    before = books()
    refunds.adopt(said=old, now=cast.at(8))
    assert fresh(refund).state == "failed"
    assert books() == before


def test_a_move_outside_the_table_is_refused(spot: Spot, processor: Processor) -> None:
    payment = a_paid_booking(spot, processor)
    locked = states.lock_payment(payment.id)
    with pytest.raises(states.MoveRefused):
        states.expire_payment(payment=locked, now=cast.at(9))
    assert fresh(payment).state == "paid"
    assert checkout.sync_payment(payment_id=payment.id, now=cast.at(9)).state == "paid"
