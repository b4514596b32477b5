"""What of a booking's slots is its stay, and what waits for money. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from parking.models import PENDING_STATES, Slot, SlotState


def split(slots: Sequence[Slot]) -> tuple[list[Slot], Slot | None]:
    """Return a booking's stay, in order of time, and the extension that waits for its payment.

    `slots` are all of the booking, at least one. The stay is what was booked; after a cancellation
    what was cancelled; and where nothing ever was, the slot that was tried last.
    """
    known = sorted(slots, key=lambda slot: slot.pk)
    newest = known[-1]
    for state in (SlotState.CONFIRMED, SlotState.CANCELLED):
        if stay := [slot for slot in known if slot.state == state]:
            waits = newest.state in PENDING_STATES
            return sorted(stay, key=lambda slot: slot.start), newest if waits else None
    return [newest], None
