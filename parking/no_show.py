"""Nobody came: when a booked spot is given to others, and how its citizen asks for more time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from parking import arrivals, booking, locking, refusals, tariff_words
from parking.arrivals import Wait, Word
from parking.formatting import clock
from parking.models import (
    PENDING_STATES,
    ArrivalOutcome,
    ArrivalWatch,
    Light,
    Meter,
    Slot,
    SlotState,
    SpotReport,
    StayRules,
)

LOOK_AGAIN = timedelta(seconds=30)


class NothingToWaitFor(refusals.BookingError):
    """The spot does not wait, or not yet: it is the citizen's to the end, or gone already."""


class AskedBefore(refusals.BookingError):
    """More time was given once, and is given only once."""


class Verdict(Enum):
    """What follows from a look at a spot that waits."""

    NOTHING = auto()
    WARN = auto()
    RELEASE = auto()


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A verdict; to warn or to release, with the first slot of the stay and the end of the wait."""

    verdict: Verdict
    slot: Slot | None = None
    deadline: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What the citizen should know: until when the spot waits, and whether they may ask for more.

    `has_come`: the sensor has seen somebody. `released`: nobody came, the spot was given away.
    """

    deadline: datetime
    longer_deadline: datetime | None
    has_come: bool
    released: bool


def due(*, now: datetime, limit: int = 200) -> list[int]:
    """Return the ids of the bookings whose spots are to be looked at, in one query."""
    return list(
        ArrivalWatch.objects.filter(outcome=ArrivalOutcome.WAITING, look_at__lte=now)
        .order_by("look_at")
        .values_list("booking_id", flat=True)[:limit]
    )


def judge(*, slots: Sequence[Slot], now: datetime) -> Judgement:
    """Look at a spot that waits, and write when to look next or how it ended.

    `slots` are all of the booking, locked (`locking.lock_booking`), and so are its payments: the
    meter is locked here, so that no report comes between the evidence and what follows. Whoever
    gets `RELEASE` cancels the stay in the same transaction.
    """
    watched = (
        ArrivalWatch.objects.select_for_update(no_key=True)
        .filter(booking=slots[0].booking_id, outcome=ArrivalOutcome.WAITING, look_at__lte=now)
        .first()
    )
    if watched is None:
        return Judgement(verdict=Verdict.NOTHING)
    stay = _stay(slots)
    if any(slot.state in PENDING_STATES for slot in slots):
        return _again(watched, now + LOOK_AGAIN)  # nobody loses a spot while paying for it
    if not stay:
        watched.delete()
        return Judgement(verdict=Verdict.NOTHING)
    wait = arrivals.wait_of(watched, stay)
    if wait is None or now >= stay[-1].end or _was_there(watched):
        return _decide(watched, ArrivalOutcome.UNCLEAR, now)
    if now < wait.warn_at:
        return _again(watched, wait.warn_at)
    light, said = _ask_sensor(stay[-1], wait, now)
    if said == Word.CAME:
        return _decide(watched, ArrivalOutcome.CAME, now)
    if now < wait.deadline:
        _again(watched, wait.deadline)
        verdict = Verdict.WARN if said == Word.FREE else Verdict.NOTHING
        return Judgement(verdict=verdict, slot=stay[0], deadline=wait.deadline)
    if light is None or light.reported_at is None or said == Word.UNCLEAR:
        return _decide(watched, ArrivalOutcome.UNCLEAR, now)
    if light.reported_at < wait.deadline:
        return _again(watched, now + LOOK_AGAIN)  # its word on the last minute is on the way
    watched.free_since, watched.last_word_at = light.free_since, light.reported_at
    _decide(watched, ArrivalOutcome.RELEASED, now)
    return Judgement(verdict=Verdict.RELEASE, slot=stay[0], deadline=wait.deadline)


def more_time(*, booking_id: int, now: datetime, actor: str) -> datetime:
    """Let the spot wait once more as long, for somebody who is on the way; return until when.

    Raises:
        NothingToWaitFor, AskedBefore, refusals.Busy: see there.
    """
    with refusals.contended(), transaction.atomic():
        stay = _stay(locking.lock_booking(booking_id))
        watched = _watch_of(booking_id)
        wait = arrivals.wait_of(watched, stay) if watched and stay else None
        if watched is None or wait is None or not _may_ask(watched, wait, now):
            if watched is not None and watched.more_time_at is not None:
                raise AskedBefore
            raise NothingToWaitFor
        watched.more_time_at = now
        longer = arrivals.wait_of(watched, stay)
        watched.look_at = longer.warn_at if longer else stay[-1].end
        watched.save(update_fields=["more_time_at", "look_at"])
        until = longer.deadline if longer else stay[-1].end
        with translation.override(stay[0].booking.language):
            reason = _("The spot waits until %(time)s.") % {"time": clock(until)}
        booking.record(slot=stay[0], kind="on the way", actor=actor, now=now, reason=reason)
    return until


