"""What is known of the spots that a meter's lamps stand for, read from rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from parking.charged_hours import charged_on
from parking.lights.planning import Lamp, Span, Stay
from parking.lights.table import LightTable
from parking.models import Closure, Light, Slot, Spot, TariffState, TariffVersion
from parking.pricing import Tariff
from parking.terms import tariffs_of

PLAN_AHEAD = timedelta(hours=24)
_DAY = timedelta(days=1)


class SpotLamp(NamedTuple):
    """A lamp and the spot that it stands for."""

    spot_id: int
    lamp: Lamp


class _Place(NamedTuple):
    id: int
    meter_id: int | None
    position: int | None
    zone_id: int
    street: str
    is_active: bool
    zone_is_active: bool

    @property
    def in_use(self) -> bool:
        return self.is_active and self.zone_is_active


def lamps_of(
    meter_ids: Collection[int], *, table: LightTable, now: datetime
) -> dict[int, list[SpotLamp]]:
    """Return the lamps of each meter, in four queries; in six where cars stand unpaid."""
    places = [
        _Place(*row)
        for row in Spot.objects.filter(meter_id__in=meter_ids)
        .order_by("position")
        .values_list(*_Place._fields[:-1], "zone__is_active")
    ]
    stays = _stays([place.id for place in places], now)
    closures = _closures(places, now)
    unpaid = _unpaid(places, stays, table, now)
    lamps: dict[int, list[SpotLamp]] = defaultdict(list)
    for place in places:
        if place.meter_id is None or place.position is None:  # never, as the database has it
            continue
        lamp = Lamp(
            place.position,
            stays=stays[place.id],
            closures=closures[place.id],
            unpaid=unpaid.get(place.id, ()),
            unknown=() if place.in_use else (_today_and_tomorrow(now),),
        )
        lamps[place.meter_id].append(SpotLamp(place.id, lamp))
    return lamps


def _stays(spot_ids: Collection[int], now: datetime) -> dict[int, list[Stay]]:
    stays: dict[int, list[Stay]] = defaultdict(list)
    slots = Slot.objects.confirmed().filter(
        spot_id__in=spot_ids, period__overlap=DateTimeTZRange(now, now + PLAN_AHEAD)
    )
    for spot_id, period, reference in slots.values_list("spot_id", "period", "booking__reference"):
        stays[spot_id].append(Stay(period.lower, period.upper, reference))
    return stays


def _closures(places: Sequence[_Place], now: datetime) -> dict[int, Sequence[Span]]:
    found: dict[tuple[int, int | str | None], list[Span]] = defaultdict(list)
    # An event that only shortens stays closes nothing.
    for zone_id, spot_id, street, period in Closure.objects.filter(
        zone_id__in={place.zone_id for place in places},
        period__overlap=DateTimeTZRange(now, now + PLAN_AHEAD),
        longest_stay_min__isnull=True,
    ).values_list("zone_id", "spot_id", "street", "period"):
        found[zone_id, spot_id or street or None].append(Span(period.lower, period.upper))
    return {
        place.id: (
            *found[place.zone_id, None],
            *(found[place.zone_id, place.street] if place.street else ()),
            *found[place.zone_id, place.id],
        )
        for place in places
    }


def _unpaid(
    places: Sequence[_Place], stays: Mapping[int, Sequence[Stay]], table: LightTable, now: datetime
) -> dict[int, list[Span]]:
    """Return when the spots on which a sensor sees a car now are unpaid, until the next stay.

    Not while somebody has the spot or is paying for it, nor in the first minutes.
    """
    if table.unpaid_after is None:
        return {}
    in_use = {place.id: place.zone_id for place in places if place.in_use}
    since = dict(
        Light.objects.filter(spot__in=in_use, occupied=True).values_list("spot", "occupied_since")
    )
    if not since:
        return {}
    lately = Slot.objects.live().filter(
        spot_id__in=since, period__overlap=DateTimeTZRange(now - _DAY, now, "[]")
    )
    for spot_id, period in lately.values_list("spot_id", "period"):
        begun = since.get(spot_id)
        if period.upper > now:
            since.pop(spot_id, None)
        elif begun is not None:
            since[spot_id] = max(begun, period.upper)
    charged = _charged({in_use[spot_id] for spot_id in since}, now)
    unpaid: dict[int, list[Span]] = {}
    for spot_id, begun in since.items():
        if begun is None:
            continue
        start = begun + table.unpaid_after
        end = min((stay.start for stay in stays[spot_id]), default=None)
        unpaid[spot_id] = [
            Span(max(span.start, start), min(span.end, end) if end else span.end)
            for span in charged[in_use[spot_id]]
            if span.end > start and (end is None or span.start < end)
        ]
    return unpaid


def _charged(zone_ids: Collection[int], now: datetime) -> dict[int, list[Span]]:
    """Return when the zones charge, today and tomorrow, by the tariffs in force then."""
    whole = _today_and_tomorrow(now)
    rows = TariffVersion.objects.filter(
        zone_id__in=zone_ids,
        state=TariffState.APPROVED,
        in_force__overlap=DateTimeTZRange(whole.start, whole.end),
    ).values_list("id", "sha256", "zone_id", "in_force")
    tariffs = tariffs_of({tariff_id: sha256 for tariff_id, sha256, *_rest in rows})
    charged: dict[int, list[Span]] = defaultdict(list)
    for tariff_id, _sha256, zone_id, in_force in rows:
        if in_force is None:  # never of one that is approved, as the database has it
            continue
        for span in _spans(tariffs[tariff_id], whole):
            start = max(span.start, in_force.lower or span.start)
            end = min(span.end, in_force.upper or span.end)
            if start < end:
                charged[zone_id].append(Span(start, end))
    return charged


def _spans(tariff: Tariff, whole: Span) -> Iterator[Span]:
    day = whole.start.astimezone(tariff.zone).date()
    last = whole.end.astimezone(tariff.zone).date()
    while day < last:
        for start, end in charged_on(tariff, day):
            yield Span(start, end)
        day += _DAY


def _today_and_tomorrow(now: datetime) -> Span:
    """Return the local days that a plan reaches into: ends that move once a day, not always."""
    zone = ZoneInfo(settings.CITY_TIME_ZONE)
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return Span(midnight, midnight + 2 * _DAY)
