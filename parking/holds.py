"""Holding a free spot: its terms, then one statement that locks it and writes booking and slot."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from datetime import datetime

import orjson
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from parking import arrivals, prepared, remembered
from parking.booking import FREE_BY_TARIFF, HOLD_FOR, confirm
from parking.models import Booking, Slot, SlotState
from parking.pricing import QuoteError
from parking.refusals import SpotTaken, contended
from parking.terms import UNCHANGED, StayRefused, Terms, agree, conditions


def hold(
    *,
    spot_id: int,
    start: datetime,
    end: datetime,
    plate: str,
    email: str,
    now: datetime,
    user: User | None = None,
    vehicle_class: str = "",
    language: str = "en",
) -> Slot:
    """Claim `[start, end)` of the spot for ten minutes, at a frozen price.

    A stay that costs nothing is confirmed at once.

    Raises:
        SpotTaken, Busy: see there.
        parking.terms.SpotUnknown, StayRefused, NotPriced; parking.pricing.QuoteError.
    """
    booking = Booking(
        user=user,
        email=email,
        plate=plate,
        vehicle_class=vehicle_class,
        language=language,
        created_at=now,
    )
    known = remembered.conditions(spot_id=spot_id, start=start, end=end)
    if known is not None and not known.depend_on_others(now=now):
        # A refusal may be out of date: only the city says no.
        with suppress(StayRefused, QuoteError, _Outdated):
            agreed = agree(conditions=known, now=now, vehicle_class=vehicle_class)
            return _claim(booking, agreed, known.period, now, as_of=known.version)
    wanted = conditions(spot_id=spot_id, start=start, end=end)
    remembered.learn(wanted)
    if not wanted.depend_on_others(now=now):
        agreed = agree(conditions=wanted, now=now, vehicle_class=vehicle_class)
        return _claim(booking, agreed, wanted.period, now)
    # What the rules count must stay true until the stay is written.
    with contended(), transaction.atomic():
        agreed = agree(
            conditions=wanted, now=now, vehicle_class=vehicle_class, plate=plate, locked=True
        )
        return _claim(booking, agreed, wanted.period, now)


class _Outdated(Exception):
    """The city does not say any more what was remembered of it; or, with a buffer, it is taken."""


def _claim(
    booking: Booking, agreed: Terms, period: DateTimeTZRange, now: datetime, *, as_of: str = ""
) -> Slot:
    """Write booking and slot on the agreed terms; where they are remembered, `as_of` a version."""
    booking.spot = agreed.spot
    slot = Slot(
        booking=booking,
        spot=agreed.spot,
        period=period,
        claim=agreed.claim,
        state=SlotState.HELD,
        held_until=now + HOLD_FOR,
        amount=agreed.quote.total,
        currency=agreed.quote.currency,
        tariff_id=agreed.tariff_id,
        quote=agreed.quote.as_json(),
        created_at=now,
    )
    is_free = slot.amount == 0
    release_after_min = agreed.rules.release_after_min
    # One statement is a transaction by itself; only more than one needs a wider one.
    several = is_free or release_after_min is not None or connection.in_atomic_block
    with contended(), transaction.atomic() if several else nullcontext():
        _insert(booking, slot, as_of)
        if release_after_min is not None:
            arrivals.watch(slot=slot, release_after_min=release_after_min)
        if is_free:
            slot.free_reason = FREE_BY_TARIFF
            confirm(slot=slot, now=now, actor="tariff")
    return slot


# Lock the spot, then write booking and slot: each part waits for the one before. Without the
# lock the constraint still lets only one in, but the losers of many races get deadlocks.
_INSERT_WHERE = """
WITH spot AS MATERIALIZED (
  {SPOT}
), booking AS (
  INSERT INTO parking_booking
    (reference, access_key, user_id, email, plate, vehicle_class, spot_id, language, created_at)
  SELECT %(reference)s, %(access_key)s, %(user)s::int, %(email)s, %(plate)s, %(vehicle_class)s, id,
    %(language)s, %(now)s
  FROM spot {WHERE}
  RETURNING id, spot_id
), slot AS (
INSERT INTO parking_slot
  (booking_id, spot_id, period, claim, state, held_until, amount, currency, tariff_id, quote,
   free_reason, created_at)
SELECT id, spot_id, tstzrange(%(start)s, %(end)s), {CLAIM},
  %(state)s, %(held_until)s, %(amount)s, %(currency)s, %(tariff)s, %(quote)s::jsonb, '', %(now)s
FROM booking
RETURNING booking_id, id
)
SELECT slot.*, spot.* FROM slot, spot
"""
_LOCKED = "SELECT id FROM parking_spot WHERE id = %(spot)s FOR NO KEY UPDATE"
_NO_BUFFER = {"CLAIM": "NULL", "WHERE": ""}
# Stays that were held before the zone kept minutes free have no claim, and so no place in the
# constraint; `availability` says taken of the same times.
_BUFFER = {
    "CLAIM": "tstzrange(%(start)s, %(claimed_until)s)",
    "WHERE": """
  WHERE NOT EXISTS (
    SELECT 1 FROM parking_slot other
    WHERE other.spot_id = %(spot)s AND other.claim IS NULL
      AND other.period && tstzrange(%(start)s, %(claimed_until)s)
      AND other.state IN ('held', 'expiring', 'confirmed'))""",
}
_INSERTS = {  # by whether it is remembered, and has a buffer
    (is_remembered, has_buffer): _INSERT_WHERE.format(SPOT=spot, **buffer)
    for is_remembered, spot in ((False, _LOCKED), (True, UNCHANGED))
    for has_buffer, buffer in ((False, _NO_BUFFER), (True, _BUFFER))
}


def _insert(booking: Booking, slot: Slot, as_of: str) -> None:
    written = prepared.fetch_one(
        _INSERTS[bool(as_of), slot.claim is not None],
        {
            "spot": slot.spot_id,
            "version": as_of,
            "reference": booking.reference,
            "access_key": booking.access_key,
            "user": booking.user_id,
            "email": booking.email,
            "plate": booking.plate,
            "vehicle_class": booking.vehicle_class,
            "language": booking.language,
            "start": slot.start,
            "end": slot.end,
            "claimed_until": slot.claim.upper if slot.claim else None,
            "state": slot.state,
            "held_until": slot.held_until,
            "amount": slot.amount,
            "currency": slot.currency,
            "tariff": slot.tariff_id,
            "quote": orjson.dumps(slot.quote).decode(),
            "now": slot.created_at,
        },
    )
    if written is None:
        raise _Outdated if as_of else SpotTaken
    booking.pk, slot.pk, _, *rest = written
    if as_of:
        spot = slot.spot
        spot.meter_id, spot.number, spot.street, lon, lat = rest
        spot.lon_lat = lon, lat
    slot.booking = booking
