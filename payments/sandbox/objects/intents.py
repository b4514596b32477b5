"""Payment intents: captured, cancelled, or left to lapse."""

from payments.sandbox.cards import find_card
from payments.sandbox.errors import ApiError, Json, unexpected_state
from payments.sandbox.kinds import CHARGE, INTENT, SESSION
from payments.sandbox.objects.balance import book, settlement_moment
from payments.sandbox.params import Params
from payments.sandbox.store import field
from payments.sandbox.world import World

CANCELLATION_REASONS = ("abandoned", "duplicate", "fraudulent", "requested_by_customer")


def settle(world: World, intent: Json, charge: Json, amount: int) -> None:
    """Take the money of an authorized charge: the balance grows by `amount` less the fee."""
    card = find_card(charge["_card"])
    at_once = card is not None and card.available_at_once
    transaction = book(
        world,
        type="charge",
        amount=amount,
        currency=intent["currency"],
        source=charge["id"],
        fee=min(amount, world.terms.fee(amount, intent["currency"])),
        available_on=world.moment if at_once else settlement_moment(world),
        description=intent["description"],
    )
    world.change(
        CHARGE,
        charge,
        {"captured": True, "amount_captured": amount, "balance_transaction": transaction["id"]},
    )
    world.change(
        INTENT,
        intent,
        {"status": "succeeded", "amount_received": amount, "amount_capturable": 0},
    )


def capture_intent(world: World, intent: Json, params: Params) -> Json:
    """Capture an authorized payment, whole or in part; the rest of it is let go."""
    if intent["status"] != "requires_capture":
        raise unexpected_state(
            "This PaymentIntent could not be captured because it has a status of"
            f" {intent['status']}. Only a PaymentIntent with one of the following statuses may be"
            " captured: requires_capture.",
            code="payment_intent_unexpected_state",
        )
    amount = params.integer("amount_to_capture", minimum=1) or intent["amount_capturable"]
    if amount > intent["amount_capturable"]:
        raise ApiError(
            f"You cannot capture more than the amount capturable ({intent['amount_capturable']}).",
            code="amount_too_large",
            param="amount_to_capture",
        )
    charge = world.get(CHARGE, intent["latest_charge"])
    settle(world, intent, charge, amount)
    for session in world.store.select(SESSION, [f"{field('payment_intent')} = ?"], [intent["id"]]):
        world.change(SESSION, session, {"payment_status": "paid"})
    world.emit("charge.captured", charge)
    world.emit("payment_intent.succeeded", intent)
    return intent


def cancel_intent(world: World, intent: Json, params: Params) -> Json:
    """Cancel an authorized payment."""
    reason = params.choice("cancellation_reason", CANCELLATION_REASONS)
    if intent["status"] in ("requires_payment_method", "requires_action"):
        raise unexpected_state(
            "You cannot cancel this PaymentIntent because it was created by a Checkout Session."
            " Expire the Checkout Session instead.",
            code="payment_intent_unexpected_state",
        )
    if intent["status"] != "requires_capture":
        raise unexpected_state(
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}.",
            code="payment_intent_unexpected_state",
        )
    return _cancel(world, intent, reason)


def lapse_when_due(world: World, intent_id: str) -> None:
    """Cancel an authorization that nobody captured in time."""
    intent = world.store.get(INTENT, intent_id)
    if intent and intent["status"] == "requires_capture":
        _cancel(world, intent, "automatic")


def _cancel(world: World, intent: Json, reason: str | None) -> Json:
    world.change(
        INTENT,
        intent,
        {
            "status": "canceled",
            "canceled_at": world.moment,
            "cancellation_reason": reason,
            "amount_capturable": 0,
        },
    )
    charge = world.get(CHARGE, intent["latest_charge"])
    world.change(CHARGE, charge, {"refunded": True, "amount_refunded": charge["amount"]})
    world.emit("payment_intent.canceled", intent)
    return intent
