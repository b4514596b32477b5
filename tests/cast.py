"""The people and places of the tests, by name."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group, User
from django.contrib.gis.geos import MultiPolygon, Point, Polygon
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from parking.models import (
    Booking,
    Light,
    Meter,
    Slot,
    SlotState,
    Spot,
    StayRules,
    TariffState,
    TariffVersion,
    Zone,
)
from parking.pricing import Tariff

# A Tuesday, 10:00 in Helsinki.
NOW = datetime(2026, 3, 3, 8, 0, tzinfo=UTC)
TWO_EURO_AN_HOUR = {
    "currency": "EUR",
    "time_zone": "Europe/Helsinki",
    "bands": [
        {
            "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
            "from": "00:00",
            "to": "24:00",
            "tiers": [{"per_hour": 200}],
        }
    ],
}
FOUR_EURO_AN_HOUR = {
    **TWO_EURO_AN_HOUR,
    "bands": [{**TWO_EURO_AN_HOUR["bands"][0], "tiers": [{"per_hour": 400}]}],
}
FREE_OF_CHARGE = {
    **TWO_EURO_AN_HOUR,
    "bands": [{**TWO_EURO_AN_HOUR["bands"][0], "tiers": [{"per_hour": 0}]}],
}


def at(minutes: float) -> datetime:
    """Return the moment so many minutes after NOW."""
    return NOW + timedelta(minutes=minutes)


def soon() -> datetime:
    """Return the next moment on the grid, for what goes through pages that look at the clock."""
    now = datetime.now(UTC)  # noqa: TID251 (pages ask the real clock)
    return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def a_zone(
    code: str = "kamppi",
    *,
    tariff: dict[str, Any] | None = None,
    approved: bool = True,
    **rules: Any,
) -> Zone:
    """Make a zone with stay rules and a tariff in force for ever."""
    square = MultiPolygon(Polygon.from_bbox((24.92, 60.16, 24.95, 60.18)))
    zone = Zone.objects.create(code=code, name=code.title(), boundary=square)
    StayRules.objects.create(zone=zone, **rules)
    document = tariff or TWO_EURO_AN_HOUR
    TariffVersion.objects.create(
        zone=zone,
        version=1,
        document=document,
        sha256=Tariff.parse(document).sha256,
        state=TariffState.APPROVED if approved else TariffState.DRAFT,
        in_force=DateTimeTZRange(datetime(2020, 1, 1, tzinfo=UTC), None),
    )
    return zone


def a_meter(zone: Zone, serial: str = "MTR-000001", **fields: Any) -> Meter:
    """Make a meter in the middle of the zone."""
    return Meter.objects.create(
        zone=zone, serial=serial, location=Point(24.935, 60.168, srid=4326), **fields
    )


def a_spot(zone: Zone, number: str = "K-1", *, metres_east: float = 0, **fields: Any) -> Spot:
    """Make a spot with its light."""
    spot = Spot.objects.create(
        zone=zone,
        number=number,
        street="Fredrikinkatu",
        location=Point(24.935 + metres_east / 55_500, 60.168, srid=4326),
        **fields,
    )
    Light.objects.create(spot=spot)
    return spot


def a_person(name: str, *groups: str, **fields: Any) -> User:
    """Make a user `name@example.org` in the groups."""
    user = User.objects.create_user(
        username=name, email=f"{name}@example.org", password="correct-horse", **fields
    )
    user.groups.set(Group.objects.get_or_create(name=group)[0] for group in groups)
    return user


def a_hold(spot: Spot, start: datetime | None = None, minutes: int = 60, **fields: Any) -> Slot:
    """Hold the spot through the booking rule."""
    from parking import holds

    start = start or NOW
    return holds.hold(
        spot_id=spot.pk,
        start=start,
        end=start + timedelta(minutes=minutes),
        **{"plate": "ABC123", "email": "guest@example.org", "now": NOW, **fields},
    )


def a_hold_of(spot_id: int) -> Slot:
    """Hold a spot known by its id, as a process does that was just started."""
    return a_hold(Spot(pk=spot_id))


def an_unguarded_slot(spot_id: int, start: datetime | None = None, minutes: int = 60) -> Slot:
    """Write a slot as the booking rule would, but without its lock."""
    start = start or NOW
    tariff = TariffVersion.objects.get()
    booking = Booking.objects.create(
        email="guest@example.org", plate="ABC123", spot_id=spot_id, created_at=NOW
    )
    return Slot.objects.create(
        booking=booking,
        spot_id=spot_id,
        period=DateTimeTZRange(start, start + timedelta(minutes=minutes)),
        state=SlotState.HELD,
        held_until=at(10),
        amount=200,
        currency="EUR",
        tariff=tariff,
        quote={},
        created_at=NOW,
    )


def a_stay(spot: Spot, *ends: float, start: float = 0, **fields: Any) -> list[Slot]:
    """Confirm a stay that begins `start` minutes after NOW and was extended to each of `ends`.

    The first part is confirmed at NOW, each extension when the stay before it ends in a minute.
    """
    from parking import booking, extension, locking

    def confirm(slot: Slot, now: datetime) -> Slot:
        with transaction.atomic():
            held = locking.lock_slot(slot.pk)
            booking.confirm(slot=held, now=now, actor="processor")
        return held

    first = a_hold(spot, at(start), minutes=int(ends[0] - start), **fields)
    slots = [confirm(first, NOW)]
    for before, end in itertools.pairwise(ends):
        now = at(before - 1)
        slot = extension.extend(booking_id=first.booking_id, to=at(end), now=now, actor="citizen")
        slots.append(confirm(slot, now))
    return slots
