"""Which bookings somebody still works on: a spot found taken, a dispute, money on its way."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, QuerySet

from parking.models import Booking, SpotReport
from payments.models import (
    UNDECIDED_REFUND_STATES,
    UNDECIDED_STATES,
    Dispute,
    DisputeState,
    MoneyException,
    Payment,
    Refund,
    RefundDecision,
    RefundRequest,
)


def among(bookings: QuerySet[Booking]) -> QuerySet[Booking]:
    """Keep the bookings about which a case is open, or whose money is not where it belongs."""
    of_payment = {"payment__slot__booking": OuterRef("pk")}
    return bookings.filter(
        Exists(SpotReport.objects.filter(booking=OuterRef("pk"), closed_at=None))
        | Exists(Payment.objects.filter(slot__booking=OuterRef("pk"), state__in=UNDECIDED_STATES))
        | Exists(Refund.objects.filter(**of_payment, state__in=UNDECIDED_REFUND_STATES))
        | Exists(RefundRequest.objects.filter(**of_payment, decision=RefundDecision.WAITING))
        | Exists(Dispute.objects.filter(**of_payment, state=DisputeState.OPEN))
        | Exists(MoneyException.objects.filter(**of_payment, closed_at=None))
    )
