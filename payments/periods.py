"""Closing a day or a month: nobody posts into it any more, and somebody has signed for it.

What comes later is posted into the next open day; a trigger of the ledger holds that, whoever
posts (migration 0014). A period with open exceptions is closed only by who accepts each of them.
"""

from __future__ import annotations

import calendar
import time
from collections.abc import Collection
from datetime import date, datetime, timedelta

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from payments import ledger
from payments.models import (
    AcceptedException,
    ClosedPeriod,
    LedgerEntry,
    LedgerHead,
    MoneyException,
    PeriodKind,
    Reconciliation,
    ReconciliationKind,
)

_PATIENCE_S = 3.0


class CannotClose(Exception):
    """The period stays open."""


class NotOver(CannotClose):
    """The period has not ended yet."""


class AlreadyClosed(CannotClose):
    """Somebody closed it before."""


class NotReconciled(CannotClose):
    """The processor's balance has not been compared up to the end of the period."""


class Unexplained(CannotClose):
    """Exceptions of the period are open and not accepted."""


class Busy(CannotClose):
    """Money is being posted without a pause; trying again in a moment helps."""


def bounds(kind: PeriodKind, day: date) -> tuple[date, date]:
    """Return the first and the last day of the day or month in which `day` lies."""
    if kind == PeriodKind.DAY:
        return day, day
    return day.replace(day=1), day.replace(day=calendar.monthrange(day.year, day.month)[1])


def open_exceptions(first_on: date, last_on: date) -> QuerySet[MoneyException]:
    """Return the exceptions about these days that nobody has closed, oldest first."""
    return (
        MoneyException.objects.filter(closed_at=None, concerns_on__range=(first_on, last_on))
        .select_related("owner", "payment__slot__booking")
        .order_by("concerns_on", "id")
    )


def is_closed(day: date) -> bool:
    """Say whether nothing can be posted into a day any more."""
    return ClosedPeriod.objects.filter(first_on__lte=day, last_on__gte=day).exists()


def reconciled_until() -> datetime | None:
    """Return up to when the processor's balance was compared."""
    runs = Reconciliation.objects.filter(kind=ReconciliationKind.BALANCE, reached_at__isnull=False)
    return runs.order_by("-reached_at").values_list("reached_at", flat=True).first()


def close(
    *,
    kind: PeriodKind,
    day: date,
    by: User,
    now: datetime,
    accepted: Collection[int] = (),
    reason: str = "",
) -> ClosedPeriod:
    """Close the day or month in which `day` lies, as the person `by`.

    `accepted` are the ids of the open exceptions that `by` takes upon them, for the `reason`.

    Raises:
        NotOver, AlreadyClosed, NotReconciled, Unexplained, Busy: see there; nothing was closed.
    """
    first_on, last_on = bounds(kind, day)
    if last_on >= timezone.localdate(now):
        raise NotOver(last_on)
    reached = reconciled_until()
    if reached is None or timezone.localdate(reached) <= last_on:
        raise NotReconciled(reached)
    with transaction.atomic():
        _keep_posters_out()
        if ClosedPeriod.objects.filter(first_on__lte=first_on, last_on__gte=last_on).exists():
            raise AlreadyClosed(first_on)
        # Locked, so that none is closed or opened again while we look.
        waiting = list(open_exceptions(first_on, last_on).select_for_update(of=("self",)))
        if waiting and (not reason.strip() or {row.pk for row in waiting} - set(accepted)):
            raise Unexplained([row.pk for row in waiting])
        ledger.seal()
        head = LedgerHead.objects.first()
        period = ClosedPeriod.objects.create(
            kind=kind,
            first_on=first_on,
            last_on=last_on,
            closed_at=now,
            closed_by=by,
            entries=LedgerEntry.objects.filter(business_on__range=(first_on, last_on)).count(),
            last_number=head.number if head else 0,
            head_hash=head.hash if head else b"",
        )
        AcceptedException.objects.bulk_create(
            AcceptedException(period=period, exception=row, reason=reason.strip()[:300])
            for row in waiting
        )
    return period


def still_open(*, now: datetime, limit: int = 31) -> list[date]:
    """Return the days before today that are not closed, newest first, since the first entry."""
    first = LedgerEntry.objects.order_by("business_on").values_list("business_on", flat=True)[:1]
    today = timezone.localdate(now)
    if not first:
        return []
    days = [today - timedelta(days=ago) for ago in range(1, limit + 1)]
    closed = list(
        ClosedPeriod.objects.filter(last_on__gte=days[-1]).values_list("first_on", "last_on")
    )
    return [
        day
        for day in days
        if day >= first[0] and not any(start <= day <= end for start, end in closed)
    ]


def _keep_posters_out() -> None:
    """Wait until nobody is posting. Queueing for the lock would make posters queue behind us."""
    deadline = time.monotonic() + _PATIENCE_S
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('payments.periods'))")
            if cursor.fetchone()[0]:
                return
            if time.monotonic() > deadline:
                raise Busy
            time.sleep(0.02)
