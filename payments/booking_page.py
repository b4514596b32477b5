"""What is true of a booking now, as its page says it. Reads rows; asks nobody, writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _

from parking import closures, late_lights, stays
from parking.models import Booking, Closure, LateLight, Light, Slot, SlotState
from parking.pricing import Quote
from payments import cancel
from payments.models import (
    DEAD_REFUND_STATES,
    UNDECIDED_REFUND_STATES,
    Payment,
    PaymentState,
    Refund,
)

# The processor's page does not notice by itself that we ended it: people get a margin.
MARGIN = timedelta(seconds=30)


class Stage(models.TextChoices):
    """Where a booking stands, in words for its maker."""

    HELD = "held", _("Held for you")
    PROCESSING = "processing", _("Waiting for the payment")
    EXPIRING = "expiring", _("The time to pay is over")
    CONFIRMED = "confirmed", _("Confirmed")
    COMPLETED = "completed", _("Over")
    CANCELLED = "cancelled", _("Cancelled")
    RELEASED = "released", _("Not booked")
    ORPHAN = "orphan", _("Paid too late")
    UNCLEAR = "unclear", _("Payment being looked into")


# A page in one of these changes by itself and is worth asking again.
_MOVING = {Stage.HELD, Stage.PROCESSING, Stage.EXPIRING, Stage.CONFIRMED}


@dataclass(frozen=True, kw_only=True)
class Part:
    """One slot of a booking, with its price and its payment."""

    slot: Slot
    stage: Stage
    quote: Quote
    payment: Payment | None

    @property
    def start(self) -> datetime:
        """From when it is priced: of a change while the stay ran, the stay's own start."""
        return self.slot.priced_from or self.slot.start

    @property
    def pay_until(self) -> datetime:
        """The last moment at which a payment should be begun."""
        return self.slot.held_until - MARGIN


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Everything that the page of a booking tells. Amounts are minor units.

    `parts` are what was booked, in order of time: the first slot and its extensions; where nothing
    was, the one that was tried. `replaced` is what was booked before the stay was changed.
    `waiting` is an extension or change that waits for its payment. `late_light` is what may be
    chosen because the light did not turn green; `closure` is what closes the spot meanwhile.
    """

    booking: Booking
    start: datetime
    parts: list[Part]
    replaced: list[Part]
    paid: int
    waiting: Part | None
    refunds: list[Refund]
    refund_now: int | None
    light: Light | None
    late_light: LateLight | None
    closure: Closure | None

    @property
    def stage(self) -> Stage:
        """Where the booking as a whole stands."""
        return self.parts[-1].stage

    @property
    def slot(self) -> Slot:
        """The last slot."""
        return self.parts[-1].slot

    @property
    def end(self) -> datetime:
        """When the stay ends."""
        return self.slot.end

    @property
    def pay_until(self) -> datetime:
        """The last moment at which a payment should be begun."""
        return self.parts[-1].pay_until

    @property
    def held(self) -> Part | None:
        """What is held and waits for its payment: the booking, its extension or its change."""
        part = self.waiting or self.parts[-1]
        return part if part.stage == Stage.HELD else None

    @property
    def is_moving(self) -> bool:
        """Whether the page may change by itself."""
        stages = {self.stage} | ({self.waiting.stage} if self.waiting else set())
        return bool(stages & _MOVING) or any(
            refund.state in UNDECIDED_REFUND_STATES for refund in self.refunds
        )

    @property
    def is_waiting(self) -> bool:
        """Whether somebody waits for a word of the processor."""
        return any(
            part is not None and part.stage in {Stage.PROCESSING, Stage.EXPIRING}
            for part in (self.parts[-1], self.waiting)
        )

    @property
    def is_booked(self) -> bool:
        """Whether the spot is or was the citizen's."""
        return self.stage in {Stage.CONFIRMED, Stage.COMPLETED}

    @property
    def is_paid(self) -> bool:
        """Whether money came in, so that there is a receipt."""
        return any(
            part.payment is not None and part.payment.state == PaymentState.PAID
            for part in [*self.parts, *self.replaced, *([self.waiting] if self.waiting else [])]
        )

    @property
    def refund_failed(self) -> bool:
        """Whether money that was to go back did not arrive, so that a person sees to it."""
        return any(refund.state in DEAD_REFUND_STATES for refund in self.refunds)


def standing(*, booking: Booking, now: datetime, returned: bool = False) -> Standing:
    """Say how a booking stands; `returned`: its maker comes from the processor's page."""
    slots = list(
        booking.slots.select_related("spot__zone")
        .prefetch_related("payments__refunds")
        .order_by("id")
    )
    stay = stays.stay_of(slots)
    parts = [_part(slot, now, returned=returned) for slot in stay.parts]
    newest = _part(slots[-1], now, returned=returned)
    # What was not paid in time took nothing: it is not worth a word.
    is_news = newest.slot not in stay.parts and newest.stage != Stage.RELEASED
    stage = parts[-1].stage
    return Standing(
        booking=booking,
        start=stay.start,
        parts=parts,
        replaced=[_part(slot, now, returned=returned) for slot in stay.replaced],
        paid=stay.price,
        waiting=newest if is_news else None,
        refunds=sorted(
            (
                refund
                for slot in slots
                for payment in slot.payments.all()
                for refund in payment.refunds.all()
            ),
            key=lambda refund: refund.created_at,
        ),
        refund_now=(
            cancel.due_now(reference=booking.reference, now=now)
            if stage == Stage.CONFIRMED
            else None
        ),
        light=Light.objects.filter(spot=stay.spot.pk, spot__meter__isnull=False).first(),
        late_light=late_lights.offer(stay=stay, now=now),
        closure=closures.ahead(stay=stay, now=now),
    )


def _part(slot: Slot, now: datetime, *, returned: bool) -> Part:
    payments = sorted(slot.payments.all(), key=lambda payment: payment.created_at, reverse=True)
    paid = next((payment for payment in payments if payment.state == PaymentState.PAID), None)
    is_open = any(payment.state == PaymentState.OPEN for payment in payments)
    return Part(
        slot=slot,
        stage=_stage(slot, now, returned=returned, is_open=is_open, paid=paid),
        quote=Quote.from_json(slot.quote),
        payment=paid or (payments[0] if payments else None),
    )


def _stage(
    slot: Slot, now: datetime, *, returned: bool, is_open: bool, paid: Payment | None
) -> Stage:
    match slot.state:
        case SlotState.CONFIRMED:
            return Stage.CONFIRMED if now < slot.end else Stage.COMPLETED
        case SlotState.CANCELLED | SlotState.REPLACED:
            return Stage.CANCELLED
        case _ if paid:
            return Stage.ORPHAN if paid.is_orphan else Stage.UNCLEAR
        case SlotState.RELEASED if not is_open:
            return Stage.RELEASED
        case _ if returned and is_open:
            return Stage.PROCESSING
        case SlotState.HELD if now < slot.held_until - MARGIN:
            return Stage.HELD
    return Stage.EXPIRING
