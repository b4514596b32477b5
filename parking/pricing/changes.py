"""What a stay costs more when it grows, and what comes back when it shrinks."""

from dataclasses import replace
from datetime import datetime

from parking.pricing.charge import nearest, quote
from parking.pricing.errors import QuoteError
from parking.pricing.explanation import Line, Quote
from parking.pricing.tariff import Tariff


def extension_quote(
    *,
    tariff: Tariff,
    start: datetime,
    old_end: datetime,
    new_end: datetime,
    paid: int,
    vehicle_class: str | None = None,
) -> Quote:
    """Return the quote of the whole stay with what is `paid` (minor units) taken off it.

    The total is never below zero: a flat can make the longer stay the cheaper one, and the
    extension is then free. Its tax is the share of its own total.

    Raises:
        QuoteError: `not_an_extension` where the stay does not grow, or what `quote` raises.
    """
    if not start <= old_end < new_end:
        raise QuoteError("not_an_extension", "The new end is not after the old one.")
    whole = quote(tariff=tariff, start=start, end=new_end, vehicle_class=vehicle_class)
    return less_paid(whole, paid=paid, tax_rate_bp=tariff.tax.rate_bp)


def less_paid(whole: Quote, *, paid: int, tax_rate_bp: int) -> Quote:
    """Return the quote of a stay with what is `paid` (minor units) taken off it.

    The total is never below zero. Its tax is the share of its own total.
    """
    taken = min(paid, whole.total)
    if not taken:
        return whole
    rest = whole.total - taken
    net = nearest(rest * 10_000, 10_000 + tax_rate_bp)
    return replace(
        whole,
        total=rest,
        lines=(*whole.lines, Line(kind="paid", amount=-taken, currency=whole.currency)),
        tax=replace(whole.tax, net=net, tax=rest - net),
    )


def extension_price(
    *,
    tariff: Tariff,
    start: datetime,
    old_end: datetime,
    new_end: datetime,
    paid: int,
    vehicle_class: str | None = None,
) -> int:
    """Return the price of the whole stay less what is `paid`, in minor units, never below zero.

    Raises:
        QuoteError: see `extension_quote`.
    """
    return extension_quote(
        tariff=tariff,
        start=start,
        old_end=old_end,
        new_end=new_end,
        paid=paid,
        vehicle_class=vehicle_class,
    ).total


def refund_of_unused(
    *,
    tariff: Tariff,
    start: datetime,
    used_until: datetime,
    paid: int,
    vehicle_class: str | None = None,
) -> int:
    """Return what is `paid` less the price of the used part, from zero to `paid` minor units.

    All of it where nothing was used yet.

    Raises:
        QuoteError: what `quote` raises.
    """
    used = quote(
        tariff=tariff, start=start, end=max(start, used_until), vehicle_class=vehicle_class
    )
    return max(0, paid - used.total)
