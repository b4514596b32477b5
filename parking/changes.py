"""Changing a stay: another spot of the zone, another time, until it ends.

A change is one more slot of the booking, which replaces what was booked. Its price is that of the
whole new stay less what the city keeps of the old one: where that is more, the old stay holds
until it is paid; where it is less, the difference goes back. A stay that runs keeps its start, and
goes on from the minute of the change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import F, Q
from django.utils.translation import gettext as _

from parking import (
    booking,
    corrections,
    formatting,
    locking,
    refund_policy,
    refusals,
    rule_facts,
    stay_rules,
    terms,
)
from parking.models import Slot, SlotKind, SlotState, Spot
from parking.pricing import Quote, less_paid, quote
from parking.stays import Stay, stay_of

COVERED = "covered by what was paid before the change"


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a change would do. `quote.total` is to be paid; amounts are minor units.

    `piece` is what the new slot claims: of a stay that runs, the time that is left. By `surplus`
    it costs less than was paid; `back` says what each slot of the stay returns of it, by its id.
    """

    stay: Stay
    spot: Spot
    start: datetime
    end: datetime
    piece: DateTimeTZRange
    claim: DateTimeTZRange | None
    tariff_id: int
    quote: Quote
    surplus: int
    back: Mapping[int, int]

    @property
    def due(self) -> int:
        """What is to be paid for it."""
        return self.quote.total

    @property
    def kept_back(self) -> int:
        """What of the surplus the zone does not return."""
        return self.surplus - self.refund

    @property
    def refund(self) -> int:
        """What goes back."""
        return sum(self.back.values())


def propose(
    *,
    booking_id: int,
    now: datetime,
    spot_id: int | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    locked: bool = False,
    is_a_choice: bool = True,
) -> Change:
    """Say what it takes to give a booking another spot, start or end; what is left out stays.

    `locked`: lock the booking and the new spot, for `make` in the same transaction. A change that
    is not the citizen's choice is not counted among the corrections.

    Raises:
        refusals.NotBooked, ChangePending, Busy; corrections.TooOften: see there.
        refusals.SpotTaken: somebody else has the spot in that time.
        terms.SpotUnknown, StayRefused, NotPriced; parking.pricing.QuoteError.
    """
    stay = booking.open_stay(locking.slots_of(booking_id), now)
    if is_a_choice:
        corrections.check_allowance(stay.parts[0].booking, now)
    wish = _Wish(stay, now, spot_id=spot_id, start=start, end=end)
    wish.check(locked=locked)
    if locked:
        known = stay_of(locking.lock_booking(booking_id, and_spot=wish.spot.pk))
        if _marks(known) != _marks(stay):
            raise refusals.Busy
    if wish.is_taken():
        raise refusals.SpotTaken
    return wish.priced()


def make(*, change: Change, now: datetime, actor: str, reason: str = "") -> Slot:
    """Claim what `propose(locked=True)` said, in its transaction; return the new slot.

    It is held until it is paid; where nothing is to be paid it replaces the stay at once.

    Raises:
        refusals.SpotTaken: see there.
    """
    stay = change.stay
    slot = Slot.objects.create(
        booking=stay.parts[0].booking,
        spot=change.spot,
        period=change.piece,
        claim=change.claim,
        state=SlotState.HELD,
        kind=SlotKind.CHANGE,
        follows=stay.slots[-1],
        priced_from=change.start if change.start != change.piece.lower else None,
        held_until=now + booking.HOLD_FOR,
        amount=change.due,
        currency=change.quote.currency,
        tariff_id=change.tariff_id,
        quote=change.quote.as_json(),
        free_reason="" if change.due else COVERED,
        created_at=now,
    )
    if change.due:
        booking.record(slot=slot, kind="change asked", actor=actor, now=now, reason=reason)
        return slot
    for slot_id, amount in change.back.items():
        if amount:
            Slot.objects.filter(id=slot_id).update(returned=F("returned") + amount)
    booking.confirm(slot=slot, now=now, actor=actor, reason=reason)
    return slot


