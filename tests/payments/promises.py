"""What must be true of slots and money at any moment, and what is broken of it, in words."""

from __future__ import annotations

from django.db.models import Sum

from parking import locking
from parking.models import Booking, Slot, SlotState
from parking.stays import stay_of
from payments.models import DEAD_REFUND_STATES, Payment, PaymentState


def broken() -> list[str]:
    """Return every promise about slots and money that the rows do not keep now."""
    return [*_broken_by_slots(), *_broken_by_stays(), *_broken_by_money()]


def _broken_by_slots() -> list[str]:
    found = []
    for slot in Slot.objects.confirmed().select_related("follows"):
        paid = slot.payments.filter(state=PaymentState.PAID, is_orphan=False)
        captured = list(paid.values_list("captured", flat=True))
        if captured != ([slot.amount] if slot.amount else []):
            found.append(f"slot {slot.pk} is confirmed for {slot.amount}, paid: {captured}")
        if slot.follows is not None and slot.follows.state == SlotState.CANCELLED:
            found.append(f"slot {slot.pk} goes on from a stay that is cancelled")
    return found


def _broken_by_stays() -> list[str]:
    found = []
    for made in Booking.objects.filter(slots__state=SlotState.CONFIRMED).distinct():
        stay = stay_of(locking.slots_of(made.pk))
        if {slot.spot_id for slot in stay.parts} != {made.spot_id}:
            found.append(f"{made} is for spot {made.spot_id}, and its stay is elsewhere")
        payments = Payment.objects.filter(
            slot__booking=made, state=PaymentState.PAID, is_orphan=False
        )
        kept = sum(payment.captured - back_of(payment) for payment in payments)
        is_whole = not made.slots.filter(state=SlotState.CANCELLED).exists()
        if is_whole and kept != stay.price:
            found.append(f"{made} costs {stay.price}, and {kept} is kept")
    return found


def _broken_by_money() -> list[str]:
    found = []
    kept_states = {SlotState.CONFIRMED, SlotState.CANCELLED, SlotState.REPLACED}
    for payment in Payment.objects.filter(state=PaymentState.PAID).select_related("slot"):
        back, state = back_of(payment), payment.slot.state
        if back > payment.captured:
            found.append(f"{back} of {payment.captured} went back for slot {payment.slot_id}")
        elif payment.is_orphan and back != payment.captured:
            found.append(f"money without a place, and only {back} went back")
        elif not payment.is_orphan and state not in kept_states:
            found.append(f"slot {payment.slot_id} is paid and {state}")
    return found


def back_of(payment: Payment) -> int:
    """Return what went back of a payment, or is about to, in minor units."""
    alive = payment.refunds.exclude(state__in=DEAD_REFUND_STATES)
    return alive.aggregate(sum=Sum("amount"))["sum"] or 0
