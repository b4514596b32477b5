"""What the stay rules must know of other bookings, and the locks that keep it true.

Only zones that have such a rule pay for it: one query more, and under the locks two.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from parking.models import Spot
from parking.stay_rules import OtherStay, Rules


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The vehicle's other stays in the zone; what is reserved in the street, of how many spots."""

    stays_of_vehicle: Sequence[OtherStay] = ()
    reserved: Sequence[OtherStay] = ()
    street_spots: int = 0


NOTHING = Facts()

# A booking is one stay, whatever it was extended by.
_STAYS_OF_VEHICLE = """
SELECT 'vehicle', count(*), min(lower(slot.period)), max(upper(slot.period))
FROM parking_booking booking
JOIN parking_slot slot ON slot.booking_id = booking.id
JOIN parking_spot spot ON spot.id = slot.spot_id
WHERE booking.plate = %(plate)s AND spot.zone_id = %(zone)s
  AND slot.state IN ('held', 'expiring', 'confirmed')
  AND booking.id IS DISTINCT FROM %(booking)s
GROUP BY booking.id
HAVING max(upper(slot.period)) > %(since)s
"""

# Reserved is what began later than a walk-up after it was booked; an extension is what its first
# slot is.
_RESERVED = """
SELECT 'reserved', 1, lower(slot.period), upper(slot.period)
FROM parking_spot spot
JOIN parking_slot slot ON slot.spot_id = spot.id
JOIN parking_booking booking ON booking.id = slot.booking_id
WHERE spot.zone_id = %(zone)s AND spot.street = %(street)s
  AND slot.state IN ('held', 'expiring', 'confirmed')
  AND slot.period && tstzrange(%(start)s, %(end)s)
  AND booking.id IS DISTINCT FROM %(booking)s
  AND booking.created_at + %(walk_up)s < (
    SELECT min(lower(own.period)) FROM parking_slot own
    WHERE own.booking_id = booking.id AND own.state IN ('held', 'expiring', 'confirmed'))
UNION ALL
SELECT 'spots', count(*), NULL, NULL FROM parking_spot
WHERE zone_id = %(zone)s AND street = %(street)s AND is_active
"""


def facts(
    *,
    rules: Rules,
    spot: Spot,
    start: datetime,
    end: datetime,
    now: datetime,
    plate: str = "",
    booking_id: int | None = None,
    locked: bool = False,
) -> Facts:
    """Read what the zone's rules count for a stay `[start, end)` of the plate on the spot.

    The booking `booking_id` does not count. `locked`: first wait for everybody who counts the same,
    and keep others waiting until the transaction ends; the spot must not be locked yet.
    """
    parts, keys = [], []
    # In one order everywhere: street, then vehicle.
    if rules.count_reservations(start=start, now=now):
        parts.append(_RESERVED)
        keys.append(f"street:{spot.zone_id}:{spot.street}")
    if plate and rules.count_stays_of_the_vehicle:
        parts.append(_STAYS_OF_VEHICLE)
        keys.append(f"vehicle:{spot.zone_id}:{plate}")
    if not parts:
        return NOTHING
    if locked:
        _lock(keys)
    values: dict[str, Any] = {
        "plate": plate,
        "zone": spot.zone_id,
        "street": spot.street,
        "booking": booking_id,
        "start": start,
        "end": end,
        "since": min(now, start - timedelta(minutes=rules.no_return_min)),
        "walk_up": timedelta(minutes=rules.walk_up_min),
    }
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"({part})" for part in parts), values)
        rows = cursor.fetchall()
    return Facts(
        stays_of_vehicle=sorted(_stays(rows, "vehicle"), key=lambda stay: stay.start),
        reserved=_stays(rows, "reserved"),
        street_spots=sum(count for kind, count, *_ends in rows if kind == "spots"),
    )


def stays_of_vehicle(
    *,
    rules: Rules,
    spot: Spot,
    start: datetime,
    now: datetime,
    plate: str,
    booking_id: int,
    locked: bool = False,
) -> Sequence[OtherStay]:
    """Return the vehicle's other live stays in the zone, by their start, where a rule asks.

    `locked`: see `facts`.
    """
    if not rules.count_stays_of_the_vehicle:
        return ()
    values: dict[str, Any] = {
        "plate": plate,
        "zone": spot.zone_id,
        "booking": booking_id,
        "since": min(now, start) - timedelta(minutes=rules.no_return_min),
    }
    if locked:
        _lock([f"vehicle:{spot.zone_id}:{plate}"])
    with connection.cursor() as cursor:
        cursor.execute(_STAYS_OF_VEHICLE, values)
        return sorted(_stays(cursor.fetchall(), "vehicle"), key=lambda stay: stay.start)


def _lock(keys: Sequence[str]) -> None:
    """Take the advisory locks until the transaction ends; a plate reaches the server as a hash.

    A statement sees what was committed before it began: the count must be a later one.
    """
    with connection.cursor() as cursor:
        for key in keys:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_hashed(key)])


def _hashed(key: str) -> int:
    digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def _stays(rows: Sequence[tuple[str, int, datetime, datetime]], wanted: str) -> list[OtherStay]:
    return [OtherStay(start, end) for kind, _count, start, end in rows if kind == wanted]
