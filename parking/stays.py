"""What of a booking's slots is its stay, and what waits for money. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from parking.models import PENDING_STATES, Slot, SlotState, Spot


@dataclass(frozen=True, kw_only=True)
class Stay:
    """A booking's slots by what they are to it.

    `parts`: what is booked, in order of time: on one spot, on end. After a cancellation what was
    cancelled; where nothing ever was, the slot that was tried last. `replaced`: what was booked
    before the stay was changed, oldest first; its money counts further on. `waiting`: the
    extension or change that waits for its payment.
    """

    parts: list[Slot]
    replaced: list[Slot]
    waiting: Slot | None

    @property
    def start(self) -> datetime:
        """When the stay begins, or began on another spot: from then on it is priced."""
        return self.parts[0].priced_from or self.parts[0].start

    @property
    def end(self) -> datetime:
        """The first moment after the stay."""
        return self.parts[-1].end

    @property
    def spot(self) -> Spot:
        """Where the stay is, or was last."""
        return self.parts[-1].spot

    @property
    def is_booked(self) -> bool:
        """Whether it is confirmed."""
        return self.parts[0].state == SlotState.CONFIRMED

    @property
    def slots(self) -> list[Slot]:
        """All that bear its price, oldest first."""
        return sorted([*self.replaced, *self.parts], key=lambda slot: slot.pk)

    @property
    def price(self) -> int:
        """What it costs in all, in minor units: of each slot what the city keeps."""
        return sum(slot.kept for slot in self.slots)


def stay_of(slots: Sequence[Slot]) -> Stay:
    """Sort a booking's slots; `slots` are all of it, at least one."""
    known = sorted(slots, key=lambda slot: slot.pk)
    newest = known[-1]
    replaced = [slot for slot in known if slot.state == SlotState.REPLACED]
    for state in (SlotState.CONFIRMED, SlotState.CANCELLED):
        if parts := [slot for slot in known if slot.state == state]:
            return Stay(
                parts=sorted(parts, key=lambda slot: slot.start),
                replaced=replaced,
                waiting=newest if newest.state in PENDING_STATES else None,
            )
    return Stay(parts=[newest], replaced=[], waiting=None)
