"""Has somebody parked? What the sensor of a spot has said of a stay, and until when it may say so.

Only a sensor that says "free" from the start of the stay on, in reports without a break, takes a
spot from anybody. Silence, a reboot, a late message, a fault, a car that stood there for even one
report: each of them keeps the spot for who booked it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from django.db.models import Count, Q, QuerySet

from parking.models import ArrivalOutcome, ArrivalWatch, Light, Slot

UNBROKEN = timedelta(seconds=150)  # one heartbeat may get lost; two are a silence
TIMELY = timedelta(seconds=30)  # a message that was longer on its way tells of another time
# A sensor that has seen no car for so long may not see any.
BELIEVED_FOR = timedelta(days=7)


class Word(Enum):
    """What a sensor has said since a moment."""

    FREE = auto()
    CAME = auto()
    UNCLEAR = auto()


@dataclass(frozen=True, kw_only=True)
class Wait:
    """How long a spot waits for the stay `[start, end)`: a letter at `warn_at`, then `deadline`."""

    start: datetime
    warn_at: datetime
    deadline: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How the waits of a zone ended: spots given to others, kept for who came, kept in doubt."""

    zone: str
    released: int
    came: int
    unclear: int

    @property
    def released_percent(self) -> int:
        """The share that was given to others."""
        return round(100 * self.released / (self.released + self.came + self.unclear))


def has_sensor(spot_id: int) -> bool:
    """Say whether the spot's meter tells if somebody stands there."""
    return Light.objects.filter(
        spot=spot_id, spot__meter__isnull=False, occupied__isnull=False
    ).exists()


def first_wait(
    *, start: datetime, end: datetime, now: datetime, release_after_min: int
) -> Wait | None:
    """Return how long a spot would wait for a stay booked now; None: to its end."""
    begun, length = max(start, now), timedelta(minutes=release_after_min)
    if begun + length >= end:
        return None
    return Wait(start=start, warn_at=begun + length / 2, deadline=begun + length, end=end)


def watch(*, slot: Slot, release_after_min: int) -> None:
    """Note that the spot of a new booking waits for somebody, in the caller's transaction.

    Not where its meter has no sensor, or the stay is over before the wait.
    """
    wait = first_wait(
        start=slot.start,
        end=slot.end,
        now=slot.created_at,
        release_after_min=release_after_min,
    )
    if wait is not None and has_sensor(slot.spot_id):
        ArrivalWatch.objects.create(
            booking=slot.booking, release_after_min=release_after_min, look_at=wait.warn_at
        )


def look_again(*, booking_id: int, now: datetime) -> None:
    """Have a stay that was changed looked at soon: its wait may begin and end earlier."""
    ArrivalWatch.objects.filter(booking=booking_id, outcome=ArrivalOutcome.WAITING).update(
        look_at=now
    )


def wait_of(watched: ArrivalWatch, stay: Sequence[Slot]) -> Wait | None:
    """Return how long the spot of a stay waits; None: to its end.

    `stay` are its slots in order of time. Who pays for a stay, or to make it longer, has as long
    from then on as from its start; who said to be on the way has that once more.
    """
    length = timedelta(minutes=watched.release_after_min)
    given = length * (2 if watched.more_time_at else 1)
    start = stay[0].start
    begun = max([start, *(slot.confirmed_at or slot.created_at for slot in stay)])
    deadline = begun + given
    end = stay[-1].end
    if deadline >= end:
        return None
    return Wait(start=start, warn_at=deadline - length / 2, deadline=deadline, end=end)


def word(*, light: Light | None, has_fault: bool, since: datetime, now: datetime) -> Word:
    """Return what a spot's sensor has said from `since` until now."""
    if light is None:
        return Word.UNCLEAR
    if light.occupied_at is not None and light.occupied_at >= since:
        return Word.CAME
    is_told = (
        light.free_since is not None
        and light.free_since <= since
        and light.reported_at is not None
        and light.reported_at >= now - UNBROKEN
    )
    is_believed = (
        not has_fault
        and light.occupied_at is not None
        and light.occupied_at >= since - BELIEVED_FOR
    )
    return Word.FREE if is_told and is_believed else Word.UNCLEAR


def tallies(*, watched: QuerySet[ArrivalWatch], since: datetime) -> list[Tally]:
    """Count how the waits that were decided since then ended, zone by zone, in one query."""

    def how_many(outcome: ArrivalOutcome) -> Count:
        return Count("pk", filter=Q(outcome=outcome))

    rows = (
        watched.filter(decided_at__gte=since)
        .order_by()
        .values_list("booking__spot__zone__name")
        .annotate(
            released=how_many(ArrivalOutcome.RELEASED),
            came=how_many(ArrivalOutcome.CAME),
            unclear=how_many(ArrivalOutcome.UNCLEAR),
        )
        .order_by("booking__spot__zone__name")
    )
    return [
        Tally(zone=zone, released=released, came=came, unclear=unclear)
        for zone, released, came, unclear in rows
    ]
