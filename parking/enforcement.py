"""Who stands where by right, now: answered from slots alone, never from lights.

A light may be late, and a hold may be paid a moment from now; neither may make a paid minute look
unpaid. So a held slot is "being paid", not unpaid.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Prefetch, QuerySet

from parking import charged_hours, plates, terms
from parking.models import Slot, SlotState, Spot, Zone

_AHEAD = timedelta(hours=2)
_JUST_ENDED = timedelta(minutes=30)


@dataclass(frozen=True)
class SpotNow:
    """A spot at one moment: the slot that covers it, if any, and the next booking's first."""

    spot: Spot
    slot: Slot | None
    until: datetime | None  # of the running stay, with the extensions that follow at once
    next_slot: Slot | None

    @property
    def is_paid(self) -> bool:
        """Whether a paid stay, or one that is free with a reason, is running."""
        return self.slot is not None and self.slot.state == SlotState.CONFIRMED


def zones_of(person: User | AnonymousUser) -> QuerySet[Zone]:
    """Return the zones at whose spots the person may look in office."""
    zones = Zone.objects.filter(is_active=True)
    if person.is_superuser or person.has_perm("parking.view_every_zone"):
        return zones
    return zones.filter(operators=person.pk)


def is_charging(*, zone: Zone, now: datetime) -> bool:
    """Say whether the zone's tariff charges for this minute; where it does not, none is unpaid."""
    tariff = terms.tariff_in_force(zone_id=zone.pk, at=now)
    return tariff is not None and charged_hours.is_charging(tariff=tariff, at=now)


def spots_now(*, zone: Zone, now: datetime) -> list[SpotNow]:
    """Return every spot of the zone with what is booked there; by street and number."""
    slots = (
        Slot.objects.live()
        .overlapping(now, now + _AHEAD)
        .select_related("booking")
        .order_by("period")
    )
    spots = (
        Spot.objects.filter(zone=zone, is_active=True)
        .prefetch_related(Prefetch("slots", queryset=slots, to_attr="slots_around"))
        .order_by("street", "number")
    )
    found = [_now(spot, now) for spot in spots]
    return sorted(found, key=lambda one: (one.spot.street, len(one.spot.number), one.spot.number))


def stays_of_plate(*, plate: str, zones: QuerySet[Zone], now: datetime) -> list[Slot]:
    """Return the live slots of a plate in these zones: running, soon, or just ended.

    It may be typed in any way: whatever reads like it is found. Raises `plates.BadPlate`.
    """
    return list(
        Slot.objects.live()
        .overlapping(now - _JUST_ENDED, now + _AHEAD)
        .filter(booking__plate__in=plates.spellings(plate), spot__zone__in=zones)
        .select_related("booking", "spot__zone")
        .order_by("period")
    )


def _now(spot: Spot, now: datetime) -> SpotNow:
    around: list[Slot] = spot.slots_around  # type: ignore[attr-defined]  # the prefetch above
    running = next((slot for slot in around if slot.start <= now < slot.end), None)
    until = running.end if running else None
    for slot in around:
        if running and slot.booking_id == running.booking_id and slot.start == until:
            until = slot.end
    coming = next((slot for slot in around if slot.start >= (until or now)), None)
    return SpotNow(spot, running, until, coming)
