"""Putting a booking right: the number plate, until the stay ends; and how often one may.

Wardens look a car up by its plate, so a slip of the finger must be mendable; a plate that wanders
from car to car must not be. Hence a number of corrections for each person, in which changes of
spot and time count too.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from parking import booking, formatting, locking, refusals, stay_rules
from parking.models import LIVE_STATES, Booking, BookingEvent, Slot, StayRules, Vehicle
from parking.plates import has_usual_shape, look_alike
from parking.rule_facts import stays_of_vehicle
from parking.terms import StayRefused, rules_of_zone

WITHIN = timedelta(days=30)
PLATE_CORRECTED = "plate corrected"
_LOOK_BACK = 20  # bookings


class TooLate(refusals.BookingError):
    """The stay is over, or nothing is booked."""


class TooOften(refusals.BookingError):
    """The person has made all corrections that the zone allows in the time.

    `allowed` is how many; `again_at` when the next is possible, None where there never is one.
    """

    def __init__(self, *, allowed: int, again_at: datetime | None) -> None:
        super().__init__(again_at.isoformat() if again_at else "never")
        self.allowed = allowed
        self.again_at = again_at


def correct_plate(*, booking_id: int, plate: str, now: datetime, actor: str) -> None:
    """Give the booking another plate, in its one spelling; the same one changes nothing.

    Raises:
        TooLate, TooOften, refusals.Busy: see there.
        parking.terms.StayRefused: the rules about a vehicle's stays do not let this one have it.
    """
    with refusals.contended(), transaction.atomic():
        _check_rules(booking_id, plate, now)
        slots = [slot for slot in locking.lock_booking(booking_id) if slot.state in LIVE_STATES]
        if not slots or all(now >= slot.end for slot in slots):
            raise TooLate
        known = Booking.objects.select_for_update(no_key=True, of=("self",)).get(id=booking_id)
        if known.plate == plate:
            return
        check_allowance(known, now)
        known.plate = plate
        known.save(update_fields=["plate"])
        # The plates stay out of the history: it can never be erased.
        booking.record(slot=slots[0], kind=PLATE_CORRECTED, actor=actor, now=now)


def check_allowance(known: Booking, now: datetime) -> None:
    """Refuse one correction more than a person may make of a booking in its zone.

    Raises:
        TooOften: see there.
    """
    made, allowed = _corrections(known, now), _allowed(known)
    if len(made) >= allowed:
        again_at = made[-allowed] + WITHIN if allowed else None
        raise TooOften(allowed=allowed, again_at=again_at)


def corrections_left(*, booking_id: int, now: datetime) -> int:
    """Return how many corrections the booking's maker has left."""
    known = Booking.objects.get(id=booking_id)
    return max(0, _allowed(known) - len(_corrections(known, now)))


def why_not(error: TooOften) -> str:
    """Say to people why nothing can be corrected now."""
    if error.again_at is None:
        return _("In this zone bookings stay as they are: they cannot be changed.")
    text = ngettext(
        "You have changed bookings %(n)s time in 30 days already. The next change is possible "
        "from %(moment)s.",
        "You have changed bookings %(n)s times in 30 days already. The next change is possible "
        "from %(moment)s.",
        error.allowed,
    )
    return text % {
        "n": formatting.number(error.allowed),
        "moment": formatting.moment(error.again_at),
    }


def near_miss(known: Booking) -> str | None:
    """Return a plate of the same person for which this one may be a slip.

    It is that of a vehicle in the person's list, or of one of the latest bookings. A plate that
    stands in the list is no slip.
    """
    before = (
        of_the_same_person(known)
        .exclude(id=known.pk)
        .order_by("-created_at")
        .values_list("plate", flat=True)[:_LOOK_BACK]
    )
    own: list[str] = []
    if known.user_id is not None:
        own = list(Vehicle.objects.filter(owner=known.user_id).values_list("plate", flat=True))
    if known.plate in own:
        return None
    return next((plate for plate in [*own, *before] if look_alike(plate, known.plate)), None)


def is_odd(known: Booking) -> bool:
    """Say whether a plate looks like none of any country we know, and is in no list of its maker's.

    It is worth a second look, never a refusal.
    """
    if has_usual_shape(known.plate):
        return False
    return not Vehicle.objects.filter(owner=known.user_id, plate=known.plate).exists()


def _allowed(known: Booking) -> int:
    rules = StayRules.objects.filter(zone__spots=known.spot_id)
    return rules.values_list("corrections", flat=True).get()


def _check_rules(booking_id: int, plate: str, now: datetime) -> None:
    """Ask what a hold for this plate would have been asked; before the spot is locked."""
    slots = Slot.objects.live().filter(booking=booking_id).select_related("booking", "spot")
    stay = sorted(slots, key=lambda slot: slot.start)
    if not stay or stay[0].booking.plate == plate:
        return
    rules = rules_of_zone(StayRules.objects.get(zone__spots=stay[0].spot_id))
    wish = stay_rules.Wish(
        start=stay[0].start,
        end=stay[-1].end,
        now=now,
        stays_of_vehicle=stays_of_vehicle(
            rules=rules,
            spot=stay[0].spot,
            start=stay[0].start,
            now=now,
            plate=plate,
            booking_id=booking_id,
            locked=True,
        ),
    )
    if broken := stay_rules.failures(rules, wish, stay_rules.VEHICLE_BOOK):
        raise StayRefused(broken)


def _corrections(known: Booking, now: datetime) -> list[datetime]:
    return list(
        BookingEvent.objects.filter(
            booking__in=of_the_same_person(known),
            kind__in=[PLATE_CORRECTED, booking.CHANGED],
            at__gt=now - WITHIN,
        )
        .exclude(reason__in=booking.NO_CHOICE)
        .order_by("at")
        .values_list("at", flat=True)
    )


def of_the_same_person(known: Booking) -> QuerySet[Booking]:
    """Return the bookings of one account, or of a guest's address."""
    if known.user_id is not None:
        return Booking.objects.filter(user=known.user_id)
    return Booking.objects.filter(user=None, email__iexact=known.email)
