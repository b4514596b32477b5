"""The locks of a booking: its spots, then its slots, before any payment and meter.

That order is kept everywhere (see CONTRIBUTING).
"""

from __future__ import annotations

from django.db.models import QuerySet

from parking import prepared
from parking.models import Slot
from parking.refusals import Busy


def lock_slot(slot_id: int, *, booking_id: int | None = None, is_whole: bool = True) -> Slot:
    """Lock everything of the slot's booking; return the slot as it is now; see `lock_booking`."""
    if booking_id is None:
        booking_id = Slot.objects.values_list("booking_id", flat=True).get(id=slot_id)
    locked = lock_booking(booking_id, is_whole=is_whole)
    return next(slot for slot in locked if slot.pk == slot_id)


def slots_of(booking_id: int) -> list[Slot]:
    """Return all slots of a booking, oldest first, with what pricing and refunds must know."""
    return list(_whole(Slot.objects.filter(booking=booking_id)))


_LOCK_SPOTS = """
SELECT id FROM parking_spot
WHERE id = ANY (ARRAY(
  SELECT spot_id FROM parking_slot WHERE booking_id = %(booking)s
  UNION SELECT %(and_spot)s::bigint))
ORDER BY id FOR NO KEY UPDATE"""


def lock_booking(
    booking_id: int, *, and_spot: int | None = None, is_whole: bool = True
) -> list[Slot]:
    """Lock the spots of a booking, then its slots; return the slots as they are now, oldest first.

    `and_spot` is a spot on which the booking is about to get a slot. Without `is_whole` the slots
    come alone, without what pricing and refunds must know. Call it inside a transaction, before
    locking a payment.

    Raises:
        Busy: the booking got another spot while we waited.
    """
    spots = prepared.fetch_all(_LOCK_SPOTS, {"booking": booking_id, "and_spot": and_spot})
    locked = {spot_id for (spot_id,) in spots}
    slots = Slot.objects.filter(booking=booking_id)
    slots = slots.select_for_update(no_key=True, of=("self",))
    known = list(_whole(slots) if is_whole else slots.order_by("id"))
    if any(slot.spot_id not in locked for slot in known):
        raise Busy
    return known


def _whole(slots: QuerySet[Slot]) -> QuerySet[Slot]:
    related = slots.select_related("booking", "spot__zone", "tariff")
    return related.defer("tariff__document").order_by("id")
