"""What a spot's page says beside the price of a stay that can be had."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from parking import hint_words, nearby, terms
from parking.other_lengths import other_lengths
from parking.pricing import Quote


@dataclass(frozen=True)
class OtherEnd:
    """A sentence about another end of the stay, and what chooses it, where that can be."""

    text: str
    choice: str = ""
    query: str = ""


@dataclass(frozen=True)
class Advice:
    """Sentences about the tariff and about other ends, and a cheaper spot if there is one."""

    promises: list[str]
    ends: list[OtherEnd]
    cheaper: nearby.CheaperSpot | None


def advice(agreed: terms.Terms, *, stay_query: dict[str, str], now: datetime) -> Advice:
    """Return what is worth knowing; `stay_query` says the stay to a page, with its `length`."""
    price = agreed.quote
    tariff = terms.tariff_of(agreed.tariff_id, price.tariff_sha256)
    found = other_lengths(spot_id=agreed.spot.pk, rules=agreed.rules, tariff=tariff, price=price)
    ends = []
    if (end := found.same_price_until) is not None:
        ends.append(_other_end(hint_words.same_until(price, end), price, end, stay_query))
    if (less := found.shorter) is not None:
        words = hint_words.shorter(price, less.end, less.saving)
        ends.append(_other_end(words, price, less.end, stay_query))
    if found.free_from is not None:
        ends.append(OtherEnd(hint_words.free_from(price, found.free_from)))
    return Advice(
        promises=hint_words.promises(tariff, price),
        ends=ends,
        cheaper=nearby.cheapest(
            spot_id=agreed.spot.pk,
            price=price,
            now=now,
            vehicle_class=price.vehicle_class or "",
        ),
    )


def _other_end(words: str, price: Quote, end: datetime, stay_query: dict[str, str]) -> OtherEnd:
    minutes = (end - price.start) // timedelta(minutes=1)
    query = {**stay_query, "length": str(minutes)}
    if price.vehicle_class:
        query["vehicle_class"] = price.vehicle_class
    return OtherEnd(words, hint_words.stay_until(price, end), urlencode(query))
