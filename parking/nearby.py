"""Where else near a spot can the same stay be had, and where does it cost less?

The number of queries does not grow with the number of spots.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.translation import get_language

from parking import any_spot, availability, changes, locking, refusals, terms
from parking.local_names import column
from parking.models import Feature, Spot
from parking.offers import ZONE_COLUMNS, ZONES_IN_USE, ZoneOffer, offers_of, zone_offers
from parking.pricing import Quote, QuoteError
from parking.stays import stay_of

CHEAPER_WITHIN_M = 300
CHANGES_OFFERED = 4
_NOT_TO_BE_HAD = (
    refusals.BookingError,
    terms.SpotUnknown,
    terms.StayRefused,
    terms.NotPriced,
    QuoteError,
)
WALKED_M_A_MINUTE = 75


@dataclass(frozen=True, kw_only=True)
class CheaperSpot:
    """A free spot nearby in a zone where the stay costs less. Amounts are minor units."""

    spot: availability.FreeSpot
    total: int
    saving: int
    currency: str
    vehicle_class: str  # as its zone knows it; empty where that zone does not price it apart

    @property
    def walk_min(self) -> int:
        """Minutes on foot, at a calm pace, rounded up."""
        return max(1, -(-self.spot.distance_m // WALKED_M_A_MINUTE))


@dataclass(frozen=True, kw_only=True)
class Alternative:
    """A free spot nearby, with the price of the same stay there, in minor units."""

    spot: availability.FreeSpot
    total: int
    currency: str


def alternatives(
    *,
    spot_id: int,
    features: Collection[str],
    start: datetime,
    end: datetime,
    now: datetime,
    vehicle_class: str = "",
) -> list[Alternative]:
    """Return the nearest free spots that can stand in for one, of `features`, that is taken.

    Whoever needs an accessible bay is not helped by another one; nobody else may use one.
    """
    near = availability.nearest_free(
        spot_id=spot_id,
        start=start,
        end=end,
        features=[name for name in features if name == Feature.ACCESSIBLE],
        without=any_spot.SET_ASIDE.difference(features),
    )
    if not near:
        return []
    offers = zone_offers(start=start, end=end, now=now, vehicle_class=vehicle_class)
    return [
        Alternative(spot=free, total=offer.quote.total, currency=offer.quote.currency)
        for free in near
        if (offer := offers.get(free.zone_id)) is not None and offer.quote is not None
    ]


@dataclass(frozen=True, kw_only=True)
class ChangeTo:
    """A free spot of the zone, with what it means to change a booking to it."""

    spot: availability.FreeSpot
    change: changes.Change


def instead_of(
    *,
    booking_id: int,
    spot_id: int | None,
    start: datetime | None,
    end: datetime | None,
    now: datetime,
) -> list[ChangeTo]:
    """Return the nearest free spots to which a booking can change where the wished one is taken.

    The wish is as in `changes.propose`, whose rules are asked for each spot.
    """
    stay = stay_of(locking.slots_of(booking_id))
    spot_id = spot_id or stay.spot.pk
    features = Spot.objects.values_list("features", flat=True).get(id=spot_id)
    near = availability.nearest_free(
        spot_id=spot_id,
        start=max(start or stay.start, now),
        end=end or stay.end,
        features=[name for name in features if name == Feature.ACCESSIBLE],
        without=any_spot.SET_ASIDE.difference(features),
        same_zone=True,
        limit=CHANGES_OFFERED,
    )
    found = []
    for free in near:
        with suppress(*_NOT_TO_BE_HAD):
            change = changes.propose(
                booking_id=booking_id, spot_id=free.id, start=start, end=end, now=now
            )
            found.append(ChangeTo(spot=free, change=change))
    return found


# A zone has one price, so of each other zone only the nearest free spot counts that suits. It
# suits with the same features: whoever needs an accessible bay is not helped by another spot, and
# nobody else may use one. The box around the spot is what the index knows (a
# degree has more than 100 km); the true distance is asked of what it leaves.
_NEAREST_OF_EACH_ZONE = f"""
WITH suits AS MATERIALIZED (
  SELECT spot.id, spot.number, {column("spot.street_names", "spot.street")} AS street,
         spot.zone_id, spot.features,
         round(ST_Distance(spot.location::geography, here.location::geography))::int AS distance_m
  FROM parking_spot here, parking_spot spot
  WHERE here.id = %(spot)s AND spot.zone_id <> here.zone_id AND spot.is_active
    AND spot.location && ST_Expand(
      here.location,
      %(within_m)s / 100000.0 / cos(radians(ST_Y(here.location))),
      %(within_m)s / 100000.0)
    AND ST_DWithin(spot.location::geography, here.location::geography, %(within_m)s)
    AND spot.features @> here.features AND spot.features <@ here.features
), near AS (
  SELECT DISTINCT ON (zone_id) suits.* FROM suits
  WHERE suits.id NOT IN ({availability.BUSY})
  ORDER BY zone_id, distance_m, id
)
SELECT near.id, near.number, near.street, near.features, near.distance_m, {ZONE_COLUMNS}
FROM {ZONES_IN_USE} JOIN near ON near.zone_id = zone.id
"""  # noqa: S608 (no value is spliced in)
_SPOT_COLUMNS = 5


def cheapest(
    *, spot_id: int, price: Quote, now: datetime, vehicle_class: str = ""
) -> CheaperSpot | None:
    """Return the nearest of the cheapest free spots within 300 m, if the stay costs less there.

    `price` is what the stay costs on the spot. Where a zone counts what is reserved, the spot that
    was found is asked once more by all its rules.
    """
    if not price.total:
        return None
    found, offers = _near(spot_id=spot_id, price=price, now=now, vehicle_class=vehicle_class)
    cheaper = [
        (offer.quote.total, spot.distance_m, spot.id, spot, offer.quote, offer)
        for spot in found
        if (offer := offers[spot.zone_id]).quote is not None
        and offer.quote.currency == price.currency
        and offer.quote.total < price.total
    ]
    for total, _distance, _id, spot, theirs, offer in sorted(cheaper, key=lambda one: one[:3]):
        if _may_be_held(spot, offer, theirs, now):
            return CheaperSpot(
                spot=spot,
                total=total,
                saving=price.total - total,
                currency=price.currency,
                vehicle_class=theirs.vehicle_class or "",
            )
    return None


def _near(
    *, spot_id: int, price: Quote, now: datetime, vehicle_class: str
) -> tuple[list[availability.FreeSpot], dict[int, ZoneOffer]]:
    """Return the nearest free spot of each other zone around, and these zones' offers."""
    values: dict[str, Any] = {
        "spot": spot_id,
        "start": price.start,
        "end": price.end,
        "within_m": CHEAPER_WITHIN_M,
        "language": get_language(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_NEAREST_OF_EACH_ZONE, values)
        rows = cursor.fetchall()
    offers = offers_of(
        [row[_SPOT_COLUMNS:] for row in rows],
        start=price.start,
        end=price.end,
        now=now,
        vehicle_class=vehicle_class,
    )
    found = [
        availability.FreeSpot(
            id=spot[0],
            number=spot[1],
            street=spot[2],
            zone_id=zone_id,
            zone_name=zone_name,
            features=spot[3],
            distance_m=spot[4],
        )
        for *spot, zone_id, _code, zone_name in (row[: _SPOT_COLUMNS + 3] for row in rows)
    ]
    return found, offers


def _may_be_held(
    spot: availability.FreeSpot, offer: ZoneOffer, price: Quote, now: datetime
) -> bool:
    """Ask what only the spot can answer: whether its street may still be reserved."""
    if not offer.rules.count_reservations(start=price.start, now=now):
        return True
    try:
        terms.terms(spot_id=spot.id, start=price.start, end=price.end, now=now)
    except (terms.StayRefused, terms.SpotUnknown, terms.NotPriced, QuoteError):
        return False
    return True
