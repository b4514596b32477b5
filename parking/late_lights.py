"""A light that is not green two minutes into a stay: noted once, and a choice for its citizen.

The booking stands all the while: wardens see it, whatever the light says. But the city promised a
green light, so whoever wants to may go to another spot or have everything back.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from parking import refusals
from parking.lights.alarms import UNLIT_AFTER, unlit
from parking.models import LateLight, Light, ReportOutcome, Slot, SlotKind, Spot
from parking.stays import Stay

# From the start of the stay, or from its payment where that came later.
OFFERED_FOR = timedelta(minutes=30)


class NotOffered(refusals.BookingError):
    """The light was in time, or the time to choose is over, or a choice was made."""


def notice(*, now: datetime) -> list[LateLight]:
    """Note the stays whose light is late; return all that may choose now, noted before or not.

    Only meters that were ever heard: a light that nobody has built yet is promised to nobody. A
    light that was green in time and fails later is the operators' matter alone.
    """
    wrong = unlit(now=now).filter(
        spot__meter__is_active=True, spot__meter__last_seen_at__isnull=False
    )
    since = {light.spot_id: light.since for light in wrong}
    begun = Slot.objects.confirmed().filter(
        spot_id__in=since, period__contains=now, kind__in=[SlotKind.FIRST, SlotKind.CHANGE]
    )
    with transaction.atomic():
        LateLight.objects.bulk_create(
            [
                LateLight(
                    booking_id=slot.booking_id,
                    spot_id=slot.spot_id,
                    noticed_at=now,
                    offered_until=until,
                )
                for slot, until in _late(begun, since, now)
            ],
            ignore_conflicts=True,  # each once, however often it is looked at
        )
        _note_what_came_right(now)
    return list(
        LateLight.objects.filter(offered_until__gt=now, outcome="").select_related("booking")
    )


def _late(
    slots: Iterable[Slot], since: dict[int, datetime], now: datetime
) -> list[tuple[Slot, datetime]]:
    found = []
    for slot in slots:
        begun = max(slot.start, slot.confirmed_at or slot.start)
        until = min(begun + OFFERED_FOR, slot.end)
        if since[slot.spot_id] <= begun + UNLIT_AFTER <= now < until:
            found.append((slot, until))
    return found


def offer(*, stay: Stay, now: datetime) -> LateLight | None:
    """Return the choice that the citizen of a stay has now, if any."""
    if not stay.is_booked or now >= stay.end:
        return None
    return LateLight.objects.filter(
        booking=stay.parts[0].booking, spot=stay.spot, offered_until__gt=now, outcome=""
    ).first()


def check(*, stay: Stay, now: datetime) -> None:
    """Refuse a choice that is not offered.

    Raises:
        NotOffered: see there.
    """
    if offer(stay=stay, now=now) is None:
        raise NotOffered


def is_dark_still(*, booking_id: int, spot_id: int) -> bool:
    """Say whether a light that was noted as late has not come right since."""
    return LateLight.objects.filter(
        booking=booking_id, spot=spot_id, came_right_at=None, outcome=""
    ).exists()


def put(*, stay: Stay, outcome: ReportOutcome, moved_to: Spot | None = None) -> None:
    """Keep what the citizen chose. `stay` is as it was before."""
    LateLight.objects.filter(booking=stay.parts[0].booking, spot=stay.spot).update(
        outcome=outcome, moved_to=moved_to
    )


def _note_what_came_right(now: datetime) -> None:
    waiting = LateLight.objects.filter(came_right_at=None, noticed_at__gt=now - timedelta(days=1))
    right = Light.objects.filter(
        Q(reported_light=F("desired_light"), reported_pattern=F("desired_pattern")),
        spot__in=waiting.values("spot"),
    )
    waiting.filter(spot__in=right.values("spot")).update(came_right_at=now)
