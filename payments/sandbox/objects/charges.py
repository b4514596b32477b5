"""Charges: one attempt to take money from a card."""

from payments.sandbox.cards import Card, Decline
from payments.sandbox.errors import Json
from payments.sandbox.kinds import CHARGE
from payments.sandbox.world import DAY, World

AUTHORIZATION_LASTS = 7 * DAY


def create_charge(
    world: World,
    *,
    intent: Json,
    card: Card,
    expiry: tuple[int, int],
    authenticated: bool,
    decline: Decline | None = None,
) -> Json:
    """Record an attempt: authorized, or failed when a decline is given. Money moves on capture."""
    return world.new(
        CHARGE,
        {
            "amount": intent["amount"],
            "amount_captured": 0,
            "amount_refunded": 0,
            "balance_transaction": None,
            "billing_details": {"address": None, "email": None, "name": None, "phone": None},
            "calculated_statement_descriptor": "SANDBOX",
            "captured": False,
            "currency": intent["currency"],
            "customer": intent["customer"],
            "description": intent["description"],
            "disputed": False,
            "failure_balance_transaction": None,
            "failure_code": decline.code if decline else None,
            "failure_message": decline.message if decline else None,
            "metadata": intent["metadata"],
            "outcome": _outcome(decline),
            "paid": decline is None,
            "payment_intent": intent["id"],
            "payment_method": None,
            "payment_method_details": {
                "card": _card_details(world, intent, card, expiry, authenticated=authenticated),
                "type": "card",
            },
            "receipt_email": intent["receipt_email"],
            "receipt_url": None,
            "refunded": False,
            "status": "failed" if decline else "succeeded",
            "_card": card.number,
        },
    )


def _outcome(decline: Decline | None) -> Json:
    if decline is None:
        return {
            "network_status": "approved_by_network",
            "reason": None,
            "risk_level": "normal",
            "seller_message": "Payment complete.",
            "type": "authorized",
        }
    return {
        "network_status": "declined_by_network",
        "reason": decline.decline_code,
        "risk_level": "normal",
        "seller_message": "The bank did not return any further details with this decline.",
        "type": "issuer_declined",
    }


def _card_details(
    world: World, intent: Json, card: Card, expiry: tuple[int, int], *, authenticated: bool
) -> Json:
    year, month = expiry
    manual = intent["capture_method"] == "manual"
    secure = {"authentication_flow": "challenge", "result": "authenticated", "version": "2.2.0"}
    return {
        "amount_authorized": intent["amount"],
        "brand": card.brand,
        "capture_before": world.moment + AUTHORIZATION_LASTS if manual else None,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "pass",
        },
        "country": "US",
        "exp_month": month,
        "exp_year": year,
        "funding": "credit",
        "last4": card.last4,
        "network": card.brand,
        "three_d_secure": secure if authenticated else None,
    }
