"""The end of a hold: expire first, then release.

A hold that ran out keeps its place until the processor has said that the hosted page is expired
(release) or paid (confirm). Releasing by the clock would take the place from people who pay.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from parking import booking, locking, longer_hold, refusals
from parking.models import Slot, SlotState
from payments import checkout, exception_list, gateway, states
from payments.models import UNDECIDED_STATES, MoneyException, Payment, PaymentState
from payments.records import Session

_AT_ONCE = 5000
_LEASE = timedelta(seconds=60)


class TooEarly(Exception):
    """The processor may still answer by itself."""


def sweep(*, now: datetime) -> list[UUID]:
    """End the holds that ran out, as far as it needs no processor.

    1. Holds that ran out become EXPIRING; they keep their place.
    2. Those for which nobody was given a page are released.
    3. The payments whose page must be ended now are claimed for a minute and returned; whoever
       gets the ids calls `end_page` on each.
    """
    slot_ids = booking.begin_expiries(now=now, limit=_AT_ONCE)
    open_payments = dict(
        Payment.objects.filter(slot__in=slot_ids, state=PaymentState.OPEN).values_list(
            "slot_id", "id"
        )
    )
    for slot_id in slot_ids:
        if slot_id not in open_payments:
            with suppress(refusals.Busy):  # the next sweep finds it
                _release_unpayable(slot_id, now)
    return [payment_id for payment_id in open_payments.values() if _claim(payment_id, now)]


def end_page(*, payment_id: UUID, now: datetime, in_a_hurry: bool = False) -> Payment:
    """End a payment's hosted page and act on what the processor says; the slot follows.

    Raises:
        gateway.GatewayError: it did not say; the slot keeps its place, and it is asked again.
    """
    payment = Payment.objects.select_related("slot").get(id=payment_id)
    if payment.state != PaymentState.OPEN:
        return payment
    try:
        session = _end_or_look(payment.session_id or "", in_a_hurry)
    except gateway.GatewayError as error:
        checkout.look_again_later(payment=payment, error=error, now=now)
        raise
    return checkout.apply(payment=payment, session=session, now=now)


def give_up(*, slot_id: int, now: datetime, actor: str) -> None:
    """End a hold that its maker does not want; what the sweeper would do at its end, now.

    Raises:
        refusals.WrongState: the slot is not held.
        gateway.GatewayError: the processor did not answer; the sweeper goes on.
    """
    with refusals.contended(), transaction.atomic():
        slot = locking.lock_slot(slot_id)
        booking.begin_expiry(slot=slot, now=now, actor=actor)
        payment = slot.payments.filter(state=PaymentState.OPEN).first()
    if payment is None:
        _release_unpayable(slot_id, now)
    else:
        end_page(payment_id=payment.id, now=now, in_a_hurry=True)


def can_put_off(*, slot: Slot, now: datetime) -> datetime | None:
    """Return until when the slot's maker can have it held instead, by one more action."""
    return longer_hold.possible_until(slot=slot, now=now, not_after=_end_of_page(slot))


def put_off(*, slot_id: int, now: datetime, actor: str) -> datetime:
    """Keep a hold for its maker a while longer, once; return until when.

    Raises:
        longer_hold.NotLonger: see there; what has begun to end goes on ending.
    """
    with refusals.contended(), transaction.atomic():
        slot = locking.lock_slot(slot_id)
        return longer_hold.prolong(slot=slot, now=now, actor=actor, not_after=_end_of_page(slot))


def force_release(*, slot_id: int, now: datetime, actor: str, reason: str) -> None:
    """Give the place back although the processor has not answered; an officer takes the blame.

    The payment stays open and is asked about further on: money that still arrives claims the
    place again or goes back.

    Raises:
        TooEarly: the page may still be alive.
        refusals.WrongState: the slot is not expiring.
    """
    with refusals.contended(), transaction.atomic():
        slot = locking.lock_slot(slot_id)
        if slot.state != SlotState.EXPIRING:
            raise refusals.WrongState(slot.state)
        for payment in slot.payments.filter(state=PaymentState.OPEN):
            if now < forcible_from(payment):
                raise TooEarly(payment.id)
            exception_list.put(
                kind=MoneyException.Kind.FORCED_RELEASE,
                key=f"forced:{payment.id}",
                detail=f"{slot.booking.reference} by {actor}: {reason}",
                payment=payment,
                now=now,
            )
        booking.release(slot=slot, now=now, actor=actor, reason=reason)


def forcible_from(payment: Payment) -> datetime:
    """Return from when on an officer may release the spot of an open payment."""
    return payment.expires_at + checkout.HARD_STOP_AFTER


def _end_of_page(slot: Slot) -> datetime | None:
    """Return when the processor closes the slot's page by itself, if there is one."""
    pages = slot.payments.filter(state__in=UNDECIDED_STATES)
    return pages.values_list("expires_at", flat=True).first()


def _end_or_look(session_id: str, in_a_hurry: bool) -> Session:
    try:
        return gateway.expire_session(session_id, in_a_hurry=in_a_hurry)
    except gateway.GatewayError as error:
        if error.retryable:
            raise
        # Refused: it is paid or over already, and only looking tells which.
        return gateway.retrieve_session(session_id, in_a_hurry=in_a_hurry)


def _release_unpayable(slot_id: int, now: datetime) -> None:
    with refusals.contended(), transaction.atomic():
        slot = locking.lock_slot(slot_id)
        if slot.payments.filter(state=PaymentState.OPEN).exists():
            return
        for known in slot.payments.filter(state=PaymentState.CREATED):
            payment = states.lock_payment(known.id, slot=slot)
            states.fail_payment(payment=payment, now=now, why="the page was never opened")
        checkout.release_if_given_up(slot, now)


def _claim(payment_id: UUID, now: datetime) -> bool:
    """Say whether this caller may ask about the payment now; others wait for the lease's end."""
    return bool(
        Payment.objects.filter(
            id=payment_id, state=PaymentState.OPEN, next_check_at__lte=now
        ).update(next_check_at=now + _LEASE)
    )
