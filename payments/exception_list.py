"""The list of things about money that a person must look at."""

from __future__ import annotations

import logging
from datetime import datetime

from django.utils import timezone

from payments.models import ClosedPeriod, MoneyException, Payment

logger = logging.getLogger(__name__)


def put(
    *,
    kind: MoneyException.Kind,
    key: str,
    detail: str,
    now: datetime,
    payment: Payment | None = None,
    concerns: datetime | None = None,
) -> None:
    """Put a trouble on the list; the same `key` stands there once, however often it is seen.

    It keeps the day of `concerns` from being closed: when it happened, or now where that day is
    closed already.
    """
    day = timezone.localdate(concerns or now)
    if concerns and ClosedPeriod.objects.filter(first_on__lte=day, last_on__gte=day).exists():
        day = timezone.localdate(now)
    _row, is_new = MoneyException.objects.get_or_create(
        key=key,
        defaults={
            "kind": kind,
            "payment": payment,
            "detail": detail[:300],
            "opened_at": now,
            "concerns_on": day,
        },
    )
    if is_new:
        logger.error("money exception %s: %s", key, detail)
