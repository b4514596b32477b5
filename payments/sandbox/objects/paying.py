"""What the Pay button of the hosted page does."""

from dataclasses import dataclass
from typing import Literal

from payments.sandbox.cards import AUTHENTICATION_FAILED, Card, Decline, find_card
from payments.sandbox.errors import Json
from payments.sandbox.kinds import INTENT, SESSION
from payments.sandbox.objects.charges import AUTHORIZATION_LASTS, create_charge
from payments.sandbox.objects.disputes import open_dispute
from payments.sandbox.objects.intents import settle
from payments.sandbox.world import World


@dataclass(frozen=True)
class Outcome:
    """How an attempt to pay ended; `message` is for the payer."""

    result: Literal["paid", "challenge", "declined", "closed"]
    message: str = ""


def pay(world: World, session: Json, card: Card, *, expiry: tuple[int, int]) -> Outcome:
    """Try to pay a session with a card (expiry: year, month)."""
    if session["status"] != "open":
        return Outcome("closed")
    intent = _intent_of(world, session)
    if card.challenge:
        world.change(
            INTENT,
            intent,
            {
                "status": "requires_action",
                "next_action": {"type": "use_stripe_sdk", "use_stripe_sdk": {}},
                "_card": card.number,
                "_expiry": list(expiry),
            },
        )
        world.emit("payment_intent.requires_action", intent)
        return Outcome("challenge")
    return _attempt(world, session, intent, card, expiry, authenticated=False)


def answer_challenge(world: World, session: Json, *, passed: bool) -> Outcome | None:
    """End the 3-D Secure challenge; None when none is under way."""
    if session["status"] != "open":
        return Outcome("closed")
    intent = world.store.get(INTENT, session["payment_intent"] or "")
    if intent is None or intent["status"] != "requires_action":
        return None
    card = find_card(intent["_card"])
    if card is None:
        return None
    year, month = intent["_expiry"]
    if not passed:
        return _fail(world, intent, AUTHENTICATION_FAILED, charge=None)
    return _attempt(world, session, intent, card, (year, month), authenticated=True)


def _intent_of(world: World, session: Json) -> Json:
    if session["payment_intent"]:
        return world.get(INTENT, session["payment_intent"])
    wanted = session["_intent"]
    intent = world.new(
        INTENT,
        {
            "amount": session["amount_total"],
            "amount_capturable": 0,
            "amount_received": 0,
            "automatic_payment_methods": None,
            "canceled_at": None,
            "cancellation_reason": None,
            "currency": session["currency"],
            "customer": session["customer"],
            "last_payment_error": None,
            "latest_charge": None,
            "next_action": None,
            "payment_method": None,
            "payment_method_types": ["card"],
            "status": "requires_payment_method",
            **wanted,
        },
    )
    world.change(SESSION, session, {"payment_intent": intent["id"]})
    world.emit("payment_intent.created", intent)
    return intent


def _attempt(
    world: World,
    session: Json,
    intent: Json,
    card: Card,
    expiry: tuple[int, int],
    *,
    authenticated: bool,
) -> Outcome:
    charge = create_charge(
        world,
        intent=intent,
        card=card,
        expiry=expiry,
        authenticated=authenticated,
        decline=card.decline,
    )
    if card.decline:
        return _fail(world, intent, card.decline, charge=charge)
    world.change(
        INTENT,
        intent,
        {"latest_charge": charge["id"], "last_payment_error": None, "next_action": None},
    )
    manual = intent["capture_method"] == "manual"
    if manual:
        world.change(
            INTENT, intent, {"status": "requires_capture", "amount_capturable": intent["amount"]}
        )
        world.schedule("intent.lapse", intent["id"], at=world.moment + AUTHORIZATION_LASTS)
    else:
        settle(world, intent, charge, intent["amount"])
    world.change(
        SESSION,
        session,
        {
            "status": "complete",
            "url": None,
            "payment_status": "unpaid" if manual else "paid",
            "customer_details": {
                "address": None,
                "email": session["customer_email"],
                "name": None,
                "phone": None,
                "tax_exempt": "none",
                "tax_ids": [],
            },
        },
    )
    world.emit("charge.succeeded", charge)
    world.emit(
        "payment_intent.amount_capturable_updated" if manual else "payment_intent.succeeded", intent
    )
    world.emit("checkout.session.completed", session)
    if card.dispute_reason and not manual:
        open_dispute(world, charge, reason=card.dispute_reason)
    return Outcome("paid")


def _fail(world: World, intent: Json, decline: Decline, *, charge: Json | None) -> Outcome:
    error: Json = {
        "code": decline.code,
        "decline_code": decline.decline_code,
        "message": decline.message,
        "type": "card_error" if charge else "invalid_request_error",
    }
    if charge:
        error["charge"] = charge["id"]
    world.change(
        INTENT,
        intent,
        {
            "status": "requires_payment_method",
            "latest_charge": charge["id"] if charge else intent["latest_charge"],
            "last_payment_error": error,
            "next_action": None,
        },
    )
    if charge:
        world.emit("charge.failed", charge)
    world.emit("payment_intent.payment_failed", intent)
    return Outcome("declined", decline.message)
