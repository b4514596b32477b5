"""The kinds of objects: where each is kept, what its ids look like, how a list can be narrowed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind of object.

    `filters` maps a parameter of the list request to the stored field; each has an index.
    """

    name: str
    table: str
    prefix: str
    label: str
    filters: dict[str, str]


SESSION = Kind(
    "checkout.session",
    "checkout_sessions",
    "cs_test_",
    "checkout.session",
    {"payment_intent": "payment_intent", "status": "status", "customer": "customer"},
)
INTENT = Kind(
    "payment_intent", "payment_intents", "pi_", "payment_intent", {"customer": "customer"}
)
CHARGE = Kind(
    "charge",
    "charges",
    "ch_",
    "charge",
    {"payment_intent": "payment_intent", "customer": "customer"},
)
REFUND = Kind(
    "refund", "refunds", "re_", "refund", {"payment_intent": "payment_intent", "charge": "charge"}
)
DISPUTE = Kind(
    "dispute",
    "disputes",
    "dp_",
    "dispute",
    {"payment_intent": "payment_intent", "charge": "charge"},
)
TRANSACTION = Kind(
    "balance_transaction",
    "balance_transactions",
    "txn_",
    "balance transaction",
    # As at Stripe, a list can be narrowed by payout although no field shows it.
    {"payout": "_payout", "source": "source", "type": "type", "currency": "currency"},
)
PAYOUT = Kind("payout", "payouts", "po_", "payout", {"status": "status"})
CUSTOMER = Kind("customer", "customers", "cus_", "customer", {"email": "email"})
ENDPOINT = Kind("webhook_endpoint", "webhook_endpoints", "we_", "webhook endpoint", {})
EVENT = Kind("event", "events", "evt_", "event", {"type": "type"})

KINDS = (
    SESSION,
    INTENT,
    CHARGE,
    REFUND,
    DISPUTE,
    TRANSACTION,
    PAYOUT,
    CUSTOMER,
    ENDPOINT,
    EVENT,
)


def kind_of(object_id: str) -> Kind | None:
    """Return the kind that an id belongs to, by its prefix."""
    return next((kind for kind in KINDS if object_id.startswith(kind.prefix)), None)