def outlook(*, booking_id: int, slots: Sequence[Slot], now: datetime) -> Outlook | None:
    """Return how the spot of a stay waits; None: it is kept to the end, or nobody watches.

    `slots` are the stay in order of time, held, confirmed or cancelled.
    """
    watched = _watch_of(booking_id)
    if watched is None or watched.outcome == ArrivalOutcome.UNCLEAR:
        return None
    wait = arrivals.wait_of(watched, slots)
    is_waiting = watched.outcome == ArrivalOutcome.WAITING
    if wait is None or (is_waiting and not _may_be_released(watched, slots[-1].spot_id)):
        return None
    longer = None
    if slots[0].state == SlotState.CONFIRMED and _may_ask(watched, wait, now):
        length = timedelta(minutes=watched.release_after_min)
        longer = min(wait.deadline + length, slots[-1].end)
    return Outlook(
        deadline=wait.deadline,
        longer_deadline=longer,
        has_come=watched.outcome == ArrivalOutcome.CAME
        or (now >= wait.start and _ask_sensor(slots[-1], wait, now, lock=False)[1] == Word.CAME),
        released=watched.outcome == ArrivalOutcome.RELEASED,
    )


def words_before_booking(*, rules: StayRules, start: datetime, end: datetime, now: datetime) -> str:
    """Say until when a spot with a sensor would wait; nothing where it is kept to the end."""
    if rules.release_after_min is None:
        return ""
    wait = arrivals.first_wait(
        start=start, end=end, now=now, release_after_min=rules.release_after_min
    )
    return tariff_words.unless_parked(rules, wait.deadline) if wait else ""


def words(outlook: Outlook, *, rules: StayRules) -> str:
    """Say to the citizen how the spot waits, or how that ended."""
    if outlook.released:
        return _("Nobody had parked by %(time)s, so the spot was given to others.") % {
            "time": clock(outlook.deadline)
        }
    if outlook.has_come:
        return _("The sensor has seen a vehicle: the spot is kept to the end of the stay.")
    return tariff_words.unless_parked(rules, outlook.deadline)


def is_empty_still(*, booking_id: int, now: datetime) -> bool:
    """Say whether the spot of a booking still waits, and nobody has been seen there."""
    stay = _stay(locking.slots_of(booking_id))
    found = outlook(booking_id=booking_id, slots=stay, now=now) if stay else None
    return found is not None and not found.has_come and not found.released and now < found.deadline


def why(*, slot: Slot, deadline: datetime) -> str:
    """Say in the booking's language why its spot was given to others."""
    with translation.override(slot.booking.language):
        return _("By %(time)s, the sensor had seen nobody at the spot since %(start)s.") % {
            "time": clock(deadline),
            "start": clock(slot.start),
        }


def _stay(slots: Sequence[Slot]) -> list[Slot]:
    confirmed = [slot for slot in slots if slot.state == SlotState.CONFIRMED]
    return sorted(confirmed, key=lambda slot: slot.start)


def _may_be_released(watched: ArrivalWatch, spot_id: int) -> bool:
    """Say whether the clock may take the spot at all; a stay can be moved to one without sensor."""
    return arrivals.has_sensor(spot_id) and not _was_there(watched)


def _was_there(watched: ArrivalWatch) -> bool:
    """Say whether the citizen reported the spot taken: who does so came, whatever sensors say."""
    return SpotReport.objects.filter(booking=watched.booking_id).exists()


def _watch_of(booking_id: int) -> ArrivalWatch | None:
    return ArrivalWatch.objects.filter(booking=booking_id).first()


def _may_ask(watched: ArrivalWatch, wait: Wait, now: datetime) -> bool:
    """Say whether more time can be asked for: once, from as long before the start as is given."""
    opens = wait.start - timedelta(minutes=watched.release_after_min)
    is_waiting = watched.outcome == ArrivalOutcome.WAITING
    return is_waiting and watched.more_time_at is None and opens <= now < wait.end


def _ask_sensor(
    slot: Slot, wait: Wait, now: datetime, *, lock: bool = True
) -> tuple[Light | None, Word]:
    own = Meter.objects.select_for_update(no_key=True, of=("self",))
    meters = own if lock else Meter.objects.all()
    meter = meters.filter(spots=slot.spot_id).first()
    light = Light.objects.filter(spot=slot.spot_id).first()
    if meter is None:
        return light, Word.UNCLEAR
    said = arrivals.word(light=light, has_fault=bool(meter.faults), since=wait.start, now=now)
    return light, said


def _again(watched: ArrivalWatch, look_at: datetime) -> Judgement:
    watched.look_at = look_at
    watched.save(update_fields=["look_at"])
    return Judgement(verdict=Verdict.NOTHING)


def _decide(watched: ArrivalWatch, outcome: ArrivalOutcome, now: datetime) -> Judgement:
    watched.outcome, watched.decided_at = outcome, now
    watched.save(update_fields=["outcome", "decided_at", "free_since", "last_word_at"])
    return Judgement(verdict=Verdict.NOTHING)
