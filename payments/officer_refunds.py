"""Refunds that an officer decides: with a reason, within a limit, and above it by two persons.

The limit is per person and booking: several small refunds of one booking count together. Nobody
refunds a booking of their own.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max, Sum

from parking import booking, locking, refusals
from parking.models import Booking, Slot
from payments import exception_list, refunds, states
from payments.models import (
    DEAD_REFUND_STATES,
    MoneyException,
    Payment,
    Refund,
    RefundDecision,
    RefundLimit,
    RefundReason,
    RefundRequest,
)

ASK, APPROVE = "payments.request_refund", "payments.approve_refund"
EVERY_ZONE = "payments.handle_every_zone"


class RefundRefused(Exception):
    """The officer may not do that."""


class NotAllowed(RefundRefused):
    """The person's role does not refund, or not in this zone."""


class OwnBooking(RefundRefused):
    """It is the person's own booking, by account or by e-mail address."""


class ReasonMissing(RefundRefused):
    """Every refund says why."""


class SamePerson(RefundRefused):
    """Who asked cannot approve."""


class AlreadyDecided(RefundRefused):
    """Somebody decided it before."""


def handles(user: User, slot: Slot) -> bool:
    """Say whether money of the slot's zone is the person's business."""
    if user.is_superuser or user.has_perm(EVERY_ZONE):
        return True
    return slot.spot.zone.operators.filter(pk=user.pk).exists()


def is_own(user: User, made: Booking) -> bool:
    """Say whether the booking is the person's own, by account or by any address of theirs."""
    if made.user_id == user.pk:
        return True
    addresses = EmailAddress.objects.filter(user=user).values_list("email", flat=True)
    return made.email.casefold() in {one.casefold() for one in (user.email, *addresses) if one}


def limit_of(user: User) -> int:
    """Return what the person may give back of one booking alone, in minor units."""
    found = RefundLimit.objects.filter(group__in=user.groups.all()).aggregate(most=Max("amount"))
    return found["most"] or 0


def left_alone(user: User, made: Booking) -> int:
    """Return what of the limit is left for this booking, in minor units."""
    given = (
        Refund.objects.filter(
            payment__slot__booking=made,
            reason=RefundReason.OPERATOR,
            actor=actor(user),
            approver="",
        )
        .exclude(state__in=DEAD_REFUND_STATES)
        .aggregate(sum=Sum("amount"))
    )
    return max(limit_of(user) - (given["sum"] or 0), 0)


def ask(
    *, payment_id: UUID, amount: int, note: str, by: User, now: datetime
) -> Refund | RefundRequest:
    """Give money back, or put it before a second person where it is above the limit.

    Afterwards nudge `tasks.submit_refund` for a refund.

    Raises:
        NotAllowed, OwnBooking, ReasonMissing; refunds.NotPaid, refunds.OverRefund; refusals.Busy.
    """
    note = _reason(note)
    with refusals.contended(), transaction.atomic():
        payment = _locked(payment_id)
        _check(by, payment, ASK)
        if amount <= left_alone(by, payment.slot.booking):
            refund = _give(payment, amount, note, by, now)
            _record(payment, "refund", actor(by), note, now)
            return refund
        refunds.check(payment=payment, amount=amount)
        _record(payment, "refund asked", actor(by), note, now)
        return RefundRequest.objects.create(
            payment=payment, amount=amount, note=note, asked_by=by, asked_at=now
        )


def approve(*, request_id: int, by: User, now: datetime) -> Refund:
    """Approve another person's request, and give the money back.

    Raises:
        NotAllowed, OwnBooking, SamePerson, AlreadyDecided; refunds.OverRefund; refusals.Busy.
    """
    with refusals.contended(), transaction.atomic():
        asked = _waiting(request_id, by)
        refund = _give(asked.payment, asked.amount, asked.note, asked.asked_by, now, approver=by)
        asked.refund = refund
        _decide(asked, RefundDecision.APPROVED, by, now)
        _record(asked.payment, "refund", f"{actor(asked.asked_by)}", asked.note, now)
        _record(asked.payment, "refund approved", actor(by), "", now)
        exception_list.put(
            kind=MoneyException.Kind.LARGE_REFUND,
            key=f"large-refund:{refund.id}",
            detail=f"{refund.amount} {asked.payment.currency} by {refund.actor}, approved by "
            f"{refund.approver}: {asked.note}",
            payment=asked.payment,
            now=now,
        )
    return refund


def refuse(*, request_id: int, by: User, now: datetime) -> RefundRequest:
    """Refuse another person's request; no money moves.

    Raises:
        NotAllowed, OwnBooking, SamePerson, AlreadyDecided; refusals.Busy.
    """
    with refusals.contended(), transaction.atomic():
        asked = _waiting(request_id, by)
        _decide(asked, RefundDecision.REFUSED, by, now)
        _record(asked.payment, "refund refused", actor(by), asked.note, now)
    return asked


def actor(user: User) -> str:
    """Name an officer in the books and in a booking's history."""
    return f"officer:{user.pk}"


def _locked(payment_id: UUID) -> Payment:
    slot = locking.lock_slot(Payment.objects.values_list("slot_id", flat=True).get(id=payment_id))
    payment = states.lock_payment(payment_id)
    payment.slot = slot
    return payment


def _waiting(request_id: int, by: User) -> RefundRequest:
    """Lock a request, its payment first; say no to who may not decide it."""
    payment = _locked(RefundRequest.objects.values_list("payment_id", flat=True).get(id=request_id))
    asked = RefundRequest.objects.select_for_update(of=("self",)).get(id=request_id)
    asked.payment = payment
    _check(by, payment, APPROVE)
    if asked.decision != RefundDecision.WAITING:
        raise AlreadyDecided(asked.decision)
    if asked.asked_by_id == by.pk:
        raise SamePerson
    return asked


def _check(by: User, payment: Payment, permission: str) -> None:
    if not (by.is_active and by.has_perm(permission) and handles(by, payment.slot)):
        raise NotAllowed(permission)
    if is_own(by, payment.slot.booking):
        raise OwnBooking


def _give(
    payment: Payment, amount: int, note: str, by: User, now: datetime, approver: User | None = None
) -> Refund:
    return refunds.request(
        payment=payment,
        amount=amount,
        reason=RefundReason.OPERATOR,
        actor=actor(by),
        approver=actor(approver) if approver else "",
        note=note,
        now=now,
    )


def _decide(asked: RefundRequest, decision: RefundDecision, by: User, now: datetime) -> None:
    asked.decision, asked.decided_by, asked.decided_at = decision, by, now
    asked.save(update_fields=["decision", "decided_by", "decided_at", "refund"])


def _record(payment: Payment, kind: str, who: str, why: str, now: datetime) -> None:
    booking.record(slot=payment.slot, kind=kind, actor=who, now=now, reason=why)


def _reason(note: str) -> str:
    if not note.strip():
        raise ReasonMissing
    return note.strip()[:200]
