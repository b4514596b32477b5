"""The spot is taken, its light dark, or the city closes it: another at no cost, or all back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from parking import availability, booking, closures, late_lights, locking, refusals, spot_reports
from parking.models import Booking, ReportOutcome, Spot
from parking.stays import Stay
from payments import cancel, change

NO_CHARGE = (0, 0)  # nothing is due, nothing goes back


class AskFirst(refusals.BookingError):
    """The person got everything back several times lately: an operator decides."""


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Why somebody may leave a spot at no cost.

    `check` raises where that is not so. `put` keeps what became of it, given the stay as it was.
    """

    reason: str
    check: Callable[[Stay, datetime], None]
    may_refund: Callable[[Stay, datetime], bool]
    put: Callable[[Stay, ReportOutcome, datetime, Spot | None], object]
    lit: bool  # only a spot with a good light is better


TAKEN = Cause(
    reason=booking.SPOT_WAS_TAKEN,
    check=lambda stay, now: spot_reports.check_time(stay=stay, now=now),
    may_refund=lambda stay, now: spot_reports.refunds_left(stay.parts[0].booking, now=now) > 0,
    put=lambda stay, outcome, now, moved_to: spot_reports.put(
        stay=stay, outcome=outcome, now=now, moved_to=moved_to
    ),
    lit=False,
)
# Our own fault, seen by ourselves: nobody has to be believed.
UNLIT = Cause(
    reason=booking.LIGHT_STAYED_DARK,
    check=lambda stay, now: late_lights.check(stay=stay, now=now),
    may_refund=lambda _stay, _now: True,
    put=lambda stay, outcome, _now, moved_to: late_lights.put(
        stay=stay, outcome=outcome, moved_to=moved_to
    ),
    lit=True,
)
# The city's own doing. What was chosen stands in the booking's history.
CLOSED = Cause(
    reason=booking.SPOT_WAS_CLOSED,
    check=lambda stay, now: closures.check(stay=stay, now=now),
    may_refund=lambda _stay, _now: True,
    put=lambda _stay, _outcome, _now, _moved_to: None,
    lit=False,
)


@dataclass(frozen=True, kw_only=True)
class WaysOut:
    """What somebody can do who may leave the spot; `refund` in minor units."""

    stay: Stay
    spots: list[availability.FreeSpot]
    refund: int
    may_refund: bool


def ways_out(*, booking_id: int, now: datetime, cause: Cause = TAKEN) -> WaysOut:
    """Return the free spots nearby and what would go back.

    Raises:
        refusals.NotBooked, refusals.ChangePending: see there.
        spot_reports.NotTheTime, late_lights.NotOffered, closures.NotClosed: by the cause.
    """
    stay = _stay(booking_id, cause, now)
    return WaysOut(
        stay=stay,
        spots=spot_reports.room_instead(stay=stay, now=now, lit=cause.lit),
        refund=stay.price,
        may_refund=cause.may_refund(stay, now),
    )


def go_elsewhere(
    *, reference: str, spot_id: int, now: datetime, actor: str, cause: Cause = TAKEN
) -> change.Changed:
    """Give the booking another spot of its zone for the rest of the stay, at no extra cost.

    Raises:
        refusals.NotBooked, ChangePending, SpotTaken, Busy: see there.
        spot_reports.NotTheTime, late_lights.NotOffered, closures.NotClosed: by the cause.
        parking.terms.SpotUnknown, StayRefused.
        change.OtherTerms: the other spot costs more.
    """
    with refusals.contended(), transaction.atomic():
        stay = _stay(_id(reference), cause, now)
        done = change.change_booking(
            reference=reference,
            spot_id=spot_id,
            now=now,
            actor=actor,
            told=NO_CHARGE,
            reason=cause.reason,
        )
        cause.put(stay, ReportOutcome.MOVED, now, done.slot.spot)
    return done


def give_back(
    *, reference: str, now: datetime, actor: str, cause: Cause = TAKEN
) -> cancel.Cancelled:
    """End the booking and give everything back.

    Raises:
        AskFirst, spot_reports.NotTheTime, late_lights.NotOffered, closures.NotClosed: by the cause.
        refusals.NotBooked, ChangePending, WrongState, Busy.
    """
    with refusals.contended(), transaction.atomic():
        locking.lock_booking(_id(reference))
        stay = _stay(_id(reference), cause, now)
        if not cause.may_refund(stay, now):
            raise AskFirst
        done = cancel.cancel_booking(
            reference=reference, now=now, actor=actor, reason=cause.reason, in_full=True
        )
        cause.put(stay, ReportOutcome.REFUNDED, now, None)
    return done


def tell(*, reference: str, now: datetime) -> None:
    """Tell the city that the spot is taken, and keep the booking as it is.

    Raises:
        refusals.NotBooked, ChangePending, Busy; spot_reports.NotTheTime: see there.
    """
    with refusals.contended(), transaction.atomic():
        locking.lock_booking(_id(reference))
        stay = _stay(_id(reference), TAKEN, now)
        spot_reports.put(stay=stay, outcome=ReportOutcome.TOLD, now=now)


def _stay(booking_id: int, cause: Cause, now: datetime) -> Stay:
    stay = booking.open_stay(locking.slots_of(booking_id), now)
    cause.check(stay, now)
    return stay


def _id(reference: str) -> int:
    return Booking.objects.values_list("id", flat=True).get(reference=reference.upper())
