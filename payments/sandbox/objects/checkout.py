"""Checkout Sessions: created, expired, listed. Paying is in `paying.py`."""

from dataclasses import dataclass

from payments.sandbox.errors import ApiError, Json, unexpected_state
from payments.sandbox.kinds import CUSTOMER, INTENT, SESSION
from payments.sandbox.money import check_amount, read_currency
from payments.sandbox.params import Params
from payments.sandbox.world import DAY, World

SHORTEST_LIFE = 30 * 60
LONGEST_LIFE = DAY
# Options of the page that change nothing here.
_WITHOUT_EFFECT = ("adaptive_pricing", "locale", "submit_type", "wallet_options")


@dataclass(frozen=True)
class _Order:
    lines: list[Json]
    total: int
    currency: str


def create_session(world: World, params: Params) -> Json:
    """Create a session; its `url` is the page on which to pay."""
    params.accept(_WITHOUT_EFFECT)
    params.required_text("mode")
    params.choice("mode", ["payment"])
    params.choice("ui_mode", ["hosted", "hosted_page"])
    for method in params.texts("payment_method_types"):
        if method != "card":
            raise ApiError("The sandbox supports cards only.", param="payment_method_types")
    params.required_text("success_url")
    order = _read_order(params)
    check_amount(order.total, order.currency, world.terms)
    customer = params.text("customer")
    if customer is not None:
        world.get(CUSTOMER, customer, param="customer")
    session = world.new(
        SESSION,
        {
            "amount_subtotal": order.total,
            "amount_total": order.total,
            "automatic_tax": {"enabled": False, "liability": None, "status": None},
            "cancel_url": params.url("cancel_url"),
            "client_reference_id": params.text("client_reference_id", max_length=200),
            "currency": order.currency,
            "custom_fields": [],
            "customer": customer,
            "customer_creation": params.choice(
                "customer_creation", ["if_required", "always"], "if_required"
            ),
            "customer_details": None,
            "customer_email": params.text("customer_email", max_length=800),
            "expires_at": _read_expiry(world, params),
            "invoice": None,
            "metadata": params.metadata(),
            "mode": "payment",
            "payment_intent": None,
            "payment_method_types": ["card"],
            "payment_status": "unpaid",
            "status": "open",
            "success_url": params.url("success_url"),
            "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
            "ui_mode": "hosted",
            "url": None,
            "_intent": _read_intent(params),
            "_line_items": order.lines,
        },
    )
    world.change(SESSION, session, {"url": f"{world.public_url}/c/pay/{session['id']}"})
    world.schedule("session.expire", session["id"], at=session["expires_at"])
    return session


def _read_expiry(world: World, params: Params) -> int:
    expires_at = params.integer("expires_at")
    if expires_at is None:
        return world.moment + LONGEST_LIFE
    if expires_at < world.moment + SHORTEST_LIFE:
        raise ApiError(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session"
            " creation.",
            param="expires_at",
        )
    if expires_at > world.moment + LONGEST_LIFE:
        raise ApiError(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
            param="expires_at",
        )
    return expires_at


def _read_intent(params: Params) -> Json:
    data = params.group("payment_intent_data")
    return {
        "capture_method": data.choice(
            "capture_method", ["automatic", "automatic_async", "manual"], "automatic_async"
        ),
        "description": data.text("description", max_length=1000),
        "metadata": data.metadata(),
        "receipt_email": data.text("receipt_email", max_length=800),
        "statement_descriptor": data.text("statement_descriptor", max_length=22),
        "statement_descriptor_suffix": data.text("statement_descriptor_suffix", max_length=22),
    }


def _read_order(params: Params) -> _Order:
    lines: list[Json] = []
    currency = ""
    for number, item in enumerate(params.groups("line_items", required=True)):
        price = item.required_group("price_data")
        product = price.required_group("product_data")
        quantity = item.required_integer("quantity", minimum=1)
        unit_amount = price.required_integer("unit_amount", minimum=0)
        line_currency = read_currency(price.required_text("currency"), param=price.path("currency"))
        if currency and line_currency != currency:
            raise ApiError("All line items must have the same currency.", param="line_items")
        currency = line_currency
        lines.append(
            {
                "id": f"li_{number + 1}",
                "object": "item",
                "amount_discount": 0,
                "amount_subtotal": unit_amount * quantity,
                "amount_tax": 0,
                "amount_total": unit_amount * quantity,
                "currency": currency,
                "description": product.required_text("name"),
                "metadata": item.metadata(),
                "price": None,
                "quantity": quantity,
                "_note": product.text("description"),
            }
        )
    if not 1 <= len(lines) <= 100:
        raise ApiError("A session has 1 to 100 line items.", param="line_items")
    return _Order(lines, sum(line["amount_total"] for line in lines), currency)


def expire_session(world: World, session: Json) -> Json:
    """Expire an open session; refuse one that is complete or expired."""
    if session["status"] != "open":
        raise unexpected_state(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout'
            f" Session has a status of `{session['status']}`."
        )
    world.change(SESSION, session, {"status": "expired", "url": None})
    if session["payment_intent"]:
        intent = world.get(INTENT, session["payment_intent"])
        world.change(
            INTENT,
            intent,
            {
                "status": "canceled",
                "canceled_at": world.moment,
                "cancellation_reason": "expired",
                "next_action": None,
            },
        )
        world.emit("payment_intent.canceled", intent)
    world.emit("checkout.session.expired", session)
    return session


def expire_when_due(world: World, session_id: str) -> None:
    """Expire a session whose time has come; a paid or expired one stays as it is."""
    session = world.store.get(SESSION, session_id)
    if session and session["status"] == "open":
        expire_session(world, session)
