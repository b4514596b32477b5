"""Paying for a slot: open the processor's page, and learn what became of it.

`start` gives the address of the hosted page. `sync_payment` asks the processor and brings slot,
payment and books to what it says; webhook, return page, sweeper and reconciler all call it, and
calling it again changes nothing. What ends a hold stands in `payments.expiry`.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from uuid6 import uuid7

from parking import booking, formatting, locking, refusals
from parking.models import Slot, SlotState
from payments import arrival, exception_list, gateway, states
from payments.models import UNDECIDED_STATES, MoneyException, Payment, PaymentState
from payments.records import Session

logger = logging.getLogger(__name__)

# The processor wants 30 minutes at least; a hold is shorter, so its end is a call of our own.
PAGE_LASTS = timedelta(minutes=31)
# While its `expires_at` is still far enough ahead, a create call can be repeated word for word.
REPEATABLE_FOR = timedelta(seconds=50)
# After this there is no page any more, whatever the processor last said.
HARD_STOP_AFTER = timedelta(minutes=10)
_PAGE_LANGUAGES = {"en", "ru", "vi"}  # the processor has no Persian


class CheckoutError(Exception):
    """No payment can be started."""


class HoldOver(CheckoutError):
    """The time to pay is over."""


class AlreadyPaid(CheckoutError):
    """Money for the slot is here."""


class ProcessorAway(CheckoutError):
    """The processor does not answer; trying again in a moment may help."""


class ProcessorRefused(CheckoutError):
    """The processor does not take this payment; the argument is its code."""


def start(*, slot_id: int, now: datetime, booking_id: int | None = None) -> str:
    """Return the address of the hosted page for a held slot; a second tab gets the same one.

    Whoever knows the `booking_id` of the slot saves looking it up.

    Raises:
        HoldOver, AlreadyPaid, ProcessorAway, ProcessorRefused, refusals.Busy: see there.
    """
    payment = _payment_to_open(slot_id, booking_id, now)
    if payment.state == PaymentState.OPEN:
        return payment.session_url
    try:
        session = gateway.create_session(payment.request, key=payment.idempotency_key)
    except gateway.GatewayError as error:
        if error.retryable:
            # The row stays: a repeat sends the same key, so there is one page at most.
            logger.warning("payment %s: no page yet: %s", payment.id, error.code)
            raise ProcessorAway(error.code) from error
        logger.error("payment %s: refused by the processor: %s", payment.id, error.code)
        with refusals.contended(), transaction.atomic():
            _slot, payment = _lock(payment, is_whole=False)
            if payment.state == PaymentState.CREATED:
                states.fail_payment(payment=payment, now=now, why=error.code)
        raise ProcessorRefused(error.code) from error
    with refusals.contended(), transaction.atomic():
        slot, payment = _lock(payment, is_whole=False)
        if payment.state == PaymentState.CREATED and slot.state == SlotState.HELD:
            states.open_payment(payment=payment, session=session, next_check_at=slot.held_until)
        elif payment.state == PaymentState.CREATED:
            states.fail_payment(payment=payment, now=now, why="the hold ended meanwhile")
    if payment.state != PaymentState.OPEN:
        raise HoldOver  # nobody was given the page, so no money can come by it
    return payment.session_url


def sync_payment(*, payment_id: UUID, now: datetime, in_a_hurry: bool = False) -> Payment:
    """Ask the processor what became of a payment and act on it; return the payment as it is then.

    Raises:
        gateway.GatewayError: it did not say; nothing changed but the time of the next look.
        refusals.Busy: others are at the same rows; nothing changed.
    """
    payment = Payment.objects.select_related("slot").get(id=payment_id)
    return sync(payment=payment, now=now, in_a_hurry=in_a_hurry)


def sync(*, payment: Payment, now: datetime, in_a_hurry: bool = False) -> Payment:
    """Do the same for a payment that was just read."""
    fee_is_missing = payment.state == PaymentState.PAID and payment.fee is None
    if payment.state != PaymentState.OPEN and not fee_is_missing:
        return payment
    try:
        session = gateway.retrieve_session(payment.session_id or "", in_a_hurry=in_a_hurry)
    except gateway.GatewayError as error:
        look_again_later(payment=payment, error=error, now=now)
        raise
    return apply(payment=payment, session=session, now=now)


def apply(*, payment: Payment, session: Session, now: datetime) -> Payment:
    """Bring slot, payment and books to what the processor says of the page."""
    with refusals.contended(), transaction.atomic():
        slot, payment = _lock(payment)
        if session.capture is not None:
            arrival.take(slot=slot, payment=payment, capture=session.capture, now=now)
        elif payment.state != PaymentState.OPEN:
            pass  # old news
        elif session.status == "expired" or (
            session.status == "open" and now >= payment.expires_at + HARD_STOP_AFTER
        ):
            states.expire_payment(payment=payment, now=now)
            release_if_given_up(slot, now)
        else:
            _look_again(slot, payment, now, failed=False)
    return payment


def look_again_later(*, payment: Payment, error: gateway.GatewayError, now: datetime) -> None:
    """Keep everything as it is after a failed call, and space out the next one.

    Only where the processor answers that it knows no such page, and after the hard stop, the
    payment is over; a person looks at it.
    """
    with refusals.contended(), transaction.atomic():
        slot, payment = _lock(payment)
        if payment.state != PaymentState.OPEN:
            if payment.next_check_at is not None:
                states.ask_payment_again(payment=payment, now=now, failed=True)
            return
        if not error.retryable and now >= payment.expires_at + HARD_STOP_AFTER:
            states.fail_payment(payment=payment, now=now, why=error.code)
            exception_list.put(
                kind=MoneyException.Kind.UNMATCHED,
                key=f"page-unknown:{payment.id}",
                detail=f"the processor knows no page {payment.session_id}: {error.code}",
                payment=payment,
                now=now,
            )
            release_if_given_up(slot, now)
            return
        _look_again(slot, payment, now, failed=True)
    waiting = "its spot stays taken" if slot.state == SlotState.EXPIRING else "will ask again"
    logger.log(
        logging.ERROR if payment.checks_failed > 3 else logging.WARNING,
        "payment %s: the processor did not say (%s), failure %s in a row; %s",
        payment.id,
        error.code,
        payment.checks_failed,
        waiting,
    )


def release_if_given_up(slot: Slot, now: datetime) -> None:
    """Give a locked slot's place back if its hold is over; no money can arrive for it."""
    if slot.state == SlotState.EXPIRING:
        booking.release(slot=slot, now=now, actor="clock")


