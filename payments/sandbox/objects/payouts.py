"""Payouts: what is available goes to the city's bank account."""

from typing import Any

from payments.sandbox.errors import ApiError, Json
from payments.sandbox.kinds import PAYOUT, TRANSACTION
from payments.sandbox.objects.balance import book
from payments.sandbox.store import field
from payments.sandbox.world import DAY, World


def create_payouts(
    world: World, *, currency: str | None = None, arrives_in: int = DAY, fails: bool = False
) -> list[Json]:
    """Pay out everything available that was not paid out before: one payout per currency.

    Each carries its balance transactions: list these by `payout`. Currencies whose sum is not
    above zero wait for the next one. Raises ApiError 400 when there is nothing to pay out.
    """
    conditions = [f"{field('_payout')} IS NULL", f"{field('available_on')} <= ?"]
    values: list[Any] = [world.moment]
    if currency:
        conditions.append(f"{field('currency')} = ?")
        values.append(currency)
    batches: dict[str, list[Json]] = {}
    for row in world.store.select(TRANSACTION, conditions, values, oldest_first=True):
        batches.setdefault(row["currency"], []).append(row)
    payouts = [
        _pay_out(world, code, rows, arrives_in=arrives_in, fails=fails)
        for code, rows in sorted(batches.items())
        if sum(row["net"] for row in rows) > 0
    ]
    if not payouts:
        raise ApiError(
            "Nothing is available to pay out. Money becomes available"
            f" {world.terms.settlement_days} days after it was taken: advance the clock.",
            code="balance_insufficient",
        )
    return payouts


def _pay_out(
    world: World, currency: str, rows: list[Json], *, arrives_in: int, fails: bool
) -> Json:
    amount = sum(row["net"] for row in rows)
    payout = world.new(
        PAYOUT,
        {
            "amount": amount,
            "arrival_date": world.moment + arrives_in,
            "automatic": True,
            "balance_transaction": None,
            "currency": currency,
            "description": "STRIPE PAYOUT",
            "destination": "ba_sandbox",
            "failure_balance_transaction": None,
            "failure_code": None,
            "failure_message": None,
            "metadata": {},
            "method": "standard",
            "original_payout": None,
            "reconciliation_status": "completed",
            "reversed_by": None,
            "source_type": "card",
            "statement_descriptor": None,
            "status": "in_transit",
            "type": "bank_account",
        },
    )
    transaction = book(
        world,
        type="payout",
        amount=-amount,
        currency=currency,
        source=payout["id"],
        description="STRIPE PAYOUT",
    )
    for row in [*rows, transaction]:
        world.change(TRANSACTION, row, {"_payout": payout["id"]})
    world.change(PAYOUT, payout, {"balance_transaction": transaction["id"]})
    world.emit("payout.created", payout)
    world.emit("payout.reconciliation_completed", payout)
    action = "payout.fail" if fails else "payout.arrive"
    world.schedule(action, payout["id"], at=payout["arrival_date"])
    return payout


def arrive_when_due(world: World, payout_id: str) -> None:
    """Let a payout arrive at the bank."""
    payout = world.store.get(PAYOUT, payout_id)
    if payout and payout["status"] == "in_transit":
        world.change(PAYOUT, payout, {"status": "paid"})
        world.emit("payout.paid", payout)


def fail_when_due(world: World, payout_id: str) -> None:
    """Let the bank refuse a payout: the money is available again, for the next one."""
    payout = world.store.get(PAYOUT, payout_id)
    if payout is None or payout["status"] != "in_transit":
        return
    transaction = book(
        world,
        type="payout_failure",
        amount=payout["amount"],
        currency=payout["currency"],
        source=payout["id"],
        description="STRIPE PAYOUT FAILURE",
    )
    world.change(
        PAYOUT,
        payout,
        {
            "status": "failed",
            "failure_code": "account_closed",
            "failure_message": "The bank account has been closed.",
            "failure_balance_transaction": transaction["id"],
        },
    )
    world.emit("payout.failed", payout)
