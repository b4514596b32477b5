"""What the zones say of stays, as this process saw it last: most holds then take one statement.

Nothing of it is believed. A stay is written by it only where the city still says the same in the
statement that writes (`terms.UNCHANGED`); whoever finds otherwise reads anew and calls `learn`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from parking import stay_rules
from parking.models import Spot, TariffState, TariffVersion, Zone
from parking.terms import Conditions

SPOTS_AT_MOST = 200_000  # about 20 MB in each process; further spots are asked for each time

_ZONE = ("id", "code", "name")


@dataclass(frozen=True, kw_only=True)
class _Known:
    version: str
    zone: tuple[int, str, str]
    rules: stay_rules.Rules
    tariffs: list[tuple[datetime | None, datetime | None, tuple[int, str]]]  # from, to, id and hash

    def tariff(self, at: datetime) -> tuple[int, str] | None:
        for begins, ends, tariff in self.tariffs:
            if (begins is None or begins <= at) and (ends is None or at < ends):
                return tariff
        return None


_zones: dict[int, _Known] = {}
_zone_of: dict[int, int] = {}  # by spot


def conditions(*, spot_id: int, start: datetime, end: datetime) -> Conditions | None:
    """Return what the spot's zone said last, for a stay that nothing closes; None: ask.

    The spot has its zone and nothing else.
    """
    known = _zones.get(_zone_of.get(spot_id, 0))
    if known is None or start >= end:
        return None
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    tariff = known.tariff(start)
    if tariff is None:
        return None
    spot = Spot.from_db(None, ("id", "zone_id"), (spot_id, known.zone[0]))
    spot.zone = Zone.from_db(None, _ZONE, known.zone)
    return Conditions(
        spot=spot,
        start=start,
        end=end,
        rules=known.rules,
        tariff=tariff,
        closures=[],
        event_limits=[],
        version=known.version,
    )


def learn(read: Conditions) -> None:
    """Remember what was read, and the zone's other spots and tariffs where they are news."""
    zone = read.spot.zone
    known = _zones.get(zone.pk)
    if known is None or known.version != read.version or known.tariff(read.start) != read.tariff:
        if known is None:
            spots = Spot.objects.filter(zone=zone, is_active=True).values_list("id", flat=True)
            _keep(zone.pk, list(spots[: SPOTS_AT_MOST + 1]))
        _zones[zone.pk] = _Known(
            version=read.version,
            zone=(zone.pk, zone.code, zone.name),
            rules=read.rules,
            tariffs=[
                (begins, ends, (tariff_id, sha256))
                for begins, ends, tariff_id, sha256 in TariffVersion.objects.filter(
                    zone=zone, state=TariffState.APPROVED
                ).values_list("in_force__startswith", "in_force__endswith", "id", "sha256")
            ],
        )
    _keep(zone.pk, [read.spot.pk])


def forget() -> None:
    """Know nothing."""
    _zones.clear()
    _zone_of.clear()


def _keep(zone_id: int, spots: list[int]) -> None:
    if len(_zone_of) + len(spots) <= SPOTS_AT_MOST:
        _zone_of.update(dict.fromkeys(spots, zone_id))
