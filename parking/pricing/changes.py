"""What a stay costs more when it grows, and what comes back when it shrinks."""

from datetime import datetime

from parking.pricing.charge import quote
from parking.pricing.errors import QuoteError
from parking.pricing.tariff import Tariff


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

    A flat can make the longer stay the cheaper one; the extension is then free.

    Raises:
        QuoteError: `not_an_extension` where the stay does not grow, or what `quote` raises.
    """
    if not start <= old_end < new_end:
        raise QuoteError("not_an_extension", "The new end is not after the old one.")
    whole = quote(tariff=tariff, start=start, end=new_end, vehicle_class=vehicle_class)
    return max(0, whole.total - paid)


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
