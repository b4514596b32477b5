"""Refunds: within what was captured; some stay pending, some fail later, as the card decides."""

from payments.sandbox.cards import find_card
from payments.sandbox.errors import ApiError, Json, no_such, unexpected_state
from payments.sandbox.kinds import CHARGE, DISPUTE, INTENT, REFUND, TRANSACTION
from payments.sandbox.objects.balance import book
from payments.sandbox.params import Params
from payments.sandbox.store import field
from payments.sandbox.world import World

REASONS = ("duplicate", "fraudulent", "requested_by_customer")
# A dispute in one of these states holds or has taken the money.
HOLDING_DISPUTES = ("needs_response", "under_review", "lost")


def create_refund(world: World, params: Params) -> Json:
    """Refund a charge, whole or in part."""
    charge = _charge_to_refund(world, params)
    wanted = params.integer("amount", minimum=1)
    reason = params.choice("reason", REASONS)
    left = charge["amount_captured"] - charge["amount_refunded"]
    if not charge["captured"]:
        raise unexpected_state(
            f"Charge {charge['id']} has not been captured; there is nothing to refund.",
            code="charge_not_refundable",
        )
    if charge["disputed"] and _held_by_dispute(world, charge):
        raise unexpected_state(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
        )
    if left == 0:
        raise unexpected_state(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    amount = left if wanted is None else wanted
    if amount > left:
        raise ApiError(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            param="amount",
            began=True,
        )
    return _refund(world, charge, amount=amount, reason=reason, metadata=params.metadata())


def _charge_to_refund(world: World, params: Params) -> Json:
    intent_id, charge_id = params.text("payment_intent"), params.text("charge")
    if charge_id is not None:
        charge = world.get(CHARGE, charge_id, param="charge")
        if intent_id not in (None, charge["payment_intent"]):
            raise ApiError(
                f"Charge {charge_id} does not belong to PaymentIntent {intent_id}.", param="charge"
            )
        return charge
    if intent_id is None:
        raise ApiError(
            "One of the following params should be provided for this request: payment_intent or"
            " charge.",
            code="parameter_missing",
        )
    intent = world.store.get(INTENT, intent_id)
    if intent is None:
        raise no_such("payment_intent", intent_id, param="payment_intent")
    charge = world.store.get(CHARGE, intent["latest_charge"] or "") or {}
    if charge.get("status") != "succeeded":
        raise unexpected_state(
            f"This PaymentIntent ({intent_id}) does not have a successful charge to refund.",
            code="payment_intent_unexpected_state",
        )
    return charge


def _held_by_dispute(world: World, charge: Json) -> bool:
    disputes = world.store.select(DISPUTE, [f"{field('charge')} = ?"], [charge["id"]])
    return any(dispute["status"] in HOLDING_DISPUTES for dispute in disputes)


def _refund(
    world: World, charge: Json, *, amount: int, reason: str | None, metadata: dict[str, str]
) -> Json:
    card = find_card(charge["_card"])
    behaviour = card.refund if card else "succeeded"
    refund = world.new(
        REFUND,
        {
            "amount": amount,
            "balance_transaction": None,
            "charge": charge["id"],
            "currency": charge["currency"],
            "destination_details": {"card": {"type": "refund"}, "type": "card"},
            "metadata": metadata,
            "payment_intent": charge["payment_intent"],
            "reason": reason,
            "receipt_number": None,
            "status": "pending" if behaviour == "pending" else "succeeded",
        },
    )
    taken = world.get(TRANSACTION, charge["balance_transaction"])
    transaction = book(
        world,
        type="refund",
        amount=-amount,
        currency=charge["currency"],
        source=refund["id"],
        # Money that is still pending is given back from what is pending.
        available_on=max(world.moment, taken["available_on"]),
    )
    world.change(REFUND, refund, {"balance_transaction": transaction["id"]})
    _count_refund(world, charge, amount)
    world.emit("refund.created", refund)
    world.emit("charge.refunded", charge)
    if behaviour != "succeeded":
        later = "refund.succeed" if behaviour == "pending" else "refund.fail"
        world.schedule(later, refund["id"], at=world.moment + world.terms.refund_delay)
    return refund


def _count_refund(world: World, charge: Json, amount: int) -> None:
    refunded = charge["amount_refunded"] + amount
    world.change(
        CHARGE,
        charge,
        {"amount_refunded": refunded, "refunded": refunded == charge["amount_captured"]},
    )


def succeed_when_due(world: World, refund_id: str) -> None:
    """Let a pending refund arrive."""
    refund = world.store.get(REFUND, refund_id)
    if refund and refund["status"] == "pending":
        _succeed(world, refund)


def fail_when_due(world: World, refund_id: str) -> None:
    """Let a refund that seemed to have arrived come back."""
    refund = world.store.get(REFUND, refund_id)
    if refund and refund["status"] == "succeeded":
        _give_back(world, refund, status="failed")


def settle_refund(world: World, refund: Json, *, status: str) -> Json:
    """Decide now what becomes of a refund: `succeeded`, `failed` or `canceled`.

    A pending one may become any of them, one that succeeded may still fail.
    """
    allowed = {"pending": ("succeeded", "failed", "canceled"), "succeeded": ("failed",)}
    if status not in allowed.get(refund["status"], ()):
        raise unexpected_state(f"A refund that is {refund['status']} cannot become {status}.")
    if status == "succeeded":
        return _succeed(world, refund)
    return _give_back(world, refund, status=status)


def _succeed(world: World, refund: Json) -> Json:
    world.change(REFUND, refund, {"status": "succeeded"})
    world.emit("refund.updated", refund)
    world.emit("charge.refund.updated", refund)
    return refund


def _give_back(world: World, refund: Json, *, status: str) -> Json:
    transaction = book(
        world,
        type="refund_failure",
        amount=refund["amount"],
        currency=refund["currency"],
        source=refund["id"],
    )
    changes: Json = {"status": status, "failure_balance_transaction": transaction["id"]}
    if status == "failed":
        changes["failure_reason"] = "expired_or_canceled_card"
    world.change(REFUND, refund, changes)
    _count_refund(world, world.get(CHARGE, refund["charge"]), -refund["amount"])
    world.emit("refund.updated", refund)
    world.emit("charge.refund.updated", refund)
    if status == "failed":
        world.emit("refund.failed", refund)
    return refund


def cancel_refund(world: World, refund: Json) -> Json:
    """Refuse, as Stripe does for cards: only a refund that needs the customer can be cancelled."""
    raise unexpected_state(
        f"Only a refund with a status of requires_action can be canceled. This refund"
        f" ({refund['id']}) has a status of {refund['status']}."
    )
