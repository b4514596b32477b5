"""Forgetting people: plates when a zone's term is over, addresses of guests, what somebody asked.

What is forgotten leaves the booking, not the books: spot, time and money stay. Each stretch is one
transaction with its line in the log, so a run that breaks off goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from parking.models import Booking, Forgetting, ForgettingReason, Slot, Zone

GUEST_ADDRESS_DAYS = 730  # after the booking was made; an account keeps its own
STRETCH = 1000

# Which of these bookings have a case that somebody still works on.
OpenCases = Callable[[QuerySet[Booking]], QuerySet[Booking]]


def plates_over(*, zone: Zone, now: datetime) -> QuerySet[Booking]:
    """Return the zone's bookings whose plates are known and whose term is over."""
    since = now - timedelta(days=zone.plate_days)
    later = Slot.objects.filter(booking=OuterRef("pk"), period__endswith__gt=since)
    return Booking.objects.filter(
        ~Exists(later), spot__zone=zone, plate__gt="", created_at__lte=since
    )


def forget_plates(*, zone: Zone, open_cases: OpenCases, now: datetime) -> int:
    """Forget the plates of a zone whose term is over; return how many."""
    over = plates_over(zone=zone, now=now)
    told = Forgetting(at=now, zone=zone, plate_days=zone.plate_days)
    return _in_stretches(over, open_cases, forgotten={"plate": ""}, told=told, count="plates")


def forget_guests(*, open_cases: OpenCases, now: datetime) -> int:
    """Forget the addresses of old bookings without an account; return how many."""
    since = now - timedelta(days=GUEST_ADDRESS_DAYS)
    over = Booking.objects.filter(user=None, email__gt="", created_at__lte=since)
    told = Forgetting(at=now)
    return _in_stretches(over, open_cases, forgotten={"email": ""}, told=told, count="addresses")


def _in_stretches(
    over: QuerySet[Booking],
    open_cases: OpenCases,
    *,
    forgotten: dict[str, str],
    told: Forgetting,
    count: str,
) -> int:
    told.reason, told.kept = ForgettingReason.TERM, open_cases(over).count()
    due = over.exclude(pk__in=open_cases(over).values("pk"))
    in_all = last = 0
    while True:
        with transaction.atomic():
            found = _lock_some(due.filter(pk__gt=last))
            if not found:
                return in_all
            setattr(told, count, Booking.objects.filter(pk__in=found).update(**forgotten))
            told.pk = None
            told.save(force_insert=True)
        in_all, last = in_all + len(found), found[-1]


def _lock_some(bookings: QuerySet[Booking]) -> list[int]:
    free = bookings.select_for_update(skip_locked=True, of=("self",), no_key=True)
    return list(free.order_by("pk").values_list("pk", flat=True)[:STRETCH])
