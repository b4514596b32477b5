"""More time to pay: its maker prolongs a hold, once and by one action.

Until when the processor's page lives is what `payments.expiry` knows; it asks for the time here.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from parking import booking, refusals
from parking.models import PROLONGED, BookingEvent, Slot, SlotState


class NotLonger(refusals.BookingError):
    """The hold is over, has been prolonged already, or holds are not prolonged here."""


def possible_until(*, slot: Slot, now: datetime, not_after: datetime | None) -> datetime | None:
    """Return until when the slot can be held instead; None: no longer than it is.

    `not_after` is the end of the page on which it is being paid.
    """
    until = slot.held_until + timedelta(minutes=settings.HOLD_EXTENSION_MIN)
    is_held = slot.state == SlotState.HELD and now < slot.held_until < until
    if not is_held or (not_after is not None and until > not_after):
        return None
    asked = BookingEvent.objects.filter(slot=slot, kind=PROLONGED).exists()
    return None if asked else until


def prolong(*, slot: Slot, now: datetime, actor: str, not_after: datetime | None) -> datetime:
    """Hold a locked slot for longer; return until when.

    Raises:
        NotLonger: see there.
    """
    until = possible_until(slot=slot, now=now, not_after=not_after)
    if until is None:
        raise NotLonger
    slot.held_until = until
    slot.save(update_fields=["held_until"])
    booking.record(slot=slot, kind=PROLONGED, actor=actor, now=now)
    return until
