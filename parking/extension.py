"""Staying longer: how far a stay can grow, what that costs, and the slot that claims it.

An extension is one more slot of the booking, on the same spot and on end with the stay, priced as
the whole stay by the tariff that was frozen at the start, less what is paid.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone
from django.utils.translation import gettext as _

from parking import booking, formatting, locking, price_words, refusals, stay_rules
from parking.models import Closure, Slot, SlotKind, SlotState, StayRules
from parking.pricing import Quote, QuoteError, Tariff, extension_quote
from parking.rule_facts import stays_of_vehicle
from parking.terms import StayRefused, closures_and_limits, rules_of_zone, tariff_of

FREE_EXTENSION = "the longer stay costs no more"
_USUAL_MIN = (15, 30, 60, 90, 120, 180, 240, 360, 480)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A new end, how many minutes that adds, and its quote: `quote.total` is to be paid now.

    `is_same_day`: it lies on the local day on which the stay ends now.
    """

    end: datetime
    minutes: int
    quote: Quote
    is_same_day: bool


@dataclass(frozen=True, kw_only=True)
class Room:
    """How far a stay can grow. Without `latest` it cannot; `limit` says in words what stops it."""

    end: datetime
    latest: datetime | None
    limit: str
    currency: str
    choices: Sequence[Choice]


def room(*, booking_id: int, now: datetime) -> Room:
    """Return how far the booking's stay can grow now, with the prices of usual lengths.

    Raises:
        refusals.NotBooked, refusals.ChangePending: see there.
    """
    stay = _Stay(locking.slots_of(booking_id), now)
    ends = stay.ends()
    possible = bisect_left(ends, True, key=lambda end: stay.refusal(end) is not None)
    refused = stay.refusal(ends[possible]) if possible < len(ends) else None
    usual = {stay.end + timedelta(minutes=minutes) for minutes in _USUAL_MIN}
    # The next end is always offered, and so is the last.
    offered = [
        end
        for number, end in enumerate(ends[:possible])
        if end in usual or number in {0, possible - 1}
    ]
    return Room(
        end=stay.end,
        latest=ends[possible - 1] if possible else None,
        limit=refused.message if refused else "",
        currency=stay.first.currency,
        choices=[
            Choice(
                end=end,
                minutes=_minutes(end - stay.end),
                quote=stay.quote(end),
                is_same_day=timezone.localdate(end) == timezone.localdate(stay.end),
            )
            for end in offered
        ],
    )


def extend(*, booking_id: int, to: datetime, now: datetime, actor: str) -> Slot:
    """Claim the time up to `to` for the booking, for as long as a hold lasts.

    The new slot is held until it is paid; where nothing is to be paid, it is confirmed at once.

    Raises:
        refusals.NotBooked, ChangePending, SpotTaken, Busy: see there.
        parking.terms.StayRefused: with what stops it.
    """
    with refusals.contended(), transaction.atomic():
        stay = _Stay(locking.lock_booking(booking_id), now)
        if refused := stay.refusal(to):
            if refused.rule == _TAKEN:
                raise refusals.SpotTaken
            raise StayRefused([refused])
        agreed = stay.quote(to)
        slot = Slot.objects.create(
            booking=stay.first.booking,
            spot=stay.first.spot,
            period=DateTimeTZRange(stay.end, to),
            claim=DateTimeTZRange(stay.end, to + stay.kept_free) if stay.kept_free else None,
            state=SlotState.HELD,
            kind=SlotKind.EXTENSION,
            follows=stay.newest,
            held_until=now + booking.HOLD_FOR,
            amount=agreed.total,
            currency=agreed.currency,
            tariff_id=stay.first.tariff_id,
            quote=agreed.as_json(),
            free_reason="" if agreed.total else FREE_EXTENSION,
            created_at=now,
        )
        booking.record(slot=slot, kind="extension asked", actor=actor, now=now)
        if not agreed.total:
            booking.confirm(slot=slot, now=now, actor=actor)
    return slot


_TAKEN = "not_taken"
_DAY = timedelta(days=1)


class _Stay:
    """The stay of a booking, and what surrounds it."""

    def __init__(self, slots: Sequence[Slot], now: datetime) -> None:
        stay = booking.open_stay(slots, now)
        self.first, self.newest = stay.parts[0], stay.slots[-1]
        self.start, self.end, self.paid = stay.start, stay.end, stay.price
        self.rules = rules_of_zone(StayRules.objects.get(zone__spots=self.first.spot_id))
        self.tariff: Tariff = tariff_of(self.first.tariff_id, self.first.tariff.sha256)
        self.longest = timedelta(minutes=self.rules.longest_stay_min)
        horizon = DateTimeTZRange(self.end, max(self.end, self.start + self.longest) + _DAY)
        self.kept_free = timedelta(minutes=self.rules.buffer_min)
        self.taken_from: datetime | None = (
            Slot.objects.live()
            .filter(spot=self.first.spot_id, period__overlap=horizon)
            .exclude(booking=self.first.booking_id)
            .order_by("period")
            .values_list("period__startswith", flat=True)
            .first()
        )
        self.closures = list(
            Closure.objects.touching(
                spot=self.first.spot, start=self.start, end=horizon.upper
            ).values_list("period__startswith", "reason", "longest_stay_min")
        )
        self.stays_of_vehicle = stays_of_vehicle(
            rules=self.rules,
            spot=self.first.spot,
            start=self.start,
            now=now,
            plate=self.first.booking.plate,
            booking_id=self.first.booking_id,
        )

    def ends(self) -> list[datetime]:
        """Return every end on the grid; the last is one that the longest stay refuses."""
        step = timedelta(minutes=self.rules.slot_step_min)
        left = max(timedelta(0), self.start + self.longest - self.end)
        return [self.end + step * number for number in range(1, left // step + 2)]

    def refusal(self, end: datetime) -> stay_rules.Failure | None:
        """Return the first reason why the stay cannot last until `end`."""
        closures, limits = closures_and_limits(
            [(reason, longest) for since, reason, longest in self.closures if since < end]
        )
        wish = stay_rules.Wish(
            start=self.start,
            end=end,
            now=self.start,
            closures=closures,
            event_limits=limits,
            stays_of_vehicle=self.stays_of_vehicle,
        )
        if end <= self.end:
            return stay_rules.Failure(
                "longer_than_now", _("Choose an end after the present one."), "to"
            )
        if broken := stay_rules.failures(self.rules, wish, stay_rules.LONGER_BOOK):
            return broken[0]
        if self.taken_from is not None and end + self.kept_free > self.taken_from:
            return stay_rules.Failure(
                _TAKEN,
                _("Somebody else has this spot from %(time)s.")
                % {"time": formatting.moment(self.taken_from)},
                "to",
            )
        try:
            self.quote(end)
        except QuoteError as error:
            return stay_rules.Failure(error.code, price_words.why_not(error), "to")
        return None

    def quote(self, end: datetime) -> Quote:
        return extension_quote(
            tariff=self.tariff,
            start=self.start,
            old_end=self.end,
            new_end=end,
            paid=self.paid,
            vehicle_class=self.first.booking.vehicle_class or None,
        )


def _minutes(length: timedelta) -> int:
    return int(length.total_seconds() // 60)
