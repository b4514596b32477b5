"""The list of things about money that a person must look at."""

from __future__ import annotations

import logging
from datetime import datetime

from payments.models import MoneyException, Payment

logger = logging.getLogger(__name__)


def put(
    *,
    kind: MoneyException.Kind,
    key: str,
    detail: str,
    now: datetime,
    payment: Payment | None = None,
) -> None:
    """Put a trouble on the list; the same `key` stands there once, however often it is seen."""
    _row, is_new = MoneyException.objects.get_or_create(
        key=key,
        defaults={"kind": kind, "payment": payment, "detail": detail[:300], "opened_at": now},
    )
    if is_new:
        logger.error("money exception %s: %s", key, detail)
