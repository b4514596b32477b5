"""From a city's words, such as “08:00AM-08:00PM MON-SAT $0.25 120”, to bands of a tariff."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _

from parking.formatting import duration, money
from parking.imports.errors import RowRefused
from parking.imports.mapping import TariffRules
from parking.imports.mapping.prices import WEEK
from parking.money import exponent

_CLOCK = re.compile(r"(\d{1,2})(?:[:.h]?(\d{2}))?\s*([ap])?\.?m?\.?", re.IGNORECASE)
_AMOUNT = re.compile(r"\d+(?:[.,]\d+)?")
_DAY_SPLIT = re.compile(r"[,;/&+\s]+")
_BETWEEN = re.compile(r"[\s,;|]*")
_DASH = re.compile(r"\s*[-–—]\s*")


@dataclass(frozen=True, order=True)
class Band:
    """Paid hours. `start` and `end`: HH:MM, local; `per_hour`: minor units."""

    days: tuple[str, ...]
    start: str
    end: str
    per_hour: int

    def as_json(self) -> dict[str, Any]:
        """Return the band as a tariff document writes it."""
        return {
            "days": list(self.days),
            "from": self.start,
            "to": self.end,
            "tiers": [{"per_hour": self.per_hour}],
        }


@dataclass(frozen=True, order=True)
class Policy:
    """What the hours of one row say. `longest_min` None: nothing of the longest stay."""

    bands: tuple[Band, ...]
    longest_min: int | None

    def in_words(self, currency: str) -> str:
        """Say it, such as “Mon–Sat 08:00–20:00 1.00 € an hour; 2 h”."""
        bands = ", ".join(
            _("%(days)s %(start)s–%(end)s %(rate)s an hour")
            % {
                "days": _days_in_words(band.days),
                "start": band.start,
                "end": band.end,
                "rate": money(band.per_hour, currency),
            }
            for band in self.bands
        )
        return f"{bands}; {duration(self.longest_min)}" if self.longest_min else bands


def _days_in_words(days: tuple[str, ...]) -> str:
    places = sorted(WEEK.index(day) for day in days)
    if len(places) > 2 and places == list(range(places[0], places[-1] + 1)):
        return f"{WEEKDAYS_ABBR[places[0]]}–{WEEKDAYS_ABBR[places[-1]]}"
    return "/".join(str(WEEKDAYS_ABBR[place]) for place in places)


def policy_of(text: str, *, rate: str, rules: TariffRules, currency: str) -> Policy:
    """Read the hours of one row. `rate`: the row's own, for bands that name none; may be empty.

    Raises:
        RowRefused: some of the text is not understood, or it says nothing whole.
    """
    assert rules.pattern is not None  # noqa: S101  (the mapping was checked)
    bands, longest, rest = [], [], []
    end = 0
    for hit in rules.pattern.finditer(text):
        rest.append(text[end : hit.start()])
        end = hit.end()
        groups = {key: value for key, value in hit.groupdict().items() if value}
        bands.append(_band(groups, rate=rate, rules=rules, currency=currency))
        if "longest" in groups:
            longest.append(int(groups["longest"]))
    rest.append(text[end:])
    left = " ".join(rest)
    if rules.ignore is not None:
        left = rules.ignore.sub("", left)
    if not bands or not _BETWEEN.fullmatch(left):
        raise RowRefused(_("hours “%(text)s” do not fit the pattern") % {"text": text})
    return Policy(tuple(sorted(set(bands))), max(longest, default=None))


def _band(groups: Mapping[str, str], *, rate: str, rules: TariffRules, currency: str) -> Band:
    start, end = clock(groups.get("from", "")), clock(groups.get("to", ""))
    amount = groups.get("rate") or rate
    if not amount:
        raise RowRefused(_("the row names no rate"))
    return Band(
        days=days_of(groups.get("days", ""), rules.days),
        start="00:00" if start == "24:00" else start,
        end="24:00" if end == "00:00" else end,
        per_hour=per_hour(amount, unit_min=rules.rate_unit_min, currency=currency),
    )


def per_hour(text: str, *, unit_min: int, currency: str) -> int:
    """Return the minor units per hour of a decimal amount per `unit_min` minutes.

    Raises:
        RowRefused: it is no amount, or no whole number of minor units in an hour.
    """
    if not _AMOUNT.fullmatch(text):
        raise RowRefused(_("“%(text)s” is no amount") % {"text": text})
    exact = Fraction(text.replace(",", ".")) * 10 ** exponent(currency) * 60 / unit_min
    if exact.denominator != 1:
        raise RowRefused(
            _("%(amount)s for %(minutes)s min is no whole number of minor units in an hour")
            % {"amount": text, "minutes": unit_min}
        )
    return int(exact)


def clock(text: str) -> str:
    """Return a time of day as HH:MM: from “8”, “8:30”, “18.30”, “08:00PM”, “24:00”.

    Raises:
        RowRefused: it is none.
    """
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        raise RowRefused(_("“%(text)s” is no time of day") % {"text": text})
    hour, minute, half = int(found[1]), int(found[2] or 0), (found[3] or "").lower()
    if half and 1 <= hour <= 12:  # “24:00AM” and “00:00AM” are written too, and mean what they say
        hour = hour % 12 + (12 if half == "p" else 0)
    if hour > 24 or minute > 59 or (hour == 24 and minute):
        raise RowRefused(_("“%(text)s” is no time of day") % {"text": text})
    return f"{hour:02}:{minute:02}"


def days_of(text: str, words: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the days of “MON-SAT”, “Mo, We” or a word of the mapping; every day for nothing.

    Raises:
        RowRefused: a word is not known.
    """
    if not text.strip():
        return WEEK
    found: set[str] = set()
    whole = words.get(text.strip().casefold())
    for part in () if whole else _DAY_SPLIT.split(_DASH.sub("-", text.strip())):
        first, _dash, last = part.partition("-")
        start, end = _named(first, words), _named(last, words) if last else None
        if end is None:
            found |= set(start)
        else:
            place, until = WEEK.index(start[0]), WEEK.index(end[-1])
            until += 7 if until < place else 0  # “SAT-MON” runs over the end of the week
            found |= {WEEK[day % 7] for day in range(place, until + 1)}
    return tuple(day for day in WEEK if day in (whole or found))


def _named(word: str, words: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    days = words.get(word.casefold())
    if days is None:
        raise RowRefused(_("“%(word)s” is no day; name it under tariff.days") % {"word": word})
    return days
