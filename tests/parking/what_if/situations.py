"""Past stays, written as the booking rule leaves them."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from parking.booking import FREE_BY_TARIFF
from parking.models import Booking, Slot, SlotState, Spot
from parking.what_if.stays import Spool

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Stay = tuple[datetime, int, int, str]  # start, minutes, paid, vehicle class


def a_past_stay(
    spot: Spot,
    start: datetime,
    minutes: int = 60,
    *,
    paid: int = 200,
    vehicle_class: str = "",
    state: str = SlotState.CONFIRMED,
    free_reason: str | None = None,
) -> Booking:
    """Make a booking with one slot; one that costs nothing is free by its tariff."""
    booking = Booking.objects.create(
        email="guest@example.org",
        plate="ABC123",
        spot=spot,
        vehicle_class=vehicle_class,
        created_at=start,
    )
    another_slot(booking, start, minutes, paid=paid, state=state, free_reason=free_reason)
    return booking


def another_slot(
    booking: Booking,
    start: datetime,
    minutes: int = 60,
    *,
    paid: int = 200,
    state: str = SlotState.CONFIRMED,
    free_reason: str | None = None,
) -> None:
    """Add a slot to the booking."""
    if free_reason is None:
        free_reason = "" if paid else FREE_BY_TARIFF
    Slot.objects.create(
        booking=booking,
        spot=booking.spot,
        period=DateTimeTZRange(start, start + timedelta(minutes=minutes)),
        state=state,
        held_until=start,
        amount=paid,
        currency="EUR",
        tariff=booking.spot.zone.tariffs.earliest("id"),
        quote={},
        free_reason=free_reason,
        created_at=start,
        confirmed_at=start,
    )


def a_block(stays: Iterable[Stay]) -> str:
    """Write stays as the database copies them."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    for start, minutes, paid, vehicle_class in stays:
        rows.writerow(["", (start - _EPOCH) // timedelta(minutes=1), minutes, paid, vehicle_class])
    return text.getvalue()


@contextmanager
def a_spool(blocks: Iterable[list[Stay]]) -> Iterator[Spool]:
    """Write blocks of stays to a file, as `stays.spooled` does."""
    with tempfile.TemporaryFile() as file:
        sizes = [(file.write(a_block(block).encode()), len(block)) for block in blocks]
        yield Spool(file, sizes)
