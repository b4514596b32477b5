"""What would a stay cost in each zone, and where is it refused? One query for the whole city."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.translation import get_language

from parking import price_words, stay_rules
from parking.local_names import column
from parking.pricing import Quote, QuoteError, Tariff, quote
from parking.terms import RULE_COLUMNS, closures_and_limits, rules_of, tariffs_of


@dataclass(frozen=True, kw_only=True)
class ZoneOffer:
    """A zone, with the price of the stay there, or the reasons why it cannot be had."""

    zone_id: int
    code: str
    name: str
    rules: stay_rules.Rules
    quote: Quote | None
    reasons: list[str]  # for people; empty when there is a quote

    @property
    def is_open(self) -> bool:
        """Whether the stay is sold in this zone."""
        return self.quote is not None


# How full a street is, is no matter of the zone: `terms` asks it of a spot.
_OF_A_ZONE = tuple(
    check for check in stay_rules.RULE_BOOK if check is not stay_rules.reservable_share
)

# What `offers_of` reads, of each zone in use. Both parts want `start` and `end`.
ZONE_COLUMNS = f"""
       zone.id, zone.code, {column("zone.names", "zone.name")},
       {", ".join(f"rules.{name}" for name in RULE_COLUMNS)},
       tariff.id, tariff.sha256,
       (SELECT json_agg(json_build_array(closure.reason, closure.longest_stay_min)
                        ORDER BY lower(closure.period), closure.id)
        FROM parking_closure closure
        WHERE closure.zone_id = zone.id AND closure.spot_id IS NULL AND closure.street = ''
          AND closure.period && tstzrange(%(start)s, %(end)s))
"""  # noqa: S608 (names of columns)
ZONES_IN_USE = """
     parking_zone zone
JOIN parking_stayrules rules ON rules.zone_id = zone.id AND zone.is_active
LEFT JOIN parking_tariffversion tariff
  ON tariff.zone_id = zone.id AND tariff.state = 'approved' AND tariff.in_force @> %(start)s
"""
_ZONES = f"SELECT {ZONE_COLUMNS} FROM {ZONES_IN_USE} ORDER BY zone.name, zone.id"  # noqa: S608


def zone_offers(
    *, start: datetime, end: datetime, now: datetime, vehicle_class: str = ""
) -> dict[int, ZoneOffer]:
    """Return the offer of every zone in use for the stay `[start, end)`, by zone id, by name.

    `end` must be after `start`. A closure of a street or a spot is not the zone's: availability
    says so. Rules that count what others hold are asked of a spot, by `terms`.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ZONES, {"start": start, "end": end, "language": get_language()})
        rows = cursor.fetchall()
    return offers_of(rows, start=start, end=end, now=now, vehicle_class=vehicle_class)


def offers_of(
    rows: Sequence[Sequence[Any]],
    *,
    start: datetime,
    end: datetime,
    now: datetime,
    vehicle_class: str = "",
) -> dict[int, ZoneOffer]:
    """Return the offer of each row of `ZONE_COLUMNS`, by zone id, in their order.

    A zone that does not price the vehicle class apart asks the full price of it.
    """
    tariffs = tariffs_of({row[-3]: row[-2] for row in rows if row[-3] is not None})
    offers = {}
    for zone_id, code, name, *rule_columns, tariff_id, _sha256, touched in rows:
        rules = rules_of(*rule_columns)
        closures, limits = closures_and_limits(touched)
        wish = stay_rules.Wish(
            start=start, end=end, now=now, closures=closures, event_limits=limits
        )
        reasons = [failure.message for failure in stay_rules.failures(rules, wish, _OF_A_ZONE)]
        price = None
        if not reasons:
            price, reasons = _price(tariffs.get(tariff_id), start, end, vehicle_class)
        offers[zone_id] = ZoneOffer(
            zone_id=zone_id, code=code, name=name, rules=rules, quote=price, reasons=reasons
        )
    return offers


def _price(
    tariff: Tariff | None, start: datetime, end: datetime, vehicle_class: str
) -> tuple[Quote | None, list[str]]:
    if tariff is None:
        return None, [price_words.not_on_sale()]
    priced_apart = vehicle_class if vehicle_class in tariff.vehicle_classes else None
    try:
        return quote(tariff=tariff, start=start, end=end, vehicle_class=priced_apart), []
    except QuoteError as error:
        return None, [price_words.why_not(error)]
