"""Write the zones of a file: made when new, renamed or redrawn where the file says so."""

from __future__ import annotations

from collections import defaultdict

from parking.imports.mapping import ZoneRules
from parking.imports.outlines import around, grown_to
from parking.imports.report import Noun, Report
from parking.imports.wishes import WantedZone, Wishes, longest
from parking.models import Zone


def write_zones(*, wishes: Wishes, rules: ZoneRules, report: Report) -> dict[str, Zone]:
    """Make and change zones; return those of the file by code.

    A boundary from a file is taken as it is. One that was drawn around spots, or by an operator,
    stays until a spot lies outside of it.
    """
    points = defaultdict(list)
    for spot in wishes.spots:
        points[spot.zone].append(spot.point)
    wanted = [wishes.zones[code] for code in sorted(points)]
    count = report.counts[Noun.ZONES]
    zones = {zone.code: zone for zone in Zone.objects.filter(code__in=points)}
    new = []
    for wish in wanted:
        zone = zones.get(wish.code)
        if zone is None:
            new.append(_zone(wish, points[wish.code], rules))
        elif _change(zone, wish, points[wish.code], rules):
            zone.save(update_fields=["name", "names", "boundary", "updated_at"])
            count.changed += 1
        else:
            count.unchanged += 1
    count.created += len(new)
    return zones | {zone.code: zone for zone in Zone.objects.bulk_create(new)}


def _zone(wish: WantedZone, points: list[tuple[float, float]], rules: ZoneRules) -> Zone:
    boundary = wish.boundary or around(points, margin_m=rules.margin_m, bridge_m=rules.bridge_m)
    name = (wish.name or wish.said)[: longest(Zone, "name")]
    return Zone(code=wish.code, name=name, names=wish.names or {}, boundary=boundary)


def _change(
    zone: Zone, wish: WantedZone, points: list[tuple[float, float]], rules: ZoneRules
) -> bool:
    before = (zone.name, zone.names, zone.boundary)
    zone.name = wish.name or zone.name
    zone.names = zone.names if wish.names is None else wish.names
    zone.boundary = wish.boundary or grown_to(
        zone.boundary, points, margin_m=rules.margin_m, bridge_m=rules.bridge_m
    )
    return (zone.name, zone.names, zone.boundary) != before
