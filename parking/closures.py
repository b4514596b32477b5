"""A spot that the city closes though somebody has booked it: the booking stands, and its citizen
may go elsewhere at no cost, or have everything back.

Nobody can book what is closed, so the closure came later than the booking.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Q

from parking.models import Closure, Slot
from parking.refusals import BookingError
from parking.stays import Stay


class NotClosed(BookingError):
    """Nothing closes the spot in what is left of the stay."""


def ahead(*, stay: Stay, now: datetime) -> Closure | None:
    """Return what closes the spot in what is left of a booked stay, the first of several."""
    if not stay.is_booked or now >= stay.end:
        return None
    touching = Closure.objects.touching(spot=stay.spot, start=max(now, stay.start), end=stay.end)
    return touching.filter(longest_stay_min=None).first()


def disturbed(*, now: datetime) -> Iterator[tuple[Closure, Slot]]:
    """Give each closure that is not over with each booked slot in which it closes the spot."""
    closing = Closure.objects.filter(period__endswith__gt=now, longest_stay_min=None)
    for closure in closing.order_by("id"):
        where = Q(spot__zone=closure.zone_id)
        if closure.street:
            where &= Q(spot__street=closure.street)
        if closure.spot_id is not None:
            where &= Q(spot=closure.spot_id)
        booked = Slot.objects.confirmed().filter(where, period__overlap=closure.period)
        for slot in booked.filter(period__endswith__gt=now).order_by("id"):
            yield closure, slot


def check(*, stay: Stay, now: datetime) -> None:
    """Refuse a way out where nothing is closed.

    Raises:
        NotClosed: see there.
    """
    if ahead(stay=stay, now=now) is None:
        raise NotClosed
