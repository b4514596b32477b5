"""Figures for monitoring, in Prometheus' words. All come from the database, so that several
processes and machines agree on them, and a restart forgets nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate

import redis
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Min, Q
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from redis.exceptions import RedisError

from parking.lights.alarms import SILENT_AFTER, AlarmKind, alarms
from parking.meter_care import in_maintenance, watched
from parking.models import (
    CommandState,
    CountedCommands,
    Light,
    Meter,
    MeterCommand,
)
from parking.models.meter import OPEN_COMMAND_STATES

# Seconds from asking to the report: a healthy light, a heartbeat, an alarm, an outage.
BUCKETS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 900, 3600)
ENDS = tuple(state for state in CommandState if state not in OPEN_COMMAND_STATES)
# A row that is dated by a slow transaction shows up late, but not this late.
SETTLED_AFTER = timedelta(minutes=10)
QUEUES = ("celery",)
ALREADY = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Ended commands by state, waits by bucket (the last one without end), and their sum."""

    ended: dict[str, int]
    waits: list[int]
    waited_s: float


def page(*, now: datetime) -> bytes:
    """Return all figures as text."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(now))
    return generate_latest(registry)


def counted(*, now: datetime) -> Counted:
    """Count all commands that ever ended or were reported; what was counted once is kept.

    The counts never fall, as counters must not.
    """
    known = _folded(now)
    fresh = _count(after=known.until, until=None)
    return _sum(known, fresh)


class _Figures:
    def __init__(self, now: datetime) -> None:
        self._now = now

    def collect(self) -> Iterator[Metric]:
        yield from self._commands()
        yield from self._lights()
        yield from self._meters()
        yield self._alarms()
        yield self._queues()

    def _commands(self) -> Iterator[Metric]:
        all_of_them = counted(now=self._now)
        ended = CounterMetricFamily(
            "curblight_meter_commands", "Commands by how they ended.", labels=["state"]
        )
        for state in ENDS:
            ended.add_metric([state.value], all_of_them.ended.get(state.value, 0))
        yield ended
        bounds = [*(str(float(bound)) for bound in BUCKETS), "+Inf"]
        waits = HistogramMetricFamily(
            "curblight_light_convergence_seconds",
            "From the command that carries a new plan to the meter's report of it.",
        )
        buckets = list(zip(bounds, accumulate(all_of_them.waits), strict=True))
        waits.add_metric([], buckets, sum_value=all_of_them.waited_s)
        yield waits
        waiting = GaugeMetricFamily(
            "curblight_meter_commands_open", "Commands that have not ended.", labels=["state"]
        )
        found = dict(
            MeterCommand.objects.filter(state__in=OPEN_COMMAND_STATES)
            .order_by()
            .values_list("state")
            .annotate(Count("id"))
        )
        for state in OPEN_COMMAND_STATES:
            waiting.add_metric([state.value], found.get(state.value, 0))
        yield waiting
        oldest = MeterCommand.objects.filter(state__in=OPEN_COMMAND_STATES).aggregate(
            first=Min("created_at")
        )["first"]
        yield GaugeMetricFamily(
            "curblight_meter_commands_oldest_seconds",
            "Age of the oldest command that has not ended.",
            value=(self._now - oldest).total_seconds() if oldest else 0,
        )

    def _lights(self) -> Iterator[Metric]:
        in_use = Light.objects.filter(spot__meter__is_active=True)
        yield GaugeMetricFamily("curblight_lights", "Lights in use.", value=in_use.count())
        yield GaugeMetricFamily(
            "curblight_lights_unconverged",
            "Lights that do not show what they should.",
            value=in_use.differing().count(),
        )

    def _meters(self) -> Iterator[Metric]:
        found = Meter.objects.filter(is_active=True).aggregate(
            in_use=Count("id"),
            maintenance=Count("id", filter=in_maintenance(self._now)),
            silent=Count(
                "id",
                filter=Q(last_seen_at__isnull=True) | Q(last_seen_at__lte=self._now - SILENT_AFTER),
            ),
        )
        meters = GaugeMetricFamily("curblight_meters", "Meters.", labels=["which"])
        for which, count in found.items():
            meters.add_metric([which], count)
        yield meters

    def _alarms(self) -> Metric:
        raised = Counter(
            alarm.kind
            for alarm in alarms(meters=watched(Meter.objects.all(), now=self._now), now=self._now)
        )
        family = GaugeMetricFamily("curblight_alarms", "Alarms now.", labels=["kind"])
        for kind in AlarmKind:
            family.add_metric([kind.value], raised[kind])
        return family

    def _queues(self) -> Metric:
        """Count what waits for a worker; while Redis is away there is no figure."""
        family = GaugeMetricFamily(
            "curblight_queue_depth", "Tasks that no worker has taken.", labels=["queue"]
        )
        try:
            with redis.Redis.from_url(
                settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5
            ) as client:
                for queue in QUEUES:
                    family.add_metric([queue], int(client.llen(queue)))
        except RedisError:
            return family
        return family


def _folded(now: datetime) -> CountedCommands:
    """Move what has settled into the row of what was counted; return that row.

    Where another process is at it, the row as it was is as good.
    """
    known, _new = CountedCommands.objects.get_or_create(
        pk=1, defaults={"until": ALREADY, "waits": [0] * (len(BUCKETS) + 1)}
    )
    settled = now - SETTLED_AFTER
    if settled - known.until < SETTLED_AFTER:
        return known
    with transaction.atomic():
        row = CountedCommands.objects.select_for_update(skip_locked=True).filter(pk=1).first()
        if row is None or row.until >= settled:
            return known
        both = _sum(row, _count(after=row.until, until=settled))
        row.until, row.ended = settled, both.ended
        row.waits, row.waited_s = both.waits, both.waited_s
        row.save()
    return row


_ENDED = """
SELECT state, count(*) FROM parking_metercommand
WHERE ended_at > %(after)s AND ended_at <= coalesce(%(until)s::timestamptz, 'infinity')
GROUP BY state
"""
_WAITED = """
SELECT width_bucket(seconds, %(bounds)s::float8[]), count(*), sum(seconds)
FROM (
  SELECT extract(epoch FROM reported_at - created_at)::float8 AS seconds
  FROM parking_metercommand
  WHERE reported_at > %(after)s AND reported_at <= coalesce(%(until)s::timestamptz, 'infinity')
    AND reported_at <> created_at
) waited
GROUP BY 1
"""


def _count(*, after: datetime, until: datetime | None) -> Counted:
    window = {"after": after, "until": until, "bounds": [float(bound) for bound in BUCKETS]}
    waits, waited_s = [0] * (len(BUCKETS) + 1), 0.0
    with connection.cursor() as cursor:
        cursor.execute(_ENDED, window)
        ended = {str(state): int(count) for state, count in cursor}
        cursor.execute(_WAITED, window)
        for bucket, count, seconds in cursor:
            waits[bucket] = count
            waited_s += seconds
    return Counted(ended=ended, waits=waits, waited_s=waited_s)


def _sum(known: CountedCommands, fresh: Counted) -> Counted:
    return Counted(
        ended=dict(Counter(known.ended) + Counter(fresh.ended)),
        waits=[a + b for a, b in zip(known.waits, fresh.waits, strict=True)],
        waited_s=known.waited_s + fresh.waited_s,
    )
