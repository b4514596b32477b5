"""A second opinion: price a stay minute by minute, from the words of the tariff rules.

It reads the bare document, shares no code with the engine and is written to be obviously right, not
to be quick. The one thing it takes for granted is that the document is a valid one.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from math import ceil, floor
from typing import Any
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
NAMES = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class NotSold(Exception):
    """The stay is beyond the last step of the ladder."""


@dataclass(frozen=True)
class Minute:
    """A chargeable minute: its local date and the place of its band in the document."""

    day: date
    band: int | None


def slow_price(
    document: dict[str, Any], start: datetime, end: datetime, vehicle_class: str | None = None
) -> tuple[int, int]:
    """Return the chargeable minutes and the total."""
    zone = ZoneInfo(document["time_zone"])
    moments = _minutes(start, end)
    days: defaultdict[date, Fraction] = defaultdict(Fraction)

    in_window: set[datetime] = set()
    for day, flat, inside in _windows(document, start, end, zone):
        days[day] += flat["amount"]
        in_window |= inside

    chargeable = []
    for moment in moments:
        if moment in in_window:
            continue
        local = moment.astimezone(zone)
        if "bands" not in document:
            chargeable.append(Minute(local.date(), None))
        elif (band := _band_at(document, local)) is not None:
            chargeable.append(Minute(local.date(), band))

    for day, amount in _minute_prices(document, chargeable):
        days[day] += amount

    cap = document.get("cap_per_local_day")
    total = sum(
        (amount if cap is None else min(amount, cap) for amount in days.values()), start=Fraction()
    )
    if vehicle_class is not None:
        total *= Fraction(document["vehicle_classes"][vehicle_class]["percent"], 100)
    if total and document.get("max_charge") is not None:
        total = min(total, Fraction(document["max_charge"]))
    if total:
        total = max(total, Fraction(document.get("min_charge", 0)))
    rounded = _rounded(total, document.get("rounding", {}))
    if chargeable:
        rounded += document.get("fixed_fee", 0)
    tax = document.get("tax", {})
    if not tax.get("included", True):
        rounded += floor(Fraction(rounded * tax["rate_bp"], 10_000) + Fraction(1, 2))
    return len(chargeable), rounded


def _minutes(start: datetime, end: datetime) -> list[datetime]:
    count = (end - start) // MINUTE
    return [start.astimezone(UTC) + MINUTE * number for number in range(count)]


def _clock(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def _weekday(document: dict[str, Any], day: date) -> str:
    if day.isoformat() in document.get("holidays", {}) and "holiday_behaves_like" in document:
        return str(document["holiday_behaves_like"])
    return NAMES[day.weekday()]


def _band_at(document: dict[str, Any], local: datetime) -> int | None:
    """Return the band that holds the local wall time; of several, that of the lowest priority."""
    today, yesterday = local.date(), local.date() - DAY
    now = local.hour * 60 + local.minute
    holding = []
    for place, band in enumerate(document["bands"]):
        begin, end = _clock(band["from"]), _clock(band["to"])
        if begin < end:
            holds = _weekday(document, today) in band["days"] and begin <= now < end
        else:
            evening = _weekday(document, today) in band["days"] and begin <= now
            morning = _weekday(document, yesterday) in band["days"] and now < end
            holds = evening or morning
        if holds:
            holding.append((band.get("priority", 0), place))
    return min(holding)[1] if holding else None


def _windows(
    document: dict[str, Any], start: datetime, end: datetime, zone: ZoneInfo
) -> list[tuple[date, dict[str, Any], set[datetime]]]:
    """Return day, flat and minutes of every window that applies to the stay."""
    if not document.get("window_flats") or start == end:
        return []
    all_minutes: defaultdict[tuple[int, date], set[datetime]] = defaultdict(set)
    for moment in _minutes(start - 2 * DAY, end + 2 * DAY):
        local = moment.astimezone(zone)
        now = local.hour * 60 + local.minute
        for place, flat in enumerate(document["window_flats"]):
            begin, stop = _clock(flat["from"]), _clock(flat["to"])
            if begin < stop:
                if begin <= now < stop:
                    all_minutes[place, local.date()].add(moment)
            elif begin <= now:
                all_minutes[place, local.date()].add(moment)
            elif now < stop:
                all_minutes[place, local.date() - DAY].add(moment)
    found = []
    stay = set(_minutes(start, end))
    for (place, day), window in all_minutes.items():
        flat = document["window_flats"][place]
        applies = window <= stay if flat["applies_if"] == "covers_whole" else bool(window & stay)
        if applies:
            found.append((day, flat, window & stay))
    return found


def _minute_prices(
    document: dict[str, Any], chargeable: list[Minute]
) -> list[tuple[date, Fraction]]:
    """Return what each minute that is sold costs, and on which day."""
    if not chargeable or len(chargeable) <= document.get("free_if_leq_min", 0):
        return []
    sold = _sold(len(chargeable), document.get("increment", {}))
    free = document.get("free_first_min", 0)
    prices = []
    if "ladder" in document:
        before = Fraction()
        for number in range(1, sold + 1):
            minute = chargeable[min(number, len(chargeable)) - 1]
            upto = Fraction() if number <= free else _ladder_total(document, number)
            prices.append((minute.day, upto - before))
            before = upto
        return prices
    progress = rate = 0
    for number in range(sold):
        if number < len(chargeable):
            minute = chargeable[number]
            progress = (
                0 if number == 0 or _starts_again(document, chargeable, number) else progress + 1
            )
            rate = _rate(document, minute, progress)
        prices.append((minute.day, Fraction() if number < free else Fraction(rate, 60)))
    return prices


def _starts_again(document: dict[str, Any], chargeable: list[Minute], number: int) -> bool:
    before, now = chargeable[number - 1], chargeable[number]
    reset = document.get("progression_reset", "session")
    return (reset == "local_day" and before.day != now.day) or (
        reset == "band" and before.band != now.band
    )


def _rate(document: dict[str, Any], minute: Minute, progress: int) -> int:
    assert minute.band is not None
    for tier in document["bands"][minute.band]["tiers"]:
        if "upto_min" not in tier or progress < tier["upto_min"]:
            return int(tier["per_hour"])
    raise AssertionError("the last tier is open")


def _ladder_total(document: dict[str, Any], minutes: int) -> Fraction:
    for step in document["ladder"]:
        if minutes <= step["upto_min"]:
            return Fraction(step["total"])
    raise NotSold


def _sold(minutes: int, increment: dict[str, Any]) -> int:
    lot = increment.get("minutes", 1)
    exact = Fraction(minutes, lot)
    mode = increment.get("mode", "started")
    if mode == "started":
        return ceil(exact) * lot
    if mode == "completed":
        return floor(exact) * lot
    return floor(exact + Fraction(1, 2)) * lot


def _rounded(total: Fraction, rounding: dict[str, Any]) -> int:
    unit = rounding.get("unit", 1)
    exact = total / unit
    mode = rounding.get("mode", "up")
    if mode == "up":
        return ceil(exact) * unit
    if mode == "down":
        return floor(exact) * unit
    return floor(exact + Fraction(1, 2)) * unit
