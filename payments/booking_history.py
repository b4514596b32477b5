"""What happened to a booking and to its money, in one trail: when, what, by whom and why."""

from __future__ import annotations

from operator import attrgetter

from django.utils.translation import gettext as _

from parking import formatting, history
from parking.history import Step
from parking.models import Booking
from payments.models import Payment, PaymentState, Refund, RefundState


def steps(about: Booking) -> list[Step]:
    """Return the trail, oldest first: what was booked, then what was paid or goes back for it."""
    found = [*history.steps(about), *_paid(about), *_back(about)]
    return sorted(found, key=attrgetter("at"))  # steps of one moment stay in this order


def _paid(about: Booking) -> list[Step]:
    payments = Payment.objects.filter(slot__booking=about, state=PaymentState.PAID)
    return [
        Step(
            payment.paid_at or payment.created_at,
            _("%(amount)s paid") % {"amount": _money(payment.captured or 0, payment)},
            history.who("processor"),
            _("after the spot was given up") if payment.is_orphan else "",
        )
        for payment in payments.order_by("paid_at", "id")
    ]


def _back(about: Booking) -> list[Step]:
    refunds = Refund.objects.filter(payment__slot__booking=about).select_related("payment")
    return [
        Step(
            refund.created_at,
            (
                _("%(amount)s should have gone back, and did not")
                if refund.state in {RefundState.FAILED, RefundState.CANCELLED}
                else _("%(amount)s goes back")
            )
            % {"amount": _money(refund.amount, refund.payment)},
            history.who(refund.actor),
            str(refund.get_reason_display()),
        )
        for refund in refunds.order_by("created_at", "id")
    ]


def _money(amount: int, payment: Payment) -> str:
    return formatting.money(amount, payment.currency)
