"""The booking rule: hold, confirm, cancel, expire, release.

Whoever changes a slot has locked its booking (`locking`); see CONTRIBUTING for the order. These
functions write rows and never enqueue: pages and tasks nudge after commit, and the beat finds
what was not nudged.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext, suppress
from datetime import datetime, timedelta

import orjson
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from parking import arrivals, lights, prepared, remembered
from parking.models import LIVE_STATES, Booking, BookingEvent, Slot, SlotKind, SlotState, Spot
from parking.pricing import QuoteError
from parking.refusals import ChangePending, NotBooked, SpotTaken, WrongState, contended
from parking.stays import Stay, stay_of
from parking.terms import UNCHANGED, StayRefused, Terms, agree, conditions

HOLD_FOR = timedelta(minutes=10)
FREE_BY_TARIFF = "no charge by the tariff"
CHANGED = "changed"  # in the history
# Changes that are no choice of the citizen's.
SPOT_WAS_TAKEN = "somebody else stood there"
LIGHT_STAYED_DARK = "the light did not turn green"
SPOT_WAS_CLOSED = "the city closed the spot"
NO_CHOICE = frozenset({SPOT_WAS_TAKEN, LIGHT_STAYED_DARK, SPOT_WAS_CLOSED})


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


def confirm(*, slot: Slot, now: datetime, actor: str, reason: str = "") -> None:
    """Make a locked slot the citizen's own: paid, or free with a reason.

    A released slot is claimed again if nobody has taken its place. A change replaces what was
    booked before.

    Raises:
        SpotTaken: it was released and the place is gone.
        WrongState: it was cancelled or replaced, or the stay is not any more the one for which it
            was made.
    """
    if slot.state == SlotState.CONFIRMED:
        return
    if slot.state in {SlotState.CANCELLED, SlotState.REPLACED}:
        raise WrongState(slot.state)
    stay = list(
        slot.booking.slots.filter(state=SlotState.CONFIRMED).select_related("spot").order_by("id")
    )
    if slot.follows_id != (stay[-1].pk if stay else None):
        raise WrongState("the stay for which it was made has changed")
    replaced = stay if slot.kind == SlotKind.CHANGE else []
    keeps_its_place = slot.state in LIVE_STATES and not replaced
    slot.state, slot.confirmed_at, slot.ended_at = SlotState.CONFIRMED, now, None
    try:
        with contended(), nullcontext() if keeps_its_place else transaction.atomic():
            for old in replaced:
                old.state, old.ended_at = SlotState.REPLACED, now
                old.save(update_fields=["state", "ended_at"])
            slot.save(update_fields=["state", "confirmed_at", "ended_at", "free_reason"])
    except SpotTaken:
        slot.refresh_from_db()
        raise
    if replaced:
        Booking.objects.filter(id=slot.booking_id).update(spot=slot.spot_id)
        arrivals.look_again(booking_id=slot.booking_id, now=now)
    kind = CHANGED if replaced else "confirmed"
    record(slot=slot, kind=kind, actor=actor, now=now, reason=reason)
    _replan([slot, *replaced], now)


def begin_expiry(*, slot: Slot, now: datetime, actor: str, reason: str = "") -> None:
    """Give up a locked hold: it keeps its place until the processor has answered.

    Raises:
        WrongState: it is no longer held.
    """
    if slot.state == SlotState.EXPIRING:
        return
    if slot.state != SlotState.HELD:
        raise WrongState(slot.state)
    slot.state = SlotState.EXPIRING
    slot.save(update_fields=["state"])
    record(slot=slot, kind="expiring", actor=actor, now=now, reason=reason)


def begin_expiries(*, now: datetime, limit: int = 500) -> list[int]:
    """Move holds that ran out to EXPIRING; return the ids of all slots that are expiring."""
    over = Slot.objects.filter(state=SlotState.HELD, held_until__lte=now)
    with transaction.atomic():
        # The spots first, as everywhere: whoever is writing a slot there would wait for ours, and
        # the constraint would make us wait for theirs. A spot that is locked comes next time.
        wanted = list(over.order_by("held_until").values_list("spot_id", flat=True)[:limit])
        spots = Spot.objects.select_for_update(skip_locked=True, no_key=True).filter(id__in=wanted)
        locked = [spot_id for (spot_id,) in spots.order_by("id").values_list("id")]
        due = list(
            over.filter(spot__in=locked)
            .select_for_update(skip_locked=True, no_key=True, of=("self",))
            .order_by("id")[:limit]
        )
        Slot.objects.filter(id__in=[slot.id for slot in due]).update(state=SlotState.EXPIRING)
        BookingEvent.objects.bulk_create(
            BookingEvent(
                booking_id=slot.booking_id, slot=slot, at=now, kind="expiring", actor="clock"
            )
            for slot in due
        )
    return list(
        Slot.objects.filter(state=SlotState.EXPIRING)
        .order_by("held_until")
        .values_list("id", flat=True)[:limit]
    )


def release(*, slot: Slot, now: datetime, actor: str, reason: str = "") -> None:
    """Give a locked, expiring slot's place back, once no money can arrive for it.

    Raises:
        WrongState: it is not expiring.
    """
    if slot.state == SlotState.RELEASED:
        return
    if slot.state != SlotState.EXPIRING:
        raise WrongState(slot.state)
    slot.state, slot.ended_at = SlotState.RELEASED, now
    slot.save(update_fields=["state", "ended_at"])
    record(slot=slot, kind="released", actor=actor, now=now, reason=reason)


def cancel(*, slot: Slot, now: datetime, actor: str, reason: str = "") -> None:
    """End a locked, confirmed slot; `refund_policy.due` said before what comes back.

    Raises:
        WrongState: it is not confirmed, or its stay is over.
    """
    if slot.state != SlotState.CONFIRMED or now >= slot.end:
        raise WrongState(slot.state)
    slot.state, slot.ended_at = SlotState.CANCELLED, now
    slot.save(update_fields=["state", "ended_at"])
    record(slot=slot, kind="cancelled", actor=actor, now=now, reason=reason)
    _replan([slot], now)


def open_stay(slots: Sequence[Slot], now: datetime) -> Stay:
    """Return the stay of a booking's slots if it can be extended or changed at `now`.

    Raises:
        NotBooked, ChangePending: see there.
    """
    stay = stay_of(slots)
    if not stay.is_booked or now >= stay.end:
        raise NotBooked
    if stay.waiting is not None:
        raise ChangePending(stay.waiting)
    return stay


def record(*, slot: Slot, kind: str, actor: str, now: datetime, reason: str = "") -> None:
    """Write a line of the booking's history; nobody can change it later."""
    BookingEvent.objects.create(
        booking_id=slot.booking_id, slot=slot, at=now, kind=kind, actor=actor, reason=reason
    )


def _replan(slots: Iterable[Slot], now: datetime) -> None:
    meters = (slot.spot.meter_id for slot in slots)
    lights.replan(meter_ids={meter_id for meter_id in meters if meter_id is not None}, now=now)
