"""“My spot is taken”: another spot at no extra cost, or everything back, and a case to look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from parking import availability, booking, spot_reports
from parking.models import Booking, ReportOutcome
from parking.stays import Stay
from payments import cancel, change

NO_CHARGE = (0, 0)  # nothing is due, nothing goes back


class AskFirst(booking.BookingError):
    """The person got everything back several times lately: an operator decides."""


@dataclass(frozen=True, kw_only=True)
class WaysOut:
    """What somebody can do whose spot is taken; `refund` in minor units."""

    stay: Stay
    spots: list[availability.FreeSpot]
    refund: int
    may_refund: bool


def ways_out(*, booking_id: int, now: datetime) -> WaysOut:
    """Return the free spots nearby and what would go back.

    Raises:
        booking.NotBooked, booking.ChangePending, spot_reports.NotTheTime: see there.
    """
    stay = _stay(booking_id, now)
    return WaysOut(
        stay=stay,
        spots=spot_reports.room_instead(stay=stay, now=now),
        refund=stay.price,
        may_refund=spot_reports.refunds_left(stay.parts[0].booking, now=now) > 0,
    )


def go_elsewhere(*, reference: str, spot_id: int, now: datetime, actor: str) -> change.Changed:
    """Give the booking another spot of its zone for the rest of the stay, at no extra cost.

    Raises:
        booking.NotBooked, ChangePending, SpotTaken, Busy; spot_reports.NotTheTime: see there.
        parking.terms.SpotUnknown, StayRefused.
        change.OtherTerms: the other spot costs more.
    """
    with booking.contended(), transaction.atomic():
        stay = _stay(_id(reference), now)
        done = change.change_booking(
            reference=reference,
            spot_id=spot_id,
            now=now,
            actor=actor,
            told=NO_CHARGE,
            reason=booking.SPOT_WAS_TAKEN,
        )
        spot_reports.put(stay=stay, outcome=ReportOutcome.MOVED, moved_to=done.slot.spot, now=now)
    return done


def give_back(*, reference: str, now: datetime, actor: str) -> cancel.Cancelled:
    """End the booking and give everything back.

    Raises:
        AskFirst, spot_reports.NotTheTime: see there.
        booking.NotBooked, ChangePending, WrongState, Busy.
    """
    with booking.contended(), transaction.atomic():
        booking.lock_booking(_id(reference))
        stay = _stay(_id(reference), now)
        if not spot_reports.refunds_left(stay.parts[0].booking, now=now):
            raise AskFirst
        done = cancel.cancel_booking(
            reference=reference,
            now=now,
            actor=actor,
            reason=booking.SPOT_WAS_TAKEN,
            in_full=True,
        )
        spot_reports.put(stay=stay, outcome=ReportOutcome.REFUNDED, now=now)
    return done


def tell(*, reference: str, now: datetime) -> None:
    """Tell the city, and keep the booking as it is.

    Raises:
        booking.NotBooked, ChangePending, Busy; spot_reports.NotTheTime: see there.
    """
    with booking.contended(), transaction.atomic():
        booking.lock_booking(_id(reference))
        stay = _stay(_id(reference), now)
        spot_reports.put(stay=stay, outcome=ReportOutcome.TOLD, now=now)


def _stay(booking_id: int, now: datetime) -> Stay:
    stay = booking.open_stay(booking.slots_of(booking_id), now)
    spot_reports.check_time(stay=stay, now=now)
    return stay


def _id(reference: str) -> int:
    return Booking.objects.values_list("id", flat=True).get(reference=reference.upper())
