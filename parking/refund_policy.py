"""What comes back when a stay ends before its time.

All of it before the start and within the grace after booking; later, where the zone refunds unused
time, what was paid less the price of the used minutes. A stay that was extended is priced as the
one stay that it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from parking.models import Slot, StayRules
from parking.pricing import refund_of_unused
from parking.terms import tariff_of


def due(*, slots: Sequence[Slot], now: datetime) -> dict[int, int]:
    """Return what each slot of a stay gives back at `now`, in minor units, by slot id.

    `slots` are the confirmed ones of one booking, also those that are over: these give nothing
    back. The newest slot gives back first, and none more than its price.
    """
    stay = sorted(slots, key=lambda slot: slot.start)
    left = _total_due(stay, now) if stay else 0
    back = {}
    for slot in reversed(stay):
        back[slot.pk] = min(slot.amount, left) if now < slot.end else 0
        left -= back[slot.pk]
    return back


def _total_due(stay: Sequence[Slot], now: datetime) -> int:
    first = stay[0]
    paid = sum(slot.amount for slot in stay)
    if now <= first.start:
        return paid
    rules = StayRules.objects.get(zone__spots=first.spot_id)
    grace = timedelta(minutes=rules.grace_min)
    in_grace = sum(
        slot.amount for slot in stay if now <= (slot.confirmed_at or slot.created_at) + grace
    )
    if in_grace == paid or not rules.refund_unused:
        return in_grace
    unused = refund_of_unused(
        tariff=tariff_of(first.tariff_id, first.tariff.sha256),
        start=first.start,
        used_until=min(_begun_minute(now), stay[-1].end),
        paid=paid,
        vehicle_class=first.booking.vehicle_class or None,
    )
    return max(in_grace, unused)


def _begun_minute(now: datetime) -> datetime:
    """A minute that has begun is used."""
    whole = now.replace(second=0, microsecond=0)
    return whole if whole == now else whole + timedelta(minutes=1)
