"""What else would a stay of about this length cost? Pure.

A price can fall where time goes on: a flat for the night replaces hours, and the minutes that fill
a lot have the rate of the last one. Only where neither is in the tariff does it never fall.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from parking.pricing import Quote, QuoteError, Tariff, quote

# Where the price can fall, ends are asked one by one: half a day of five minute steps.
MOST_QUOTES = 144
_SHORTER_AT_MOST = timedelta(minutes=15)
_SOON = timedelta(hours=1)


@dataclass(frozen=True)
class Cheaper:
    """Another end of the stay, and how much less it costs, in minor units."""

    end: datetime
    saving: int


def never_falls(tariff: Tariff) -> bool:
    """Say whether no longer stay costs less than a shorter one from the same start."""
    return not tariff.window_flats and (tariff.increment.minutes == 1 or bool(tariff.ladder))


def same_price_until(tariff: Tariff, price: Quote, ends: Sequence[datetime]) -> datetime | None:
    """Return the last of `ends` up to which all cost what `price` says; None: not even the first.

    `ends` are later than the end of the stay, in order. Where the price can fall, at most
    `MOST_QUOTES` are looked at.
    """
    if never_falls(tariff):
        same = _count_of_same(tariff, price, ends)
    else:
        same = 0
        for end in islice(ends, MOST_QUOTES):
            if _total(tariff, price, end) != price.total:
                break
            same += 1
    return ends[same - 1] if same else None


def less_if_shorter(tariff: Tariff, price: Quote, ends: Iterable[datetime]) -> Cheaper | None:
    """Return the stay that is a little shorter and costs much less, if there is one.

    `ends` are earlier than the end of the stay, the latest first. A little is a quarter of an hour
    at most, and much is more than twice its share of the price: a step was only just begun.
    """
    minutes = (price.end - price.start) / timedelta(minutes=1)
    for end in ends:
        if price.end - end > _SHORTER_AT_MOST or end <= price.start:
            break
        total = _total(tariff, price, end)
        share = price.total * ((price.end - end) / timedelta(minutes=1)) / minutes
        if total is not None and price.total - total > 2 * share:
            return Cheaper(end, price.total - total)
    return None


def free_from(tariff: Tariff, price: Quote) -> datetime | None:
    """Return the first moment without a charge in the hour after the stay, if there is one.

    None where the stay ends in such a time, for its own lines say so.
    """
    try:
        after = quote(tariff=tariff, start=price.end, end=price.end + _SOON)
    except QuoteError:
        return None
    for line in after.lines:
        if line.kind == "free" and line.data["reason"] == "outside" and line.begins:
            begins = datetime.fromisoformat(line.begins).astimezone(UTC)
            return begins if begins > price.end else None
    return None


def _count_of_same(tariff: Tariff, price: Quote, ends: Sequence[datetime]) -> int:
    """Return how many of the first `ends` cost the same, where the price never falls."""
    if not ends or _total(tariff, price, ends[0]) != price.total:  # mostly that is all
        return 0
    same, dearer = 0, len(ends)
    while dearer - same > 1:
        middle = (same + dearer) // 2
        if _total(tariff, price, ends[middle]) == price.total:
            same = middle
        else:
            dearer = middle
    return dearer


def _total(tariff: Tariff, price: Quote, end: datetime) -> int | None:
    """Return what the stay costs until another end; None where that is not sold."""
    try:
        return quote(
            tariff=tariff, start=price.start, end=end, vehicle_class=price.vehicle_class
        ).total
    except QuoteError:
        return None
