"""Alarms that somebody has seen: quiet while they last, loud again when they come again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db.models import QuerySet

from parking.lights.alarms import Alarm, AlarmKey, alarms
from parking.meter_care import watched
from parking.models import Meter, SeenAlarm, Zone

# A refused plan is sent again, a light is right for a moment: such trouble is not over yet.
OVER_AFTER = timedelta(minutes=10)


class Standing(NamedTuple):
    """An alarm that stands now, and who has seen it, if anybody."""

    alarm: Alarm
    seen: SeenAlarm | None


def standing(*, zones: QuerySet[Zone], now: datetime) -> list[Standing]:
    """Return the alarms of the zones' meters, the worst first; a fixed number of queries."""
    meters = Meter.objects.filter(zone__in=zones.values("pk"))
    seen = {_key(row): row for row in _open(meters).select_related("by")}
    found = alarms(meters=watched(meters, now=now), now=now)
    return [Standing(alarm, seen.get(alarm.key)) for alarm in found]


def see(
    *, keys: Collection[str], zones: QuerySet[Zone], why: str, by: User, now: datetime
) -> list[Alarm]:
    """Note that somebody has seen those of the zones' alarms; return those that were noted.

    What does not stand any more, or was seen before, is left out.
    """
    fresh = [
        one.alarm
        for one in standing(zones=zones, now=now)
        if one.seen is None and str(one.alarm.key) in keys
    ]
    SeenAlarm.objects.bulk_create(
        (SeenAlarm(**alarm.key._asdict(), at=now, by=by, why=why, stood_at=now) for alarm in fresh),
        ignore_conflicts=True,  # a colleague was quicker
    )
    return fresh


def review(*, now: datetime) -> int:
    """End what has been over for a while; return how many there are left."""
    rows = list(_open(Meter.objects.all()))
    meters = Meter.objects.filter(pk__in=[row.meter_id for row in rows])
    stand = {alarm.key for alarm in alarms(meters=meters, now=now)} if rows else set()
    standing_ids = [row.pk for row in rows if _key(row) in stand]
    SeenAlarm.objects.filter(pk__in=standing_ids).update(stood_at=now)
    gone = SeenAlarm.objects.filter(over_at=None, stood_at__lte=now - OVER_AFTER)
    return len(rows) - gone.update(over_at=now)


def _open(meters: QuerySet[Meter]) -> QuerySet[SeenAlarm]:
    return SeenAlarm.objects.filter(over_at=None, meter__in=meters.values("pk"))


def _key(row: SeenAlarm) -> AlarmKey:
    return AlarmKey(row.meter_id, row.kind, row.spot_id, row.word)
