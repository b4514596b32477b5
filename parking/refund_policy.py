"""What comes back when a stay ends before its time.

All of it before the start and within the grace after booking; later, where the zone refunds unused
time, what was paid less the price of the used minutes. A stay that was extended is priced as the
one stay that it is.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from parking.models import StayRules
from parking.pricing import refund_of_unused
from parking.stays import Stay
from parking.terms import tariff_of


def due(*, stay: Stay, now: datetime) -> dict[int, int]:
    """Return what each slot of a booked stay gives back at `now`, in minor units, by slot id.

    The newest slot gives back first, and none more than the city keeps of its price. A stay that
    is over gives nothing back.
    """
    return shared(stay=stay, back=_total_due(stay, now) if now < stay.end else 0)


def shared(*, stay: Stay, back: int) -> dict[int, int]:
    """Share what goes back among the slots of a stay, the newest first; minor units by slot id."""
    shares = {}
    for slot in reversed(stay.slots):
        shares[slot.pk] = min(slot.kept, back)
        back -= shares[slot.pk]
    return shares


def surplus_due(*, stay: Stay, surplus: int, now: datetime) -> int:
    """Return what goes back of `surplus`, by which a change makes the stay cheaper; minor units.

    All of it before the start and where the zone refunds unused time; else what is in its grace.
    """
    rules = _rules(stay)
    if now <= stay.start or rules.refund_unused:
        return surplus
    return min(surplus, _in_grace(stay, rules, now))


def _total_due(stay: Stay, now: datetime) -> int:
    paid = stay.price
    if now <= stay.start:
        return paid
    rules = _rules(stay)
    in_grace = _in_grace(stay, rules, now)
    if in_grace == paid or not rules.refund_unused:
        return in_grace
    first = stay.parts[0]
    unused = refund_of_unused(
        tariff=tariff_of(first.tariff_id, first.tariff.sha256),
        start=stay.start,
        used_until=min(_begun_minute(now), stay.end),
        paid=paid,
        vehicle_class=first.booking.vehicle_class or None,
    )
    return max(in_grace, unused)


def _in_grace(stay: Stay, rules: StayRules, now: datetime) -> int:
    grace = timedelta(minutes=rules.grace_min)
    return sum(
        slot.kept for slot in stay.slots if now <= (slot.confirmed_at or slot.created_at) + grace
    )


def _rules(stay: Stay) -> StayRules:
    return StayRules.objects.get(zone__spots=stay.spot.pk)


def _begun_minute(now: datetime) -> datetime:
    """A minute that has begun is used."""
    whole = now.replace(second=0, microsecond=0)
    return whole if whole == now else whole + timedelta(minutes=1)
