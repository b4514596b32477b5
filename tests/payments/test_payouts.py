"""R4: every payout ties to what it carries and to the bank's side, or stands on the list."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from parking.models import Spot
from payments import (
    audit_files,
    balances,
    gateway,
    ledger,
    payouts,
    periods,
    reconciliation,
    tasks,
)
from payments.audit_tables import LINES, PAYOUTS
from payments.models import (
    MoneyException,
    Payout,
    PayoutPart,
    PeriodKind,
    Reconciliation,
)
from payments.reports import Range
from tests import cast
from tests.payments.processor import Processor
from tests.payments.situations import a_paid_booking, act_on_events, books, later

AT_ONCE = "4000000000000077"


def paid_out(processor: Processor, **how: Any) -> dict[str, Any]:
    [payout] = processor.control("payouts", **how)["data"]
    return dict(payout)


def troubles() -> list[str]:
    return [key.rpartition(":")[2] for key in MoneyException.objects.values_list("key", flat=True)]


def test_a_payout_ties_to_its_parts_and_to_the_bank(spot: Spot, processor: Processor) -> None:
    first = a_paid_booking(spot, processor, card=AT_ONCE, start=cast.at(60))
    second = a_paid_booking(spot, processor, card=AT_ONCE, start=cast.at(180))
    said = paid_out(processor)
    assert reconciliation.compare_payouts(now=cast.at(10)) == 0
    payout = Payout.objects.get()
    assert (payout.payout_id, payout.amount, payout.is_tied) == (said["id"], 344, True)
    parts = set(payout.parts.values_list("balance_transaction_id", "net"))
    assert parts == {(one.balance_transaction_id, 172) for one in (first, second)}
    assert books()[-1] == ("payout", {"bank": 344, "psp_clearing": -344})
    assert balances.in_bank(said["id"]) == 344
    assert troubles() == []
    run = Reconciliation.objects.get()
    assert (run.kind, run.seen, run.reached_at) == ("payouts", 1, cast.at(10))


def test_a_closed_day_reads_the_same_when_it_is_paid_out_later(
    spot: Spot, processor: Processor
) -> None:
    auditor = cast.a_person("auditor")
    paid = a_paid_booking(spot, processor, card=AT_ONCE)
    ledger.seal()
    day = paid.slot.payments.get().entries.latest("id").business_on
    covered = Range(first_on=day, last_on=day)

    def lines() -> bytes:
        return b"".join(
            audit_files.send(
                table=LINES, kind="csv", covered=covered, user=auditor, now=cast.at(20)
            )
        )

    tomorrow = cast.at(24 * 60)
    Reconciliation.objects.create(kind="balance", started_at=tomorrow, reached_at=tomorrow)
    open_lines = lines()
    closed = periods.close(kind=PeriodKind.DAY, day=day, by=auditor, now=tomorrow)
    before = lines()
    assert before == open_lines
    said = gateway.retrieve_payout(paid_out(processor)["id"])
    late = closed.closed_at + timedelta(days=2)
    payouts.adopt(said=said, parts=payouts.parts_of(said), now=late)
    assert lines() == before
    [carried] = PAYOUTS.rows(Range(first_on=day, last_on=late.date()), limit=9)
    assert (carried["payout"], carried["net"]) == (said.id, 172)
    assert carried["balance_transaction"] in before.decode()
    PayoutPart.objects.update(known_at=closed.closed_at)  # heard of just in time
    assert said.id in lines().decode()


def test_comparing_again_changes_nothing(spot: Spot, processor: Processor) -> None:
    a_paid_booking(spot, processor, card=AT_ONCE)
    paid_out(processor)
    for minute in (10, 20):
        reconciliation.compare_payouts(now=cast.at(minute))
        reconciliation.compare_balance(now=cast.at(minute))
    assert [kind for kind, _ in books()] == ["capture", "fee", "payout"]
    assert PayoutPart.objects.count() == 1


def test_a_notice_is_enough(spot: Spot, processor: Processor) -> None:
    a_paid_booking(spot, processor, card=AT_ONCE)
    paid_out(processor)
    [event] = processor.events("payout.reconciliation_completed")
    assert processor.deliver(event) == 200
    act_on_events(later(1))
    assert Payout.objects.get().is_tied
    assert books()[-1][0] == "payout"


def test_a_failed_payout_comes_back_and_a_person_hears_of_it(
    spot: Spot, processor: Processor
) -> None:
    a_paid_booking(spot, processor, card=AT_ONCE)
    said = paid_out(processor, fails=True, arrives_in=60)
    reconciliation.compare_payouts(now=cast.at(0.5))
    processor.stand_at(cast.at(2))
    reconciliation.compare_payouts(now=cast.at(3))
    payout = Payout.objects.get()
    assert (payout.status, payout.failure, payout.is_tied) == ("failed", "account_closed", True)
    assert balances.in_bank(said["id"]) == 0
    assert troubles() == ["failed"]
    assert reconciliation.compare_balance(now=cast.at(4)).agrees

    again = paid_out(processor)
    assert reconciliation.compare_payouts(now=cast.at(5)) == 0
    assert balances.in_bank(again["id"]) == 172


def test_a_part_that_nobody_heard_of_is_booked_first(spot: Spot, processor: Processor) -> None:
    payment = a_paid_booking(spot, processor, card=AT_ONCE)
    foreign = processor.post("refunds", payment_intent=payment.intent_id, amount=50)
    paid_out(processor)
    assert reconciliation.compare_payouts(now=cast.at(5)) == 0
    assert books()[-2][0] == "refund"
    movement = foreign["balance_transaction"]
    assert balances.booked([movement]) == {movement: -50}


def test_a_part_that_is_not_ours_is_listed_until_somebody_explains_it(
    spot: Spot, processor: Processor
) -> None:
    a_paid_booking(spot, processor, card=AT_ONCE)
    processor.pay(processor.a_foreign_page(), AT_ONCE)
    paid_out(processor)
    for minute in (5, 6):
        assert reconciliation.compare_payouts(now=cast.at(minute)) == 1
        assert not Payout.objects.get().is_tied
        assert troubles() == ["parts"]


def test_a_payout_that_is_not_the_sum_of_its_parts_is_listed(
    spot: Spot, processor: Processor
) -> None:
    a_paid_booking(spot, processor, card=AT_ONCE)
    said = gateway.retrieve_payout(paid_out(processor)["id"])
    wrong = replace(said, amount=said.amount + 1)
    payout = payouts.adopt(said=wrong, parts=payouts.parts_of(said), now=cast.at(5))
    assert not payout.is_tied
    assert sorted(troubles()) == ["bank", "sum"]


def test_one_that_cannot_be_itemised_yet_is_neither_tied_nor_trouble(
    spot: Spot, processor: Processor
) -> None:
    a_paid_booking(spot, processor, card=AT_ONCE)
    said = gateway.retrieve_payout(paid_out(processor)["id"])
    early = replace(said, is_itemised=False)
    payout = payouts.adopt(said=early, parts=payouts.parts_of(early), now=cast.at(5))
    assert not payout.is_tied
    assert troubles() == []
    assert reconciliation.compare_payouts(now=cast.at(6)) == 0


def test_money_missing_at_the_bank_is_listed(spot: Spot, processor: Processor) -> None:
    a_paid_booking(spot, processor, card=AT_ONCE)
    said = paid_out(processor)
    reconciliation.compare_payouts(now=cast.at(5))
    with connection.cursor() as cursor:  # as somebody could who switches the triggers off
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET session_replication_role = replica")
        cursor.execute("UPDATE payments_ledgerline SET amount = 100 WHERE account = 'bank'")
        cursor.execute("SET session_replication_role = DEFAULT")
    assert reconciliation.compare_payouts(now=cast.at(6)) == 1
    assert troubles() == ["bank"]
    assert said["id"] in MoneyException.objects.get().detail


def test_one_that_does_not_tie_is_looked_at_however_old(spot: Spot, processor: Processor) -> None:
    a_paid_booking(spot, processor, card=AT_ONCE)
    processor.pay(processor.a_foreign_page(), AT_ONCE)
    paid_out(processor)
    reconciliation.compare_payouts(now=cast.at(5))
    in_a_month = cast.NOW + timedelta(days=40)
    Reconciliation.objects.create(kind="payouts", started_at=in_a_month, reached_at=in_a_month)
    assert reconciliation.compare_payouts(now=in_a_month) == 1
    assert Payout.objects.get().checked_at == in_a_month


@pytest.mark.parametrize("path", ["/v1/payouts", "/v1/balance_transactions*"])
def test_an_outage_leaves_no_half_payout(spot: Spot, processor: Processor, path: str) -> None:
    a_paid_booking(spot, processor, card=AT_ONCE)
    paid_out(processor)
    processor.fail("error", path, method="GET", status=503)
    tasks.compare_payouts()
    assert not Payout.objects.exists()
    assert [kind for kind, _ in books()] == ["capture", "fee"]
    assert Reconciliation.objects.get().reached_at is None
