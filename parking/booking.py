"""The booking rule: confirm, cancel, expire, release; `holds` makes what it is about.

Whoever changes a slot has locked its booking (`locking`); see CONTRIBUTING for the order. These
functions write rows and never enqueue: pages and tasks nudge after commit, and the beat finds
what was not nudged.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta

from django.db import transaction

from parking import arrivals, lights
from parking.models import LIVE_STATES, Booking, BookingEvent, Slot, SlotKind, SlotState, Spot
from parking.refusals import ChangePending, NotBooked, SpotTaken, WrongState, contended
from parking.stays import Stay, stay_of

HOLD_FOR = timedelta(minutes=10)
FREE_BY_TARIFF = "no charge by the tariff"
CHANGED = "changed"  # in the history
# Changes that are no choice of the citizen's.
SPOT_WAS_TAKEN = "somebody else stood there"
LIGHT_STAYED_DARK = "the light did not turn green"
SPOT_WAS_CLOSED = "the city closed the spot"
NO_CHOICE = frozenset({SPOT_WAS_TAKEN, LIGHT_STAYED_DARK, SPOT_WAS_CLOSED})


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
