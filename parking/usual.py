"""Where somebody parked before: what a returning citizen is offered first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q

from parking import availability, stay_times
from parking.models import Booking, Slot, Spot
from parking.stays import stay_of

_OFFERED = 2
_LOOKED_AT = 12  # bookings


@dataclass(frozen=True, kw_only=True)
class Usual:
    """A spot where they stood, for as long as then, from as soon as it can begin."""

    spot: Spot
    start: datetime
    end: datetime

    @property
    def minutes(self) -> int:
        """How long the stay is."""
        return int((self.end - self.start).total_seconds() // 60)


def usual_stays(*, mine: Q, now: datetime) -> list[Usual]:
    """Return the newest spots of the bookings chosen by `mine` that nobody else has now."""
    kept = Slot.objects.filter(booking=OuterRef("pk"), confirmed_at__isnull=False)
    bookings = (
        Booking.objects.filter(mine)
        .filter(
            Exists(kept),
            spot__is_active=True,
            spot__zone__is_active=True,
            spot__zone__stay_rules__isnull=False,
        )
        .select_related("spot__zone__stay_rules")
        .prefetch_related("slots")
        .order_by("-created_at")[:_LOOKED_AT]
    )
    by_spot: dict[int, Usual] = {}
    for booking in bookings:
        by_spot.setdefault(booking.spot_id, _from_now(booking, now))
    newest = list(by_spot.values())[:_OFFERED]
    return [
        one
        for one in newest
        if availability.is_free(spot_id=one.spot.pk, start=one.start, end=one.end)
    ]


def _from_now(booking: Booking, now: datetime) -> Usual:
    rules, stay = booking.spot.zone.stay_rules, stay_of(list(booking.slots.all()))
    soonest = now + timedelta(minutes=rules.lead_time_min)
    start = stay_times.next_start(now=soonest, steps=[rules.slot_step_min])
    return Usual(spot=booking.spot, start=start, end=start + (stay.end - stay.start))
