"""A circuit breaker for each address that meters are called at, shared by all workers.

Closed: everybody calls. After `TRIPS_AFTER` calls in a row that reached nobody it opens: nobody
calls. When its time is over it is half open: one call tries, whoever makes it; an answer closes
it, silence opens it again, for longer. Only silence counts: whatever answers, even with an error,
is there. Works in the caller's transaction; its rows are locked after the meters'.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from parking.models import Gateway, Meter

logger = logging.getLogger(__name__)

TRIPS_AFTER = 5
FIRST_REST_S, LONGEST_REST_S = 2.0, 30.0
TRIAL = timedelta(seconds=20)  # longer than any call takes; a tester that dies costs no more

_FAILED = """
INSERT INTO parking_gateway (edge_url, failures, failed_since, trials, last_error)
VALUES (%(url)s, %(count)s, %(now)s, 0, %(error)s)
ON CONFLICT (edge_url) DO UPDATE
SET failures = parking_gateway.failures + excluded.failures, last_error = excluded.last_error
"""


def barred(*, now: datetime) -> QuerySet[Gateway]:
    """Return the addresses that nobody else may call now."""
    return Gateway.objects.filter(
        Q(open_until__gt=now) | Q(trial_until__gt=now), opened_at__isnull=False
    )


def is_barred(now: datetime) -> Exists:
    """Return the condition that nobody may call a meter's address now."""
    return Exists(barred(now=now).filter(edge_url=OuterRef("edge_url")))


def allowed(meters: Iterable[Meter], *, now: datetime) -> dict[int, bool]:
    """Return which of the meters may be called, and whether that call is the one that tries."""
    waiting = list(meters)
    rows = Gateway.objects.select_for_update().filter(
        edge_url__in={meter.edge_url for meter in waiting}, opened_at__isnull=False
    )
    opened = {row.edge_url: row for row in rows.order_by("edge_url")}
    found: dict[int, bool] = {}
    for meter in waiting:
        row = opened.get(meter.edge_url)
        if row is None:
            found[meter.pk] = False
        elif not any(moment and moment > now for moment in (row.open_until, row.trial_until)):
            row.trial_until = now + TRIAL
            row.save(update_fields=["trial_until"])
            found[meter.pk] = True
    return found


def lock(edge_urls: Collection[str]) -> set[str]:
    """Lock what is known of the addresses, in one order for everybody; return those in trouble."""
    rows = Gateway.objects.select_for_update().filter(edge_url__in=edge_urls)
    return {row.edge_url for row in rows.order_by("edge_url")}


def answered(edge_urls: Collection[str]) -> None:
    """Close the breakers of addresses that have answered."""
    for row in Gateway.objects.filter(edge_url__in=edge_urls, opened_at__isnull=False):
        logger.warning("%s answers again, after %s failures", row.edge_url, row.failures)
    Gateway.objects.filter(edge_url__in=edge_urls).delete()


def silent(*, edge_url: str, count: int, was_trial: bool, error: str, now: datetime) -> None:
    """Count calls that reached nobody; open the breaker when they are too many."""
    with connection.cursor() as cursor:
        cursor.execute(_FAILED, {"url": edge_url, "count": count, "now": now, "error": error[:200]})
    row = Gateway.objects.get(edge_url=edge_url)
    # Of an open breaker only the one that tries tells news: the others were on their way already.
    if row.failures < TRIPS_AFTER or (row.opened_at is not None and not was_trial):
        return
    if row.opened_at is None:
        row.opened_at = now
        logger.error("%s does not answer, so nobody calls it for a while: %s", edge_url, error)
    longest = min(LONGEST_REST_S, FIRST_REST_S * 2 ** min(row.trials, 10))
    row.open_until = now + timedelta(seconds=random.uniform(longest / 2, longest))  # noqa: S311
    row.tried_at, row.trial_until = now, None
    row.trials += 1
    row.save(update_fields=["opened_at", "open_until", "tried_at", "trial_until", "trials"])


def heard(edge_url: str, *, now: datetime) -> None:
    """Let somebody try soon: a meter at this address calls us, so the network may be back.

    However many call, one try in `FIRST_REST_S` is enough.
    """
    Gateway.objects.filter(
        edge_url=edge_url, open_until__gt=now, tried_at__lte=now - timedelta(seconds=FIRST_REST_S)
    ).update(open_until=now)
