"""What an operator must look at: computed from rows, so that no alarm is missed or left over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from django.db import models
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from parking.lights.table import Situation, city_table
from parking.models import CommandState, Light, Meter, MeterCommand, Slot

HEARTBEAT = timedelta(seconds=60)
SILENT_AFTER = 3 * HEARTBEAT
UNCONVERGED_AFTER = timedelta(seconds=60)
UNLIT_AFTER = timedelta(minutes=2)  # of the stay: then its citizen is offered a way out
CLOCK_OFF_MS = 30_000
LOW_BATTERY_PCT = 20


class AlarmKind(models.TextChoices):
    """What is wrong, the worst first."""

    UNLIT = "unlit", _("somebody has paid, and the light does not say so")
    SILENT = "silent", _("not heard for three heartbeats")
    REFUSES = "refuses", _("refuses its plan")
    STUCK = "stuck", _("has its plan, and a light shows something else")
    UNCONVERGED = "unconverged", _("a light is not what it should be")
    CLOCK = "clock", _("clock is off")
    BATTERY = "battery", _("low battery")
    FAULT = "fault", _("reports a fault")


class AlarmKey(NamedTuple):
    """A meter, what is wrong, of which spot's lamp, and the meter's word for a fault."""

    meter_id: int
    kind: str
    spot_id: int | None
    word: str

    def __str__(self) -> str:
        """Name it together with the same trouble of the meter's other lamps."""
        return f"{self.meter_id}:{self.kind}:{self.word}"


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One thing that is wrong with a meter, or with one of its lights.

    `since` is None where nobody can know. `amount` is milliseconds of a clock, percent of a
    battery; `word` is the meter's own word for a fault, or why it refuses.
    """

    kind: AlarmKind
    meter_id: int
    serial: str
    since: datetime | None
    spot_id: int | None = None
    spot_number: str = ""
    amount: int | None = None
    word: str = ""

    @property
    def key(self) -> AlarmKey:
        """What tells it from all others as long as it lasts."""
        word = self.word if self.kind == AlarmKind.FAULT else ""
        return AlarmKey(self.meter_id, self.kind.value, self.spot_id, word)


def alarms(*, meters: QuerySet[Meter], now: datetime) -> list[Alarm]:
    """Return what is wrong with those of the meters that are in use; the worst first.

    Three queries, however many meters there are. A light that is wrong raises one alarm for its
    cause, and one more while somebody has paid for its spot.
    """
    in_use = meters.filter(is_active=True).order_by()
    found = [*_of_meters(in_use, now), *_of_plans(in_use), *_of_lights(in_use, now)]
    rank = {kind: number for number, kind in enumerate(AlarmKind)}
    return sorted(found, key=lambda alarm: (rank[alarm.kind], alarm.serial, alarm.spot_number))


def unlit(*, now: datetime) -> QuerySet[Any]:
    """Return the lights that are not right two minutes into a stay that somebody has paid for."""
    return _wrong_lights(now).filter(is_paid=True)


def _of_meters(meters: QuerySet[Meter], now: datetime) -> list[Alarm]:
    silent = Q(last_seen_at__isnull=True) | Q(last_seen_at__lte=now - SILENT_AFTER)
    clock = Q(clock_offset_ms__gt=CLOCK_OFF_MS) | Q(clock_offset_ms__lt=-CLOCK_OFF_MS)
    rows = meters.filter(silent | clock | Q(battery_pct__lt=LOW_BATTERY_PCT) | ~Q(faults=[]))
    found: list[Alarm] = []
    for row in rows.only(
        "serial", "last_seen_at", "clock_offset_ms", "battery_pct", "faults"
    ).iterator():
        alarm = partial(Alarm, meter_id=row.pk, serial=row.serial, since=row.last_seen_at)
        if row.last_seen_at is None or row.last_seen_at <= now - SILENT_AFTER:
            found.append(alarm(kind=AlarmKind.SILENT))
        if row.clock_offset_ms is not None and abs(row.clock_offset_ms) > CLOCK_OFF_MS:
            found.append(alarm(kind=AlarmKind.CLOCK, amount=row.clock_offset_ms))
        if row.battery_pct is not None and row.battery_pct < LOW_BATTERY_PCT:
            found.append(alarm(kind=AlarmKind.BATTERY, amount=row.battery_pct))
        found += [alarm(kind=AlarmKind.FAULT, word=fault) for fault in row.faults]
    return found


def _of_plans(meters: QuerySet[Meter]) -> list[Alarm]:
    """Return the meters whose last command was refused for good."""
    newest = MeterCommand.objects.filter(meter=OuterRef("meter")).order_by("-created_at", "-id")
    refused = MeterCommand.objects.filter(
        meter__in=meters,
        state__in=[CommandState.DEAD, CommandState.REJECTED],
        pk=Subquery(newest.values("pk")[:1]),
    )
    return [
        Alarm(kind=AlarmKind.REFUSES, meter_id=meter_id, serial=serial, since=since, word=error)
        for meter_id, serial, since, error in refused.values_list(
            "meter_id", "meter__serial", "ended_at", "last_error"
        )
    ]


def _of_lights(meters: QuerySet[Meter], now: datetime) -> list[Alarm]:
    found: list[Alarm] = []
    lights = _wrong_lights(now).filter(spot__meter__in=meters)
    for light in lights.select_related("spot__meter"):
        meter = light.spot.meter
        if meter is None:
            continue
        has_its_plan = meter.reported_revision == meter.plan_revision and (
            light.reported_at is not None and light.reported_at > now - SILENT_AFTER
        )
        cause = AlarmKind.STUCK if has_its_plan else AlarmKind.UNCONVERGED
        alarm = partial(
            Alarm,
            meter_id=meter.pk,
            serial=meter.serial,
            spot_id=light.spot_id,
            spot_number=light.spot.number,
            since=light.differs_since or light.desired_at,
            word=light.fault,
        )
        found.append(alarm(kind=cause))
        if light.is_paid:
            found.append(alarm(kind=AlarmKind.UNLIT))
    return found


def _wrong_lights(now: datetime) -> QuerySet[Any]:
    """Return the lights that have been wrong for a minute; `is_paid` where somebody has paid."""
    paid = [city_table().shows[one] for one in (Situation.RUNNING, Situation.ENDING)]
    stays = Slot.objects.confirmed().filter(
        spot=OuterRef("spot"),
        period__contains=now,
        period__startswith__lte=now - UNLIT_AFTER,
        confirmed_at__lte=now - UNLIT_AFTER,
    )
    is_green = Q()
    for show in paid:
        is_green |= Q(reported_light=show.light, reported_pattern=show.pattern)
    # A lamp that is a little behind within a stay still says that it is paid.
    return (
        Light.objects.differing()
        .annotate(
            since=Coalesce(F("differs_since"), F("desired_at")),
            is_paid=Exists(stays) & ~is_green,
        )
        .filter(since__lte=now - UNCONVERGED_AFTER)
    )