def _lock(payment: Payment, *, is_whole: bool = True) -> tuple[Slot, Payment]:
    slot = locking.lock_slot(payment.slot_id, booking_id=payment.slot.booking_id, is_whole=is_whole)
    return slot, states.lock_payment(payment.id, slot=slot)


def _payment_to_open(slot_id: int, booking_id: int | None, now: datetime) -> Payment:
    with refusals.contended(), transaction.atomic():
        slot = locking.lock_slot(slot_id, booking_id=booking_id)
        known = list(slot.payments.filter(state__in=[PaymentState.PAID, *UNDECIDED_STATES]))
        if any(payment.state == PaymentState.PAID for payment in known):
            raise AlreadyPaid
        if slot.state != SlotState.HELD or now >= slot.held_until:
            raise HoldOver
        if known:
            payment = states.lock_payment(known[0].id, slot=slot)
            is_fresh = now < payment.created_at + REPEATABLE_FOR
            if payment.state == PaymentState.OPEN or is_fresh:
                return payment
            # Nobody was ever given its page, so no money can come by it.
            states.fail_payment(payment=payment, now=now, why="the page was never opened")
        identity = uuid7()
        expires_at = now.replace(microsecond=0) + PAGE_LASTS
        return Payment.objects.create(
            id=identity,
            slot=slot,
            amount=slot.amount,
            currency=slot.currency,
            idempotency_key=f"payment-{identity}",
            request=_request(slot, identity, expires_at),
            expires_at=expires_at,
            created_at=now,
            next_check_at=slot.held_until,
        )


def _request(slot: Slot, identity: UUID, expires_at: datetime) -> dict[str, Any]:
    """Write the whole request once. Of the citizen it says nothing; our id is the only name."""
    reference, language = slot.booking.reference, slot.booking.language
    with translation.override(language):
        page = settings.SITE_URL + reverse("payments:booking", args=[reference])
        back = settings.SITE_URL + reverse("payments:return", args=[reference])
        title = _("Parking, spot %(spot)s, %(period)s") % {
            "spot": slot.spot.number,
            "period": formatting.period(slot.start, slot.end),
        }
    return {
        "mode": "payment",
        "payment_method_types": ["card"],
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": slot.currency.lower(),
                    "unit_amount": slot.amount,
                    "product_data": {"name": title},
                },
            }
        ],
        "client_reference_id": str(identity),
        "metadata": {"payment": str(identity)},
        "payment_intent_data": {"metadata": {"payment": str(identity)}},
        "success_url": back,
        "cancel_url": page,
        "expires_at": int(expires_at.timestamp()),
        "locale": language if language in _PAGE_LANGUAGES else "auto",
    }


def _look_again(slot: Slot, payment: Payment, now: datetime, *, failed: bool) -> None:
    # The end of the hold is always a moment to look.
    ends = slot.held_until if slot.state == SlotState.HELD and slot.held_until > now else None
    states.ask_payment_again(payment=payment, now=now, failed=failed, not_after=ends)
