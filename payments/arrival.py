"""What happens when money has arrived."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from parking import booking, refusals
from parking.models import Slot, SlotKind, SlotState
from payments import exception_list, ledger, mail, refunds, states
from payments.models import MailKind, MoneyException, Payment, PaymentState, RefundReason
from payments.records import Capture

_EXCEPTION_FOR = {
    RefundReason.LATE_PAYMENT: MoneyException.Kind.ORPHAN,
    RefundReason.DUPLICATE: MoneyException.Kind.DOUBLE_PAYMENT,
}


def take(*, slot: Slot, payment: Payment, capture: Capture, now: datetime) -> None:
    """Book money that the processor has, and give the citizen the slot for it.

    Slot and payment are locked. Money for which there is no place is an orphan: it goes back by
    itself. Money other than asked waits for a person. Doing it again changes nothing.
    """
    if payment.state == PaymentState.PAID:
        states.learn_fee(payment=payment, capture=capture, now=now)
        if payment.fee is None:
            states.ask_payment_again(payment=payment, now=now, failed=False)
        return
    if payment.state != PaymentState.OPEN:
        exception_list.put(
            kind=MoneyException.Kind.UNMATCHED,
            key=f"paid-after-end:{payment.id}",
            detail=f"{capture.intent_id} is paid, but its payment is {payment.state}",
            payment=payment,
            now=now,
        )
        return
    if (capture.amount, capture.currency) != (payment.amount, payment.currency):
        _pay(payment, capture, now, waits_on=ledger.SUSPENSE)
        exception_list.put(
            kind=MoneyException.Kind.AMOUNT,
            key=f"amount:{capture.intent_id}",
            detail=f"asked {payment.amount} {payment.currency}, "
            f"got {capture.amount} {capture.currency}",
            payment=payment,
            now=now,
        )
        return
    why_not = _claim(slot, now)
    if why_not is None:
        _pay(payment, capture, now)
        kind = MailKind.CHANGED if slot.kind == SlotKind.CHANGE else MailKind.CONFIRMED
        mail.owe(kind=kind, slot=slot, now=now)
        return
    _pay(payment, capture, now, waits_on=ledger.OWED_TO_CITIZENS, is_orphan=True)
    refunds.request(
        payment=payment, amount=capture.amount, reason=why_not, actor="processor", now=now
    )
    exception_list.put(
        kind=_EXCEPTION_FOR[why_not],
        key=f"orphan:{capture.intent_id}",
        detail=f"{RefundReason(why_not).label}: {slot.booking.reference}; refunded by itself",
        payment=payment,
        now=now,
    )
    mail.owe(kind=MailKind.ORPHAN, slot=slot, amount=capture.amount, now=now)


def _claim(slot: Slot, now: datetime) -> RefundReason | None:
    """Confirm a locked slot for which money arrived; else return why the money goes back."""
    if slot.state == SlotState.CONFIRMED:
        return RefundReason.DUPLICATE
    if slot.state == SlotState.RELEASED and now >= slot.end:
        return RefundReason.LATE_PAYMENT  # a stay in the past is of no use to anybody
    try:
        booking.confirm(slot=slot, now=now, actor="processor")
    except (refusals.SpotTaken, refusals.WrongState):
        return RefundReason.LATE_PAYMENT
    return None


def _pay(payment: Payment, capture: Capture, now: datetime, **how: Any) -> None:
    states.pay(payment=payment, capture=capture, now=now, actor="processor", **how)
