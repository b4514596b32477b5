"""On what terms may a stay be had: its price, its rules, its tariff version. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from parking import stay_rules
from parking.models import TariffVersion
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
    """A priced, allowed stay on one spot."""

    spot_id: int
    zone_id: int
    meter_id: int | None
    tariff_id: int
    quote: Quote


# One round trip for everything that a hold must know. By hand: this is the hottest query of
# the site, and building it through the ORM costs more than running it.
_TERMS = """
SELECT spot.zone_id, spot.meter_id,
       rules.longest_stay_min, rules.shortest_stay_min, rules.slot_step_min,
       rules.book_ahead_days, rules.bookable_from, rules.bookable_to,
       tariff.id, tariff.sha256,
       ARRAY(SELECT closure.reason FROM parking_closure closure
             WHERE closure.zone_id = spot.zone_id
               AND (closure.spot_id IS NULL OR closure.spot_id = spot.id)
               AND closure.period && tstzrange(%(start)s, %(end)s)
             ORDER BY lower(closure.period))
FROM parking_spot spot
JOIN parking_zone zone ON zone.id = spot.zone_id AND zone.is_active
JOIN parking_stayrules rules ON rules.zone_id = spot.zone_id
LEFT JOIN parking_tariffversion tariff
  ON tariff.zone_id = spot.zone_id AND tariff.state = 'approved'
 AND tariff.in_force @> %(start)s
WHERE spot.id = %(spot)s AND spot.is_active
"""


def terms(
    *,
    spot_id: int,
    start: datetime,
    end: datetime,
    now: datetime,
    vehicle_class: str = "",
    lock: bool = False,
) -> Terms:
    """Price the stay `[start, end)` on the spot, or say why it cannot be had.

    With `lock`, the spot's row stays locked until the transaction ends.

    Raises:
        SpotUnknown: no such spot in use.
        StayRefused: with every broken rule.
        NotPriced: no tariff in force at `start`.
        parking.pricing.QuoteError: the tariff does not sell this stay.
    """
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if start >= end:  # PostgreSQL has no range for it
        raise StayRefused([stay_rules.backwards()])
    with connection.cursor() as cursor:
        cursor.execute(
            _TERMS + ("FOR NO KEY UPDATE OF spot" if lock else ""),
            {"spot": spot_id, "start": start, "end": end},
        )
        row = cursor.fetchone()
    if row is None:
        raise SpotUnknown(spot_id)
    zone_id, meter_id, longest, shortest, step, ahead, opens, closes, tariff_id, sha, closures = row
    rules = _rules(longest, shortest, step, ahead, opens, closes)
    wish = stay_rules.Wish(start=start, end=end, now=now, closures=closures)
    if broken := stay_rules.failures(rules, wish):
        raise StayRefused(broken)
    if tariff_id is None:
        raise NotPriced(zone_id)
    price = quote(
        tariff=tariff_of(tariff_id, sha), start=start, end=end, vehicle_class=vehicle_class or None
    )
    return Terms(
        spot_id=spot_id, zone_id=zone_id, meter_id=meter_id, tariff_id=tariff_id, quote=price
    )


@lru_cache(maxsize=1024)
def tariff_of(tariff_id: int, sha256: str) -> Tariff:
    """Return the parsed tariff of an approved version; approved documents never change."""
    return Tariff.parse(TariffVersion.objects.values_list("document", flat=True).get(id=tariff_id))


@lru_cache(maxsize=1024)
def _rules(
    longest: int, shortest: int, step: int, ahead: int, opens: time | None, closes: time | None
) -> stay_rules.Rules:
    return stay_rules.Rules(
        longest_stay_min=longest,
        shortest_stay_min=shortest,
        slot_step_min=step,
        book_ahead_days=ahead,
        bookable_from=opens,
        bookable_to=closes,
        time_zone=ZoneInfo(settings.CITY_TIME_ZONE),
    )
