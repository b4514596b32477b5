"""The account's money: balance transactions, what is available, what is still pending."""

from payments.sandbox.errors import Json
from payments.sandbox.kinds import TRANSACTION
from payments.sandbox.store import field
from payments.sandbox.world import DAY, World


def book(
    world: World,
    *,
    type: str,  # noqa: A002 - the field's own name
    amount: int,
    currency: str,
    source: str,
    fee: int = 0,
    available_on: int | None = None,
    category: str | None = None,
    description: str | None = None,
) -> Json:
    """Book a movement of `amount` minor units, `fee` taken from it; negative amounts go out."""
    detail = {
        "amount": fee,
        "application": None,
        "currency": currency,
        "description": "Stripe processing fees",
        "type": "stripe_fee",
    }
    return world.new(
        TRANSACTION,
        {
            "amount": amount,
            "available_on": world.moment if available_on is None else available_on,
            "balance_type": "payments",
            "currency": currency,
            "description": description,
            "exchange_rate": None,
            "fee": fee,
            "fee_details": [detail] if fee else [],
            "net": amount - fee,
            "reporting_category": category or type,
            "source": source,
            "status": "pending",
            "type": type,
            "_payout": None,
        },
    )


def settlement_moment(world: World) -> int:
    """Return when money that is taken now becomes available: at midnight UTC, days later."""
    return (world.moment // DAY + world.terms.settlement_days) * DAY


def balance(world: World) -> Json:
    """Return the account's balance by currency."""
    available: dict[str, int] = {}
    pending: dict[str, int] = {}
    rows = world.store.run(
        f"SELECT {field('currency')}, {field('available_on')} <= ?, sum({field('net')})"  # noqa: S608
        f" FROM {TRANSACTION.table} GROUP BY 1, 2 ORDER BY 1",
        (world.moment,),
    )
    for currency, is_available, amount in rows:
        (available if is_available else pending)[currency] = amount
    currencies = sorted(available.keys() | pending.keys())
    return {
        "object": "balance",
        "available": [_line(currency, available.get(currency, 0)) for currency in currencies],
        "livemode": False,
        "pending": [_line(currency, pending.get(currency, 0)) for currency in currencies],
    }


def _line(currency: str, amount: int) -> Json:
    return {"amount": amount, "currency": currency, "source_types": {"card": amount}}
