"""Which meter lights which spot: by its name in the file, or shared by neighbours on a street."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, pairwise

from django.contrib.gis.geos import Point
from django.utils.translation import gettext as _

from parking.imports.copying import copy_in
from parking.imports.mapping import MeterRules
from parking.imports.places import DECIMALS, Plane
from parking.imports.report import Kind, Noun, Report
from parking.imports.wishes import LAMPS, WantedSpot, longest
from parking.meter_keys import create_keys
from parking.models import Meter, Spot, Zone


@dataclass(frozen=True, slots=True)
class Lamp:
    """A lamp of a meter: the meter's serial, and 1 to 8."""

    serial: str
    position: int


@dataclass(frozen=True, slots=True)
class Lit:
    """Where a spot that is in the database has its light."""

    lamp: Lamp
    zone: str  # of the meter


def runs(spots: Iterable[WantedSpot], *, max_gap_m: float) -> list[list[WantedSpot]]:
    """Return the spots of one group in order along their street, parted where a gap is too wide."""
    spots = list(spots)
    plane = Plane(
        sum(s.longitude for s in spots) / len(spots), sum(s.latitude for s in spots) / len(spots)
    )
    flat = {spot.key: plane.metres(*spot.point) for spot in spots}
    xx = sum(x * x for x, _y in flat.values())
    yy = sum(y * y for _x, y in flat.values())
    xy = sum(x * y for x, y in flat.values())
    angle = math.atan2(2 * xy, xx - yy) / 2  # the direction in which they spread most
    east, north = math.cos(angle), math.sin(angle)
    ordered = sorted(
        spots, key=lambda s: (round(flat[s.key][0] * east + flat[s.key][1] * north, 2), s.key)
    )
    found = [[ordered[0]]]
    for before, spot in pairwise(ordered):
        if math.dist(flat[before.key], flat[spot.key]) > max_gap_m:
            found.append([])
        found[-1].append(spot)
    return found


def shares(run: Sequence[WantedSpot], size: int) -> list[Sequence[WantedSpot]]:
    """Cut a run into as few pieces of at most `size` as can be, as even as can be."""
    pieces = -(-len(run) // size)
    edges = [len(run) * place // pieces for place in range(pieces + 1)]
    return [run[start:end] for start, end in pairwise(edges)]


def allot(
    *,
    spots: Sequence[WantedSpot],
    rules: MeterRules,
    lit: Mapping[str, Lit],
    occupied: Mapping[str, set[int]],
    serials: set[str],
    report: Report,
) -> dict[str, Lamp | None]:
    """Return the lamp of each spot by its key.

    A spot keeps its lamp while its meter stays the one that the file names, or, where the file
    names none, while the meter stands in its zone: an edition of the file moves no wires.

    `lit`: the file's spots that have a light. `occupied`: the lamps of other spots by serial.
    `serials`: of all meters; a new meter gets one that none of them has.
    """
    lamps: dict[str, Lamp | None] = {}
    taken = defaultdict(set, {serial: set(positions) for serial, positions in occupied.items()})
    waiting: list[WantedSpot] = []
    groups: dict[tuple[object, ...], list[WantedSpot]] = defaultdict(list)
    for spot in spots:
        now = lit.get(spot.key)
        keeps = now is not None and (
            now.lamp.serial == spot.serial
            if spot.serial or spot.group is None
            else now.zone == spot.zone
        )
        if now is not None and keeps:
            lamps[spot.key] = now.lamp
            taken[now.lamp.serial].add(now.lamp.position)
        elif spot.serial:
            waiting.append(spot)
        elif spot.group is not None:
            groups[*spot.group, spot.size].append(spot)
        else:
            lamps[spot.key] = None
    for spot in waiting:
        free = [place for place in range(1, LAMPS + 1) if place not in taken[spot.serial]]
        if free:
            taken[spot.serial].add(free[0])
            lamps[spot.key] = Lamp(spot.serial, free[0])
        else:
            lamps[spot.key] = None
            text = _("the meter %(serial)s has no lamp left: the spot stays without a light")
            report.say(Kind.NOTE, spot.row, spot.key, text % {"serial": spot.serial})
    used = serials | set(taken)
    gap = rules.group.max_gap_m if rules.group else 0
    for group in groups.values():
        for run in runs(group, max_gap_m=gap):
            for share in shares(run, run[0].size):
                serial = _free_serial(share[0].new_serial, used)
                used.add(serial)
                lamps |= {s.key: Lamp(serial, place) for place, s in enumerate(share, 1)}
    return lamps


def _free_serial(serial: str, used: set[str]) -> str:
    if serial not in used:
        return serial
    most = longest(Meter, "serial")
    others = (f"{serial[: most - len(suffix)]}{suffix}" for suffix in (f"-{n}" for n in count(2)))
    return next(other for other in others if other not in used)


def write_meters(
    *,
    spots: Sequence[WantedSpot],
    lamps: Mapping[str, Lamp | None],
    zones: Mapping[str, Zone],
    rules: MeterRules,
    source: str,
    report: Report,
) -> dict[str, Meter]:
    """Make the meters that the lamps belong to; return them by serial.

    A meter that stands already keeps its place on the map, and moves to the zone of its spots.
    """
    users: dict[str, list[WantedSpot]] = defaultdict(list)
    for spot in spots:
        lamp = lamps[spot.key]
        if lamp is not None:
            users[lamp.serial].append(spot)
    counted = report.counts[Noun.METERS]
    meters = meters_called(users)
    new = []
    for serial, served in users.items():
        zone = zones[served[0].zone]
        meter = meters.get(serial)
        if meter is None:
            new.append(_meter(serial, served, zone, rules, source))
        elif meter.zone_id != zone.pk:
            meter.zone = zone
            meter.save(update_fields=["zone"])
            counted.changed += 1
        else:
            counted.unchanged += 1
    counted.created += len(new)
    copy_in(new)
    made = meters_called(meter.serial for meter in new)
    create_keys(meter.pk for meter in made.values())
    return meters | made


def meters_called(serials: Iterable[str]) -> dict[str, Meter]:
    """Return the meters with these serials."""
    return {meter.serial: meter for meter in Meter.objects.filter(serial__in=set(serials))}


def _meter(
    serial: str, served: Sequence[WantedSpot], zone: Zone, rules: MeterRules, source: str
) -> Meter:
    longitude = sum(spot.longitude for spot in served) / len(served)
    latitude = sum(spot.latitude for spot in served) / len(served)
    return Meter(
        serial=serial,
        zone=zone,
        location=Point(round(longitude, DECIMALS), round(latitude, DECIMALS), srid=4326),
        edge_url=rules.edge_url,
        external_id=f"{source}:{serial}",
    )


def lamps_of_others(serials: Iterable[str], keys: set[str]) -> dict[str, set[int]]:
    """Return the lamps of these meters that light spots which are not in the file."""
    occupied: dict[str, set[int]] = defaultdict(set)
    rows = Spot.objects.filter(meter__serial__in=set(serials)).values_list(
        "meter__serial", "position", "external_id"
    )
    for serial, position, key in rows:
        if key not in keys and position is not None:
            occupied[serial].add(position)
    return occupied
