"""Disputes: the bank takes the money back, and returns it if the dispute is won."""

from payments.sandbox.errors import Json, unexpected_state
from payments.sandbox.kinds import CHARGE, DISPUTE
from payments.sandbox.objects.balance import book
from payments.sandbox.params import Params
from payments.sandbox.publish import publish
from payments.sandbox.world import DAY, World

REASONS = (
    "credit_not_processed",
    "duplicate",
    "fraudulent",
    "general",
    "product_not_received",
    "product_unacceptable",
    "subscription_canceled",
    "unrecognized",
)
OPEN = ("needs_response", "under_review")
TIME_TO_ANSWER = 7 * DAY


def open_dispute(world: World, charge: Json, *, reason: str) -> Json:
    """Dispute what is left of a captured charge."""
    amount = charge["amount_captured"] - charge["amount_refunded"]
    if charge["disputed"] or amount <= 0:
        raise unexpected_state(
            f"Charge {charge['id']} cannot be disputed: it is disputed already, or no captured"
            " money is left on it."
        )
    dispute = world.new(
        DISPUTE,
        {
            "amount": amount,
            "balance_transactions": [],
            "charge": charge["id"],
            "currency": charge["currency"],
            "evidence": {},
            "evidence_details": {
                "due_by": world.moment + TIME_TO_ANSWER,
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
            },
            "is_charge_refundable": False,
            "metadata": {},
            "payment_intent": charge["payment_intent"],
            "reason": reason,
            "status": "needs_response",
        },
    )
    world.change(CHARGE, charge, {"disputed": True})
    _move(world, dispute, -amount, fee=world.terms.fee_of_dispute(charge["currency"]))
    world.emit("charge.dispute.created", dispute)
    world.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def _move(world: World, dispute: Json, amount: int, *, fee: int = 0) -> None:
    transaction = book(
        world,
        type="adjustment",
        amount=amount,
        currency=dispute["currency"],
        source=dispute["id"],
        fee=fee,
        category="dispute" if amount < 0 else "dispute_reversal",
        description=f"Chargeback {'withdrawal' if amount < 0 else 'reversal'}"
        f" for {dispute['charge']}",
    )
    shown = publish(world.store, transaction, now=world.moment)
    moves = [*dispute["balance_transactions"], shown]
    world.change(DISPUTE, dispute, {"balance_transactions": moves})


def close_dispute(world: World, dispute: Json, *, status: str) -> Json:
    """End an open dispute as `won` or `lost`. A won one gives the money back, never the fee."""
    if dispute["status"] not in OPEN:
        raise unexpected_state(f"This dispute is already closed: it is {dispute['status']}.")
    world.change(DISPUTE, dispute, {"status": status})
    if status == "won":
        _move(world, dispute, dispute["amount"])
        world.emit("charge.dispute.funds_reinstated", dispute)
    world.emit("charge.dispute.closed", dispute)
    return dispute


def accept_dispute(world: World, dispute: Json) -> Json:
    """Accept the loss, as `POST /v1/disputes/{id}/close` does."""
    return close_dispute(world, dispute, status="lost")


def update_dispute(world: World, dispute: Json, params: Params) -> Json:
    """Add evidence or metadata.

    As in Stripe's test mode, submitting `winning_evidence` or `losing_evidence` as the
    uncategorized text ends the dispute.
    """
    evidence = params.group("evidence")
    text = evidence.text("uncategorized_text", max_length=20_000)
    submit = params.flag("submit")
    changes: Json = {"metadata": params.metadata(dispute["metadata"])}
    if text is not None:
        if dispute["status"] not in OPEN:
            raise unexpected_state(f"This dispute is already closed: it is {dispute['status']}.")
        details = dispute["evidence_details"]
        changes["evidence"] = {"uncategorized_text": text}
        changes["evidence_details"] = {
            **details,
            "has_evidence": True,
            "submission_count": details["submission_count"] + (submit is not False),
        }
        if submit is not False:
            changes["status"] = "under_review"
    world.change(DISPUTE, dispute, changes)
    world.emit("charge.dispute.updated", dispute)
    ending = {"winning_evidence": "won", "losing_evidence": "lost"}.get(text or "")
    if ending and submit is not False:
        return close_dispute(world, dispute, status=ending)
    return dispute
