"""What happened to a booking, in words: when, what, by whom and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from parking import booking, formatting
from parking.models import PROLONGED, Booking, BookingEvent, SlotKind

_KINDS = {
    "confirmed": gettext_lazy("Booked"),
    "expiring": gettext_lazy("Time to pay over"),
    "released": gettext_lazy("Given up: the time is free for others"),
    "cancelled": gettext_lazy("Cancelled"),
    "plate corrected": gettext_lazy("Number plate corrected"),
    PROLONGED: gettext_lazy("More time to pay asked for"),
    "on the way": gettext_lazy("More time to arrive asked for"),
    "extension asked": gettext_lazy("Longer stay asked for"),
    "change asked": gettext_lazy("Change asked for"),
    "changed": gettext_lazy("Changed"),
    "refund": gettext_lazy("Money given back by the city"),
    "refund asked": gettext_lazy("Refund put before a second person"),
    "refund approved": gettext_lazy("Refund approved by a second person"),
    "refund refused": gettext_lazy("Refund not approved"),
}
_KINDS_OF_CHANGE = {
    "released": gettext_lazy("Not changed: nothing was paid for it"),
}
_REASONS = {
    booking.SPOT_WAS_TAKEN: gettext_lazy("somebody else stood on the spot"),
    booking.LIGHT_STAYED_DARK: gettext_lazy("the light did not turn green"),
    booking.SPOT_WAS_CLOSED: gettext_lazy("the city closed the spot"),
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


def steps(about: Booking) -> list[Step]:
    """Return the history of a booking, oldest first, beginning with the hold."""
    return told(about, about.events.select_related("slot__spot").order_by("id"))


def told(about: Booking, events: Iterable[BookingEvent]) -> list[Step]:
    """Tell the history from events that were read already, oldest first."""
    made = Step(about.created_at, _("Held"), str(_ACTORS["citizen"]), "")
    return [
        made,
        *(
            Step(
                event.at,
                _what(event),
                who(event.actor),
                str(_REASONS.get(event.reason, event.reason)),
            )
            for event in events
        ),
    ]


def who(actor: str) -> str:
    """Say what kind of person or thing an actor is; `user:5` is the person who booked."""
    return str(_ACTORS.get(actor.partition(":")[0], actor))


def _what(event: BookingEvent) -> str:
    slot = event.slot
    if slot is None or slot.kind == SlotKind.FIRST:
        return str(_KINDS.get(event.kind, event.kind))
    if slot.kind == SlotKind.EXTENSION:
        what = str((_KINDS | _KINDS_OF_EXTENSION).get(event.kind, event.kind))
        return _with_price(what, event)
    what = str((_KINDS | _KINDS_OF_CHANGE).get(event.kind, event.kind))
    if event.kind in {"changed", "change asked"}:
        what = _("%(what)s: spot %(spot)s, %(period)s") % {
            "what": what,
            "spot": slot.spot.number,
            "period": formatting.period(slot.priced_from or slot.start, slot.end),
        }
    return _with_price(what, event)


def _with_price(what: str, event: BookingEvent) -> str:
    """Add what is to be paid for a longer stay or a change."""
    slot = event.slot
    if slot is None or not slot.amount or not event.kind.endswith(" asked"):
        return what
    amount = formatting.money(slot.amount, slot.currency)
    return _("%(what)s, %(amount)s to pay") % {"what": what, "amount": amount}
