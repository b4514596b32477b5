"""“My spot is taken”: when it can be said, where there is room instead, and the city's case."""

from __future__ import annotations

from datetime import datetime, timedelta

from parking import availability, refusals
from parking.any_spot import SET_ASIDE
from parking.corrections import of_the_same_person
from parking.models import Booking, Light, ReportOutcome, Slot, Spot, SpotReport
from parking.stays import Stay

# Around the moment at which somebody comes to the spot.
BEFORE_START = timedelta(minutes=15)
AFTER_START = timedelta(minutes=30)
# Whoever often finds a spot taken is asked by a person before all the money goes back.
FULL_REFUNDS = 2
WITHIN = timedelta(days=30)
_STANDS_THERE_FOR = timedelta(hours=2)
_LOOK_AT = 30  # spots nearby


class NotTheTime(refusals.BookingError):
    """A spot is reported when one comes to it: neither long before the start nor long after."""


def is_time(*, slot: Slot, now: datetime) -> bool:
    """Say whether the citizen of a confirmed slot may just have come to its spot."""
    return slot.start - BEFORE_START <= now < min(slot.start + AFTER_START, slot.end)


def check_time(*, stay: Stay, now: datetime) -> None:
    """Refuse a report at another time.

    Raises:
        NotTheTime: see there.
    """
    if not stay.is_booked or not is_time(slot=stay.parts[0], now=now):
        raise NotTheTime


def room_instead(
    *, stay: Stay, now: datetime, lit: bool = False, limit: int = 3
) -> list[availability.FreeSpot]:
    """Return the nearest free spots of the zone for the rest of the stay, with its features.

    Not those where others found a vehicle lately, or where a sensor sees one; with `lit` only
    those whose light shows what it should.
    """
    features = stay.spot.features
    found = availability.nearest_free(
        spot_id=stay.spot.pk,
        start=max(stay.start, now),
        end=stay.end,
        features=features,
        without=SET_ASIDE.difference(features),
        same_zone=True,
        limit=_LOOK_AT,
    )
    ids = [spot.id for spot in found]
    reported = SpotReport.objects.filter(
        spot__in=ids, closed_at=None, reported_at__gt=now - _STANDS_THERE_FOR
    )
    seen = Light.objects.filter(spot__in=ids, occupied=True)
    bad = {*reported.values_list("spot", flat=True), *seen.values_list("spot", flat=True)}
    if lit:
        good = Light.objects.filter(spot__in=ids, spot__meter__is_active=True)
        bad |= set(ids).difference(
            good.filter(converged_at__isnull=False).values_list("spot", flat=True)
        )
    return [spot for spot in found if spot.id not in bad][:limit]


def refunds_left(known: Booking, *, now: datetime) -> int:
    """Return how often the booking's maker may still get everything back without being asked."""
    made = SpotReport.objects.filter(
        booking__in=of_the_same_person(known),
        outcome=ReportOutcome.REFUNDED,
        reported_at__gt=now - WITHIN,
    ).count()
    return max(0, FULL_REFUNDS - made)


def put(
    *, stay: Stay, outcome: ReportOutcome, now: datetime, moved_to: Spot | None = None
) -> SpotReport:
    """Open a case for the operators, once for each booking and spot; the last outcome counts.

    `stay` is as it was when the spot was found taken.
    """
    light = Light.objects.filter(spot=stay.spot.pk).first()
    report, _is_new = SpotReport.objects.update_or_create(
        booking=stay.parts[0].booking,
        spot=stay.spot,
        defaults={"outcome": outcome, "moved_to": moved_to},
        create_defaults={
            "outcome": outcome,
            "moved_to": moved_to,
            "reported_at": now,
            "sensor_said": light.occupied if light else None,
        },
    )
    return report
