"""Payouts: what the processor sent to the city's bank, and whether its parts add up to it.

R4 of the reconciliation. A payout ties when the balance transactions that it carries sum to it,
each of them stands in the books as it is, and so does the bank's side. What does not tie is put
before a person and looked at again; nothing is ever made to fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from payments import balances, exception_list, gateway, ledger
from payments.models import MoneyException, Payout, PayoutPart
from payments.records import Movement, ProcessorPayout

FAILED = ("failed", "canceled")


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a payout carries, its own movement apart, and what took it back if it failed."""

    carried: Sequence[Movement]
    own: Movement | None
    back: Movement | None


def parts_of(said: ProcessorPayout) -> Parts:
    """Ask what a payout carries, what it did itself, and what took it back."""
    listed = list(gateway.movements_of_payout(said.id)) if said.is_itemised else []
    own = next((one for one in listed if one.id == said.balance_transaction_id), None)
    if own is None and said.balance_transaction_id:
        own = gateway.retrieve_movement(said.balance_transaction_id)
    back = said.failure_transaction_id
    return Parts(
        carried=[one for one in reversed(listed) if one.id != said.balance_transaction_id],
        own=own,
        back=gateway.retrieve_movement(back) if back else None,
    )


def adopt(*, said: ProcessorPayout, parts: Parts, now: datetime) -> Payout:
    """Bring our rows and the books to a payout as the processor has it; say whether it ties."""
    with transaction.atomic():
        for movement in (parts.own, parts.back):
            if movement is not None:
                ledger.post_payout(movement=movement, now=now)
        troubles = _troubles(said, parts)
        payout, _is_new = Payout.objects.update_or_create(
            payout_id=said.id,
            defaults={
                "amount": said.amount,
                "currency": said.currency,
                "status": said.status,
                "is_itemised": said.is_itemised,
                "balance_transaction_id": said.balance_transaction_id,
                "failure_transaction_id": said.failure_transaction_id,
                "failure": said.failure,
                "created_at": said.occurred_at,
                "arrives_on": said.arrives_on,
                "is_tied": said.is_itemised and not troubles,
                "checked_at": now,
            },
        )
        PayoutPart.objects.bulk_create(
            [
                PayoutPart(
                    payout=payout,
                    balance_transaction_id=movement.id,
                    type=movement.type,
                    net=movement.net,
                    known_at=now,
                )
                for movement in parts.carried
            ],
            ignore_conflicts=True,
        )
        if said.status in FAILED:
            troubles["failed"] = f"{said.status}: {said.failure or 'no reason given'}"
        for what, detail in troubles.items():
            exception_list.put(
                kind=MoneyException.Kind.PAYOUT,
                key=f"payout:{said.id}:{what}",
                detail=f"{said.id} of {said.amount} {said.currency}: {detail}",
                concerns=said.occurred_at,
                now=now,
            )
    return payout


def _troubles(said: ProcessorPayout, parts: Parts) -> dict[str, str]:
    """Return what does not tie, by a short name."""
    found: dict[str, str] = {}
    total = sum(one.net for one in parts.carried)
    if not said.is_automatic:
        found["not-itemised"] = "made by hand, so the processor names no parts"
    elif said.is_itemised and total != said.amount:
        found["sum"] = f"its {len(parts.carried)} parts sum to {total}"
    booked = balances.booked([one.id for one in parts.carried])
    if wrong := [one for one in parts.carried if booked.get(one.id) != one.net]:
        first = wrong[0]
        found["parts"] = (
            f"{len(wrong)} parts differ from the books, first {first.id}: "
            f"{first.net}, in the books {booked.get(first.id, 0)}"
        )
    expected = 0 if parts.back else said.amount
    if (in_bank := balances.in_bank(said.id)) != expected:
        found["bank"] = f"{in_bank} on the account of the bank, not {expected}"
    return found
