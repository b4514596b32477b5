"""On what terms may a stay be had: its price, its rules, its tariff version. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from parking import prepared, rule_facts, stay_rules
from parking.models import Spot, StayRules, TariffState, TariffVersion, Zone
from parking.pricing import Quote, Tariff, quote


class SpotUnknown(Exception):
    """No such spot, or it is out of use."""


class StayRefused(Exception):
    """The stay breaks rules; `failures` lists all of them."""

    def __init__(self, failures: list[stay_rules.Failure]) -> None:
        super().__init__("; ".join(failure.message for failure in failures))
        self.failures = failures


class NotPriced(Exception):
    """The zone has no tariff in force at the start of the stay: it is not on sale."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """A priced, allowed stay on one spot; the spot has its zone with it.

    `claim` is the stay with what the zone keeps free after it, for `Slot.claim`.
    """

    spot: Spot
    rules: stay_rules.Rules
    tariff_id: int
    quote: Quote
    claim: DateTimeTZRange | None


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """What a spot's zone says about the stay `[start, end)`, before anybody else is asked.

    The version is another one whenever the zone or its rules were written.
    """

    spot: Spot
    start: datetime
    end: datetime
    rules: stay_rules.Rules
    tariff: tuple[int, str] | None  # id, hash
    closures: list[str]
    event_limits: list[stay_rules.EventLimit]
    version: str

    @property
    def period(self) -> DateTimeTZRange:
        """The stay as the database writes it."""
        return DateTimeTZRange(self.start, self.end)

    def depend_on_others(self, *, now: datetime) -> bool:
        """Whether a rule counts what others hold: such a stay is written under `locked` terms."""
        return self.rules.count_stays_of_the_vehicle or self.rules.count_reservations(
            start=self.start, now=now
        )


# One round trip for everything that a hold must know. By hand: this is the hottest query of
# the site, and building it through the ORM costs more than running it.
_SPOT = ("id", "zone_id", "meter_id", "number", "street")
_ZONE = ("id", "code", "name")
RULE_COLUMNS = (
    *("longest_stay_min", "shortest_stay_min", "slot_step_min", "book_ahead_days"),
    *("bookable_from", "bookable_to", "lead_time_min", "no_return_min", "most_stays_ahead"),
    *("buffer_min", "reservable_percent", "walk_up_min", "release_after_min"),
)
_TOUCHED = """
FROM parking_closure closure
WHERE closure.zone_id = spot.zone_id
  AND (closure.spot_id IS NULL OR closure.spot_id = spot.id)
  AND closure.street IN ('', spot.street)
  AND closure.period && tstzrange(%(start)s, %(end)s)"""
# Which zone and rules, and as they were written last: by whom, and where that was put.
_VERSION = "concat_ws(' ', zone.xmin, zone.ctid, rules.xmin, rules.ctid)"
_FROM_SPOT = """
FROM parking_spot spot
JOIN parking_zone zone ON zone.id = spot.zone_id AND zone.is_active
JOIN parking_stayrules rules ON rules.zone_id = spot.zone_id
LEFT JOIN parking_tariffversion tariff
  ON tariff.zone_id = spot.zone_id AND tariff.state = 'approved'
 AND tariff.in_force @> %(start)s
WHERE spot.id = %(spot)s AND spot.is_active"""
_TERMS = f"""
SELECT {", ".join(f"spot.{name}" for name in _SPOT)},
       {", ".join(f"zone.{name}" for name in _ZONE)},
       {", ".join(f"rules.{name}" for name in RULE_COLUMNS)},
       ST_X(spot.location), ST_Y(spot.location), tariff.id, tariff.sha256, {_VERSION},
       (SELECT json_agg(json_build_array(closure.reason, closure.longest_stay_min)
                        ORDER BY lower(closure.period), closure.id) {_TOUCHED})
{_FROM_SPOT}"""
# The spot, locked, if all of this is as it was said to be and nothing closes it in that time.
UNCHANGED = f"""
SELECT spot.id, spot.meter_id, spot.number, spot.street,
       ST_X(spot.location) AS lon, ST_Y(spot.location) AS lat
{_FROM_SPOT}
  AND {_VERSION} = %(version)s AND tariff.id = %(tariff)s
  AND NOT EXISTS (SELECT {_TOUCHED})
