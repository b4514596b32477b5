"""The test cards. Any other number is refused: no real card may ever be typed here."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Decline:
    """Why the bank says no, in Stripe's words."""

    code: str
    decline_code: str
    message: str


@dataclass(frozen=True)
class Card:
    """One test card and what it makes happen."""

    number: str
    does: str
    brand: str = "visa"
    challenge: bool = False
    decline: Decline | None = None
    dispute_reason: str | None = None
    refund: str = "succeeded"
    available_at_once: bool = False

    @property
    def last4(self) -> str:
        """Return the last four digits."""
        return self.number[-4:]

    @property
    def cvc_length(self) -> int:
        """Return how many digits the security code has."""
        return 4 if self.brand == "amex" else 3

    @property
    def spaced(self) -> str:
        """Return the number in the groups in which it is printed."""
        if self.brand == "amex":
            return f"{self.number[:4]} {self.number[4:10]} {self.number[10:]}"
        return " ".join(self.number[place : place + 4] for place in range(0, 16, 4))


def _declined(code: str, message: str) -> Decline:
    return Decline("card_declined", code, message)


_NO = "Your card was declined."
AUTHENTICATION_FAILED = Decline(
    "payment_intent_authentication_failure",
    "authentication_required",
    "We are unable to authenticate your payment method. Please choose a different payment method"
    " and try again.",
)

TEST_CARDS = (
    Card("4242424242424242", "Succeeds"),
    Card("5555555555554444", "Succeeds (Mastercard)", brand="mastercard"),
    Card("378282246310005", "Succeeds (American Express, 4-digit CVC)", brand="amex"),
    Card("4000000000000077", "Succeeds; the money is available at once", available_at_once=True),
    Card("4000002500003155", "Asks for 3-D Secure, then succeeds", challenge=True),
    Card("4000002760003184", "Asks for 3-D Secure, then succeeds", challenge=True),
    Card(
        "4000008400001629",
        "Asks for 3-D Secure, then is declined",
        challenge=True,
        decline=_declined("generic_decline", _NO),
    ),
    Card("4000000000000002", "Declined", decline=_declined("generic_decline", _NO)),
    Card(
        "4000000000009995",
        "Declined: insufficient funds",
        decline=_declined("insufficient_funds", "Your card has insufficient funds."),
    ),
    Card("4000000000009987", "Declined: lost card", decline=_declined("lost_card", _NO)),
    Card("4000000000009979", "Declined: stolen card", decline=_declined("stolen_card", _NO)),
    Card(
        "4000000000000069",
        "Declined: expired card",
        decline=Decline("expired_card", "expired_card", "Your card has expired."),
    ),
    Card(
        "4000000000000127",
        "Declined: wrong CVC",
        decline=Decline(
            "incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect."
        ),
    ),
    Card(
        "4000000000000119",
        "Declined: processing error",
        decline=Decline(
            "processing_error",
            "processing_error",
            "An error occurred while processing your card. Try again in a little bit.",
        ),
    ),
    Card(
        "4000000000000259", "Succeeds, then is disputed as fraudulent", dispute_reason="fraudulent"
    ),
    Card(
        "4000000000002685",
        "Succeeds, then is disputed: service not received",
        dispute_reason="product_not_received",
    ),
    Card("4000000000007726", "Succeeds; a refund stays pending first", refund="pending"),
    Card("4000000000005126", "Succeeds; a refund fails later", refund="fails_later"),
)
_BY_NUMBER = {card.number: card for card in TEST_CARDS}


def find_card(written: str) -> Card | None:
    """Return the test card with this number, spaces and dashes aside."""
    return _BY_NUMBER.get(re.sub(r"[\s-]", "", written))
