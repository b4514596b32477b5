"""Which other end of a stay is worth a thought: longer for the same money, or much cheaper?"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta

from parking import availability, price_hints, stay_rules
from parking.pricing import Quote, Tariff


@dataclass(frozen=True)
class OtherLengths:
    """Hints about the end of a stay; each may be missing. Moments are aware."""

    same_price_until: datetime | None = None
    shorter: price_hints.Cheaper | None = None
    free_from: datetime | None = None


def other_lengths(
    *, spot_id: int, rules: stay_rules.Rules, tariff: Tariff, price: Quote
) -> OtherLengths:
    """Return what is worth saying about a stay that can be had, priced by `price`.

    What is proposed is allowed by the rules that need no vehicle, and the spot is free for it.
    The database is asked, once, only where a longer stay costs the same.
    """
    longer = _longer(rules, price)
    same = price_hints.same_price_until(tariff, price, longer)
    if same is not None:
        until = availability.free_until(
            spot_id=spot_id, start=price.start, end=price.end, latest=same
        )
        possible = bisect_right(longer, until)
        same = longer[possible - 1] if possible else None
    step = timedelta(minutes=rules.slot_step_min)
    shortest = timedelta(minutes=rules.shortest_stay_min)
    shorter = (price.end - step * n for n in range(1, (price.end - price.start) // step))
    return OtherLengths(
        same_price_until=same,
        shorter=price_hints.less_if_shorter(
            tariff, price, (end for end in shorter if end - price.start >= shortest)
        ),
        free_from=None if same else price_hints.free_from(tariff, price),
    )


def _longer(rules: stay_rules.Rules, price: Quote) -> list[datetime]:
    """Return the later ends on the grid that the zone's rules allow."""
    step = timedelta(minutes=rules.slot_step_min)
    longest = timedelta(minutes=rules.longest_stay_min)
    count = max(0, (price.start + longest - price.end) // step)
    ends = [price.end + step * n for n in range(1, count + 1)]

    def refused(end: datetime) -> bool:
        wish = stay_rules.Wish(start=price.start, end=end, now=price.start)
        return bool(stay_rules.failures(rules, wish, stay_rules.LONGER_BOOK))

    return ends[: bisect_left(ends, True, key=refused)]
