"""Letters that time owes: before a stay begins, before it ends, and when the city closes a spot.

A reminder is owed once for each slot, so an extension is reminded of anew; all are left unsent
where they would come too late or be wrong by then.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Exists, OuterRef, QuerySet

from parking import closures, extension, late_lights, locking, no_show, refusals, stays
from parking.models import Slot, SlotState
from payments.models import Mail, MailKind

BEFORE_START = timedelta(minutes=60)
BEFORE_END = {
    MailKind.ENDS_SOON: timedelta(minutes=15),
    MailKind.ENDS_NOW: timedelta(minutes=5),
}
# Whoever has just booked knows.
_FRESH = timedelta(minutes=15)


def owe(*, now: datetime) -> None:
    """Owe the reminders whose time has come; those that nobody owed in time are left out."""
    same_booking = Slot.objects.confirmed().filter(booking=OuterRef("booking"))
    before = Exists(same_booking.filter(period__startswith__lt=OuterRef("period__startswith")))
    starting = _around(now, BEFORE_START).filter(
        period__startswith__gt=now, period__startswith__lte=now + BEFORE_START
    )
    _owe(starting.exclude(before), MailKind.STARTS, now)
    after = Exists(same_booking.filter(period__endswith__gt=OuterRef("period__endswith")))
    for kind, ahead in BEFORE_END.items():
        later = min((other for other in BEFORE_END.values() if other < ahead), default=timedelta(0))
        ending = _around(now, ahead).filter(
            period__endswith__gt=now + later, period__endswith__lte=now + ahead
        )
        _owe(ending.exclude(after), kind, now)


def owe_for_closures(*, now: datetime) -> None:
    """Owe each citizen whose spot the city closes in the stay one letter for each closure."""
    closed = {
        f"{MailKind.CLOSED}:{closure.pk}:{slot.booking_id}": slot
        for closure, slot in closures.disturbed(now=now)
    }
    told = set(Mail.objects.filter(key__in=closed).values_list("key", flat=True))
    Mail.objects.bulk_create(
        [
            _letter(key, MailKind.CLOSED, slot, now)
            for key, slot in closed.items()
            if key not in told
        ],
        ignore_conflicts=True,
    )


def _around(now: datetime, ahead: timedelta) -> QuerySet[Slot]:
    """Return confirmed slots near now, as the index by period finds them."""
    return Slot.objects.confirmed().filter(
        period__overlap=DateTimeTZRange(now, now + ahead, "[]"), confirmed_at__lt=now - _FRESH
    )


def is_moot(letter: Mail, now: datetime) -> bool:
    """Say whether a letter is a reminder that would be late, or of a stay that has changed."""
    if letter.not_after is None or letter.slot is None or letter.booking_id is None:
        return False
    if now >= letter.not_after or letter.slot.state != SlotState.CONFIRMED:
        return True
    if letter.kind == MailKind.NOBODY_YET:
        return not no_show.is_empty_still(booking_id=letter.booking_id, now=now)
    if letter.kind == MailKind.UNLIT:
        return not late_lights.is_dark_still(
            booking_id=letter.booking_id, spot_id=letter.slot.spot_id
        )
    if letter.kind == MailKind.CLOSED:
        stay = stays.stay_of(locking.slots_of(letter.booking_id))
        return closures.ahead(stay=stay, now=now) is None
    grown = Slot.objects.confirmed().filter(
        booking=letter.booking_id, period__startswith=letter.slot.end
    )
    return letter.kind in BEFORE_END and grown.exists()


def room(letter: Mail, now: datetime) -> extension.Room | None:
    """Return how far the stay can grow, for a letter that says when it ends."""
    if letter.kind not in BEFORE_END or letter.booking_id is None:
        return None
    try:
        return extension.room(booking_id=letter.booking_id, now=now)
    except (refusals.NotBooked, refusals.ChangePending):
        return None


def _owe(slots: QuerySet[Slot], kind: MailKind, now: datetime) -> None:
    owed = Mail.objects.filter(slot=OuterRef("pk"), kind=kind)
    Mail.objects.bulk_create(
        [_letter(f"{kind}:{slot.pk}", kind, slot, now) for slot in slots.exclude(Exists(owed))],
        ignore_conflicts=True,
    )


def _letter(key: str, kind: MailKind, slot: Slot, now: datetime) -> Mail:
    return Mail(
        key=key,
        kind=kind,
        booking_id=slot.booking_id,
        slot=slot,
        not_after=slot.start if kind == MailKind.STARTS else slot.end,
        created_at=now,
        next_try_at=now,
    )
