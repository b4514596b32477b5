"""Write the spots of a file, and say which ones it no longer has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.gis.geos import Point
from django.db.models import CharField, F, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _

from parking.imports.copying import copy_in
from parking.imports.meters import Lamp, Lit
from parking.imports.report import Kind, Noun, Report
from parking.imports.wishes import WantedSpot, Wishes
from parking.models import Light, Meter, Spot, Zone

_BATCH = 1_000
_FIELDS = (
    "zone",
    "number",
    "street",
    "street_names",
    "location",
    "bearing",
    "features",
    "meter",
    "position",
    "is_active",
    "updated_at",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A spot of the same source that is in the database."""

    id: int
    zone: str
    number: str
    street: str
    street_names: dict[str, str]
    point: tuple[float, float]
    bearing: int
    features: tuple[str, ...]
    active: bool
    meter_id: int | None
    lit: Lit | None

    @property
    def lamp(self) -> Lamp | None:
        """The lamp that lights it."""
        return self.lit.lamp if self.lit else None


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What must be written to bring the city up to the file."""

    new: list[WantedSpot]
    changed: list[WantedSpot]


def standing_spots(source: str) -> dict[str, Standing]:
    """Return the spots that earlier editions of the source made, by key."""
    mine = Spot.objects.filter(external_id__startswith=f"{source}:")
    return {
        str(spot.external_id): _standing(spot)
        for spot in mine.select_related("zone", "meter__zone")
    }


def _standing(spot: Spot) -> Standing:
    meter, position = spot.meter, spot.position
    return Standing(
        id=spot.pk,
        zone=spot.zone.code,
        number=spot.number,
        street=spot.street,
        street_names=spot.street_names,
        point=(spot.location.x, spot.location.y),
        bearing=spot.bearing,
        features=tuple(spot.features),
        active=spot.is_active,
        meter_id=spot.meter_id,
        lit=Lit(Lamp(meter.serial, position), meter.zone.code) if meter and position else None,
    )


def refuse_taken_numbers(
    *, wishes: Wishes, standing: Mapping[str, Standing], report: Report
) -> None:
    """Take out the rows whose number another spot of the zone has, which is not in the file."""
    wanted = {spot.key for spot in wishes.spots}
    holders = {
        (zone, number): key or _("made by hand")
        for zone, number, key in Spot.objects.filter(zone__code__in=wishes.zones).values_list(
            "zone__code", "number", "external_id"
        )
        if key not in wanted
    }
    while True:
        clashes: dict[int, WantedSpot] = {}
        for spot in wishes.spots:
            if (spot.zone, spot.number) in holders:
                clashes.setdefault(spot.row, spot)
        if not clashes:
            return
        for row, spot in clashes.items():
            text = _(
                "the number “%(number)s” in zone %(zone)s belongs to a spot "
                "that is not in the file (%(key)s)"
            )
            values = {
                "number": spot.number,
                "zone": spot.zone,
                "key": holders[spot.zone, spot.number],
            }
            report.say(Kind.REFUSED, row, spot.key.partition(":")[2], text % values)
        for spot in wishes.spots:
            if spot.row in clashes:
                wishes.doubtful.add(spot.key)
                if (before := standing.get(spot.key)) is not None:
                    # It stays as it is, and so keeps a number that another row may want.
                    holders[before.zone, before.number] = spot.key
        wishes.spots = [spot for spot in wishes.spots if spot.row not in clashes]


def compare(
    *,
    spots: Sequence[WantedSpot],
    lamps: Mapping[str, Lamp | None],
    standing: Mapping[str, Standing],
    report: Report,
) -> Difference:
    """Return the spots that are new or differ; count the others as unchanged."""
    found = Difference(new=[], changed=[])
    for wish in spots:
        before = standing.get(wish.key)
        if before is None:
            found.new.append(wish)
            continue
        if wish.active is None and not before.active:
            text = _("is in the file, but out of use in the city")
            report.say(Kind.NOTE, wish.row, wish.key, text)
        if not _same(wish, lamps[wish.key], before):
            found.changed.append(wish)
    counted = report.counts[Noun.SPOTS]
    counted.created, counted.changed = len(found.new), len(found.changed)
    counted.unchanged = len(spots) - counted.created - counted.changed
    return found


def lock(ids: Iterable[int]) -> None:
    """Lock spots until the transaction ends; a booking of one of them waits for the import."""
    list(Spot.objects.select_for_update().filter(id__in=ids).order_by("id").values_list("id"))


def write_spots(
    *,
    difference: Difference,
    lamps: Mapping[str, Lamp | None],
    zones: Mapping[str, Zone],
    meters: Mapping[str, Meter],
    standing: Mapping[str, Standing],
    now: datetime,
) -> set[int]:
    """Make and change spots, and give each new one a light; return the meters whose lamps moved."""
    new = [_spot(wish, lamps[wish.key], zones, meters, now) for wish in difference.new]
    changed = []
    let_go: list[int] = []
    moved: set[int | None] = set()
    for wish in difference.changed:
        before = standing[wish.key]
        spot = _spot(wish, lamps[wish.key], zones, meters, now)
        spot.pk = before.id
        if wish.active is None:
            spot.is_active = before.active
        if wish.street_names is None:
            spot.street_names = before.street_names
        changed.append(spot)
        moved |= {before.meter_id, spot.meter_id}
        if (wish.zone, wish.number, lamps[wish.key]) != (before.zone, before.number, before.lamp):
            let_go.append(before.id)
    # Two spots may swap numbers or lamps; each must let go before the other can take.
    Spot.objects.filter(id__in=let_go).update(
        number=Concat(Value("~"), Cast(F("id"), CharField())), meter=None, position=None
    )
    copy_in(new)
    Spot.objects.bulk_create(
        changed,
        batch_size=_BATCH,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=_FIELDS,
    )
    keys = [spot.external_id for spot in new]
    unlit = Spot.objects.filter(external_id__in=keys).values_list("id", flat=True)
    copy_in([Light(spot_id=pk) for pk in unlit])
    return {pk for pk in moved if pk is not None}


def _spot(
    wish: WantedSpot,
    lamp: Lamp | None,
    zones: Mapping[str, Zone],
    meters: Mapping[str, Meter],
    now: datetime,
) -> Spot:
    return Spot(
        external_id=wish.key,
        zone=zones[wish.zone],
        number=wish.number,
        street=wish.street,
        street_names=wish.street_names or {},
        location=Point(wish.point, srid=4326),
        bearing=wish.bearing,
        features=list(wish.features),
        is_active=wish.active is not False,
        meter=meters[lamp.serial] if lamp else None,
        position=lamp.position if lamp else None,
        updated_at=now,
    )


def _same(wish: WantedSpot, lamp: Lamp | None, before: Standing) -> bool:
    return (
        wish.zone,
        wish.number,
        wish.street,
        before.street_names if wish.street_names is None else wish.street_names,
        wish.point,
        wish.bearing,
        wish.features,
        before.active if wish.active is None else wish.active,
        lamp,
    ) == (
        before.zone,
        before.number,
        before.street,
        before.street_names,
        before.point,
        before.bearing,
        before.features,
        before.active,
        before.lamp,
    )