class _Wish:
    """What is wanted, with what the zone says about it."""

    def __init__(
        self,
        stay: Stay,
        now: datetime,
        *,
        spot_id: int | None,
        start: datetime | None,
        end: datetime | None,
    ) -> None:
        self.stay, self.now = stay, now
        self.start, self.end = start or stay.start, end or stay.end
        self.has_begun = stay.start <= now
        self._check_times(spot_id)
        # A stay that runs is left in the minute in which it is changed.
        first = max(self.start, now.replace(second=0, microsecond=0))
        self.piece = DateTimeTZRange(first if self.has_begun else self.start, self.end)
        self.conditions = terms.conditions(
            spot_id=spot_id or stay.spot.pk, start=self.piece.lower, end=self.end
        )
        self.spot, self.rules = self.conditions.spot, self.conditions.rules
        kept_free = timedelta(minutes=self.rules.buffer_min)
        self.claim = DateTimeTZRange(first, self.end + kept_free) if kept_free else None

    def _check_times(self, spot_id: int | None) -> None:
        is_same_time = (self.start, self.end) == (self.stay.start, self.stay.end)
        if is_same_time and (spot_id or self.stay.spot.pk) == self.stay.spot.pk:
            _refuse("unchanged", _("Choose another spot or another time."), "spot")
        if self.has_begun and self.start != self.stay.start:
            _refuse("has_begun", _("The stay has begun: its start cannot be changed."), "from")
        if self.has_begun and self.end <= self.now:
            _refuse("end_is_past", _("Choose an end that is still to come."), "to")

    def check(self, *, locked: bool) -> None:
        """Ask the zone's rules; see `rule_facts.facts` for `locked`."""
        here = self.stay.spot.zone
        if self.spot.zone_id != here.pk:
            message = _("Choose a spot in the same zone, %(zone)s. To park elsewhere, cancel.")
            _refuse("same_zone", message % {"zone": here.name}, "spot")
        made = self.stay.parts[0].booking
        facts = rule_facts.facts(
            rules=self.rules,
            spot=self.spot,
            start=self.start,
            end=self.end,
            now=self.now,
            plate=made.plate,
            booking_id=made.pk,
            locked=locked,
        )
        wish = stay_rules.Wish(
            start=self.start,
            end=self.end,
            now=self.now,
            closures=self.conditions.closures,
            event_limits=self.conditions.event_limits,
            stays_of_vehicle=facts.stays_of_vehicle,
            reserved=facts.reserved,
            street_spots=facts.street_spots,
        )
        keeps_start = self.start == self.stay.start
        rule_book = stay_rules.SAME_START_BOOK if keeps_start else stay_rules.RULE_BOOK
        if broken := stay_rules.failures(self.rules, wish, rule_book):
            raise terms.StayRefused(broken)

    def is_taken(self) -> bool:
        """Say whether others have the spot, or what is kept free around them."""
        others = Slot.objects.live().filter(spot=self.spot).exclude(booking=self._booking_id)
        mine = self.claim or self.piece
        return others.filter(
            Q(period__overlap=mine) | Q(claim__isnull=False, claim__overlap=self.piece)
        ).exists()

    def priced(self) -> Change:
        """Price the whole stay: by the tariff that was promised, unless it starts another time."""
        first = self.stay.parts[0]
        version = (first.tariff_id, first.tariff.sha256)
        if self.start != self.stay.start:
            if self.conditions.tariff is None:
                raise terms.NotPriced(self.spot.pk)
            version = self.conditions.tariff
        tariff = terms.tariff_of(*version)
        whole = quote(
            tariff=tariff,
            start=self.start,
            end=self.end,
            vehicle_class=first.booking.vehicle_class or None,
        )
        agreed = less_paid(whole, paid=self.stay.price, tax_rate_bp=tariff.tax.rate_bp)
        if 0 < agreed.total < settings.PROCESSOR_MINIMUM_CHARGE:
            message = _(
                "The difference is %(amount)s, and no card can pay less than %(least)s. Choose a "
                "time that differs more."
            ) % {
                "amount": formatting.money(agreed.total, agreed.currency),
                "least": formatting.money(settings.PROCESSOR_MINIMUM_CHARGE, agreed.currency),
            }
            _refuse("too_little_to_pay", message, "to")
        surplus = max(0, self.stay.price - whole.total)
        back = refund_policy.surplus_due(stay=self.stay, surplus=surplus, now=self.now)
        return Change(
            stay=self.stay,
            spot=self.spot,
            start=self.start,
            end=self.end,
            piece=self.piece,
            claim=self.claim,
            tariff_id=version[0],
            quote=agreed,
            surplus=surplus,
            back=refund_policy.shared(stay=self.stay, back=back),
        )

    @property
    def _booking_id(self) -> int:
        return self.stay.parts[0].booking_id


def _refuse(rule: str, message: str, field: str) -> None:
    raise terms.StayRefused([stay_rules.Failure(rule, message, field)])


def _marks(stay: Stay) -> tuple[object, ...]:
    """Return what must not change between asking and locking."""
    slots = [(slot.pk, slot.state) for slot in stay.slots]
    return (slots, stay.parts[0].booking.plate, stay.waiting)