FOR NO KEY UPDATE OF spot"""


def terms(
    *,
    spot_id: int,
    start: datetime,
    end: datetime,
    now: datetime,
    vehicle_class: str = "",
    plate: str = "",
    booking_id: int | None = None,
) -> Terms:
    """Price the stay `[start, end)` on the spot, or say why it cannot be had.

    Without a plate, rules about the vehicle are not asked. `booking_id` is the booking whose own
    stay changes: it does not stand in its own way.

    Raises:
        SpotUnknown: no such spot in use.
        StayRefused: with every broken rule.
        NotPriced: no tariff in force at `start`.
        parking.pricing.QuoteError: the tariff does not sell this stay.
    """
    return agree(
        conditions=conditions(spot_id=spot_id, start=start, end=end),
        now=now,
        vehicle_class=vehicle_class,
        plate=plate,
        booking_id=booking_id,
    )


def conditions(*, spot_id: int, start: datetime, end: datetime) -> Conditions:
    """Read what the zone says about the stay, in one query.

    Raises:
        SpotUnknown: no such spot in use.
        StayRefused: the stay ends before it starts.
    """
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if start >= end:  # PostgreSQL has no range for it
        raise StayRefused([stay_rules.backwards()])
    row = prepared.fetch_one(_TERMS, {"spot": spot_id, "start": start, "end": end})
    if row is None:
        raise SpotUnknown(spot_id)
    after_spot, after_zone = len(_SPOT), len(_SPOT) + len(_ZONE)
    *rules, lon, lat, tariff_id, sha256, version, touched = row[after_zone:]
    spot = Spot.from_db(None, _SPOT, row[:after_spot])
    spot.lon_lat = lon, lat  # parsing a geometry costs more than the rest of the spot
    spot.zone = Zone.from_db(None, _ZONE, row[after_spot:after_zone])
    closures, event_limits = closures_and_limits(touched)
    return Conditions(
        spot=spot,
        start=start,
        end=end,
        rules=rules_of(*rules),
        tariff=None if tariff_id is None else (tariff_id, sha256),
        closures=closures,
        event_limits=event_limits,
        version=version,
    )


def agree(
    *,
    conditions: Conditions,
    now: datetime,
    vehicle_class: str = "",
    plate: str = "",
    booking_id: int | None = None,
    locked: bool = False,
) -> Terms:
    """Ask every rule, and price the stay; see `terms`.

    Whoever writes the stay where `conditions.depend_on_others` asks `locked`, in the transaction
    that writes and before it locks the spot: what the rules count then stays true until the end.
    """
    rules, start, end = conditions.rules, conditions.start, conditions.end
    facts = rule_facts.NOTHING
    if conditions.depend_on_others(now=now):
        facts = rule_facts.facts(
            rules=rules,
            spot=conditions.spot,
            start=start,
            end=end,
            now=now,
            plate=plate,
            booking_id=booking_id,
            locked=locked,
        )
    wish = stay_rules.Wish(
        start=start,
        end=end,
        now=now,
        closures=conditions.closures,
        event_limits=conditions.event_limits,
        stays_of_vehicle=facts.stays_of_vehicle,
        reserved=facts.reserved,
        street_spots=facts.street_spots,
    )
    if broken := stay_rules.failures(rules, wish):
        raise StayRefused(broken)
    if conditions.tariff is None:
        raise NotPriced(conditions.spot.pk)
    price = quote(
        tariff=tariff_of(*conditions.tariff),
        start=start,
        end=end,
        vehicle_class=vehicle_class or None,
    )
    kept_free = timedelta(minutes=rules.buffer_min)
    return Terms(
        spot=conditions.spot,
        rules=rules,
        tariff_id=conditions.tariff[0],
        quote=price,
        claim=DateTimeTZRange(start, end + kept_free) if kept_free else None,
    )


def closures_and_limits(
    touched: list[tuple[str, int | None]] | None,
) -> tuple[list[str], list[stay_rules.EventLimit]]:
    """Tell closures from events that only shorten stays; rows of reason and longest stay."""
    closures, limits = [], []
    for reason, longest_stay_min in touched or ():
        if longest_stay_min is None:
            closures.append(reason)
        else:
            limits.append(stay_rules.EventLimit(reason, longest_stay_min))
    return closures, limits


def tariff_in_force(*, zone_id: int, at: datetime) -> Tariff | None:
    """Return the tariff by which stays that start at the moment are priced, if there is one."""
    version = (
        TariffVersion.objects.filter(
            zone_id=zone_id, state=TariffState.APPROVED, in_force__contains=at
        )
        .values_list("id", "sha256")
        .first()
    )
    return tariff_of(*version) if version else None


def tariff_of(tariff_id: int, sha256: str) -> Tariff:
    """Return the parsed tariff of an approved version; approved documents never change."""
    known = _parsed.get(sha256)
    return known if known is not None else tariffs_of({tariff_id: sha256})[tariff_id]


def tariffs_of(versions: Mapping[int, str]) -> dict[int, Tariff]:
    """Return the parsed tariffs of approved versions, by id, from their hashes by id.

    Those that this process has not met yet are read in one query.
    """
    known = _parsed.copy()  # another thread may clear it meanwhile
    found = {sha256: known[sha256] for sha256 in versions.values() if sha256 in known}
    unmet = [tariff_id for tariff_id, sha256 in versions.items() if sha256 not in found]
    if unmet:
        rows = TariffVersion.objects.filter(id__in=unmet).values_list("sha256", "document")
        fresh = {sha256: Tariff.parse(document) for sha256, document in rows}
        found |= fresh
        if len(_parsed) + len(fresh) > _PARSED_AT_MOST:
            _parsed.clear()
        _parsed.update(fresh)
    return {tariff_id: found[sha256] for tariff_id, sha256 in versions.items()}


_PARSED_AT_MOST = 1024
_parsed: dict[str, Tariff] = {}  # by hash: equal documents of many zones are one tariff


def rules_of_zone(zone_rules: StayRules) -> stay_rules.Rules:
    """Return a zone's rules from its model."""
    return rules_of(*(getattr(zone_rules, name) for name in RULE_COLUMNS))


@lru_cache(maxsize=1024)
def rules_of(*columns: Any) -> stay_rules.Rules:
    """Return a zone's rules from its row, in the order of `RULE_COLUMNS`."""
    return stay_rules.Rules(
        **dict(zip(RULE_COLUMNS, columns, strict=True)),
        time_zone=ZoneInfo(settings.CITY_TIME_ZONE),
    )
