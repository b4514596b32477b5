"""What happened to a booking, in words: when, what, by whom and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from parking.models import Booking, BookingEvent

_KINDS = {
    "confirmed": gettext_lazy("Booked"),
    "expiring": gettext_lazy("Time to pay over"),
    "released": gettext_lazy("Given up: the time is free for others"),
    "cancelled": gettext_lazy("Cancelled"),
    "plate corrected": gettext_lazy("Number plate corrected"),
    "extension asked": gettext_lazy("Longer stay asked for"),
}
_KINDS_OF_EXTENSION = {
    "confirmed": gettext_lazy("Extended"),
    "released": gettext_lazy("Not extended: nothing was paid for it"),
}
_ACTORS = {
    "citizen": gettext_lazy("the person who booked"),
    "user": gettext_lazy("the person who booked"),
    "operator": gettext_lazy("an operator of the city"),
    "officer": gettext_lazy("an officer of the city"),
    "processor": gettext_lazy("the payment service"),
    "tariff": gettext_lazy("the tariff: no charge"),
    "clock": gettext_lazy("the clock"),
}


@dataclass(frozen=True)
class Step:
    """One step: `who` says what kind of person or thing did it, never a name."""

    at: datetime
    what: str
    who: str
    why: str


def steps(booking: Booking) -> list[Step]:
    """Return the history of a booking, oldest first, beginning with the hold."""
    first: int | None = booking.slots.order_by("id").values_list("id", flat=True).first()
    made = Step(booking.created_at, _("Held"), str(_ACTORS["citizen"]), "")
    events: Iterable[BookingEvent] = booking.events.order_by("id")
    return [
        made,
        *(
            Step(
                event.at,
                _what(event, is_extension=event.slot_id not in {None, first}),
                str(_ACTORS.get(event.actor.partition(":")[0], event.actor)),
                event.reason,
            )
            for event in events
        ),
    ]


def _what(event: BookingEvent, *, is_extension: bool) -> str:
    kinds = _KINDS | _KINDS_OF_EXTENSION if is_extension else _KINDS
    return str(kinds.get(event.kind, event.kind))
