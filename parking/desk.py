"""What the desk shows at a glance: stays, spots, lights, and what waits for a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from parking.formatting import number
from parking.meter_care import in_maintenance, watched
from parking.models import (
    Booking,
    Gateway,
    LateLight,
    Light,
    Meter,
    Slot,
    Spot,
    SpotReport,
    TariffState,
    TariffVersion,
    Zone,
)
from parking.seen_alarms import standing

SILENT_AFTER = timedelta(minutes=3)  # three heartbeats missed
CONVERGE_WITHIN = timedelta(seconds=60)
SHOWN_AT_ONCE = 3


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number of the desk: its value as text, what it counts, where the rows are listed."""

    value: str
    label: str
    page: str = ""  # URL name of a list
    query: str = ""
    view: str = ""  # URL name of a page that says it better than the list
    needs_attention: bool = False
    first: tuple[tuple[str, int], ...] = ()  # some of its rows: what is said, key of the `page`


def figures(*, zones: QuerySet[Zone], now: datetime) -> list[Figure]:
    """Count what happens in the zones; a fixed number of queries."""
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    ids = zones.values("pk")
    running = Slot.objects.confirmed().covering(now).filter(spot__zone__in=ids).count()
    spots = Spot.objects.filter(zone__in=ids, is_active=True, zone__is_active=True).count()
    made = Booking.objects.filter(spot__zone__in=ids, created_at__gte=midnight).count()
    wrong = lights_behind(zones=zones, now=now).count()
    meters = watched(Meter.objects.filter(zone__in=ids, is_active=True), now=now)
    silent = meters.filter(
        Q(last_seen_at__isnull=True) | Q(last_seen_at__lt=now - SILENT_AFTER)
    ).count()
    loud = [one.alarm for one in standing(zones=zones, now=now) if one.seen is None]
    barred = Gateway.objects.filter(
        opened_at__isnull=False, edge_url__in=meters.values("edge_url")
    ).count()
    late = LateLight.objects.filter(spot__zone__in=ids, noticed_at__gte=midnight).count()
    cases = SpotReport.objects.filter(spot__zone__in=ids, closed_at=None).count()
    proposed = TariffVersion.objects.filter(zone__in=ids, state=TariffState.PROPOSED).count()
    return [
        Figure(value=number(running), label=_("stays running now"), page="parking_booking"),
        Figure(value=number(made), label=_("bookings made today"), page="parking_booking"),
        Figure(
            value=f"{number(max(spots - running, 0))}/{number(spots)}",
            label=_("spots free now"),
            page="parking_spot",
        ),
        Figure(
            value=number(len(loud)),
            label=_("alarms that nobody has seen"),
            page="parking_meter",
            view="parking_meter_alarms",
            needs_attention=bool(loud),
            first=tuple(
                dict.fromkeys((f"{one.serial}: {one.kind.label}", one.meter_id) for one in loud)
            )[:SHOWN_AT_ONCE],
        ),
        Figure(
            value=number(wrong),
            label=_("lights not as they should be"),
            page="parking_meter",
            view="parking_meter_lights",
            needs_attention=wrong > 0,
        ),
        Figure(
            value=number(silent),
            label=_("meters not heard for 3 minutes"),
            page="parking_meter",
            needs_attention=silent > 0,
        ),
        Figure(
            value=number(barred),
            label=_("addresses of meters that do not answer"),
            page="parking_meter",
            view="parking_meter_gateways",
            needs_attention=barred > 0,
        ),
        Figure(
            value=number(late),
            label=_("lights late for who had paid, today"),
            page="parking_latelight",
            needs_attention=late > 0,
        ),
        Figure(
            value=number(cases),
            label=_("spots reported taken"),
            page="parking_spotreport",
            query="case=open",
            needs_attention=cases > 0,
        ),
        Figure(
            value=number(proposed),
            label=_("tariffs to be approved"),
            page="parking_tariffversion",
            query="state__exact=proposed",
            needs_attention=proposed > 0,
        ),
    ]


def lights_behind(*, zones: QuerySet[Zone], now: datetime) -> QuerySet[Light]:
    """Return the lights that have shown something else than they should for over a minute.

    Without those of meters at which somebody works.
    """
    return Light.objects.filter(
        spot__zone__in=zones.values("pk"), spot__is_active=True, spot__meter__is_active=True
    ).filter(
        ~Q(reported_light=F("desired_light")) | ~Q(reported_pattern=F("desired_pattern")),
        ~in_maintenance(now, "spot__meter__"),
        Q(desired_at__isnull=True) | Q(desired_at__lt=now - CONVERGE_WITHIN),
    )
