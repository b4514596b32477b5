"""The week as a drawing: seven columns of a day each, with the price that holds in every hour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import get_language_bidi
from django.utils.translation import gettext as _

from parking.formatting import money
from parking.pricing import Tariff, TariffError
from parking.pricing.parts import DAY_MIN, Band
from parking.pricing.week import OUTSIDE, clock_text, day_plan
from parking.tariff_words import days_words, rate_words

# In percent of the drawing: the hours at the side, the days on top, and room for 24:00 below.
SIDE: Final = 7.0
TOP: Final = 4.0
FOOT: Final = 1.5
_COLUMN: Final = (100 - SIDE) / 7
_SHADES: Final = 5


@dataclass(frozen=True)
class Block:
    """One stretch of one day at one price. Places and sizes are percent of the drawing."""

    x: str
    y: str
    width: str
    height: str
    middle: str
    band: str
    day: int
    begin: int
    end: int
    shade: int
    price: str
    later: str
    title: str


@dataclass(frozen=True)
class Week:
    """What the template draws."""

    days: list[tuple[str, str, str]]  # middle, edge, name
    hours: list[tuple[str, str]]  # height, name
    hour_x: str
    lines_from: str
    lines_to: str
    blocks: list[Block]
    side: str
    top: str
    foot: str
    rtl: bool
    by_steps: bool


def week_of(document: Mapping[str, Any], origins: list[str] | None = None) -> Week:
    """Draw the plain week of a document; bands that cannot be read are left out.

    `origins` are the numbers of the bands' rows on the page.
    """
    rtl = get_language_bidi()
    currency = str(document.get("currency"))
    raw = document.get("bands")
    read = [_band(item, document) for item in raw] if isinstance(raw, list) else []
    kept = [(number, band) for number, band in enumerate(read) if band is not None]
    names = [origins[n] if origins and n < len(origins) else str(n) for n, _band_ in kept]
    by_steps = bool(document.get("ladder"))
    return Week(
        days=[
            (_text(_left(day, rtl) + _COLUMN / 2), _text(_left(day, rtl)), str(WEEKDAYS_ABBR[day]))
            for day in range(7)
        ],
        hours=[(_text(_height(60 * hour)), clock_text(60 * hour)) for hour in range(0, 25, 3)],
        hour_x=_text(100 - SIDE / 2 if rtl else SIDE / 2),
        lines_from=_text(0 if rtl else SIDE),
        lines_to=_text(100 - SIDE if rtl else 100),
        blocks=_blocks(tuple(band for _n, band in kept), names, currency, by_steps, rtl),
        side=str(SIDE),
        top=str(TOP),
        foot=str(FOOT),
        rtl=rtl,
        by_steps=by_steps,
    )


def _band(item: object, document: Mapping[str, Any]) -> Band | None:
    """Read one band by itself, so that what is wrong elsewhere does not empty the week."""
    alone = {key: document.get(key) for key in ("currency", "time_zone")}
    if document.get("ladder"):
        alone["ladder"] = [{"upto_min": 1, "total": 0}]
    try:
        return Tariff.parse({**alone, "bands": [item]}).bands[0]
    except TariffError:
        return None


def _blocks(
    bands: tuple[Band, ...], names: list[str], currency: str, by_steps: bool, rtl: bool
) -> list[Block]:
    shades = _shades(bands)
    found = []
    for day in range(7):
        begin = 0
        for end, index in day_plan(bands, (day - 1) % 7, day):
            if index != OUTSIDE:
                band = bands[index]
                rates = rate_words(band.tiers, currency)
                last = money(band.tiers[-1].per_hour, currency)
                when = f"{days_words(band.days)} {clock_text(band.begin)}–{clock_text(band.end)}"
                price = _("by length") if by_steps else money(band.tiers[0].per_hour, currency)
                found.append(
                    Block(
                        x=_text(_left(day, rtl) + 0.25),
                        y=_text(_height(begin)),
                        width=_text(_COLUMN - 0.5),
                        height=_text(_height(end) - _height(begin)),
                        middle=_text(_left(day, rtl) + _COLUMN / 2),
                        band=names[index],
                        day=day,
                        begin=begin,
                        end=end,
                        shade=shades[band.tiers[0].per_hour],
                        price=price if end - begin >= 45 else "",
                        later=(
                            f"→ {last}"
                            if len(band.tiers) > 1 and not by_steps and end - begin >= 120
                            else ""
                        ),
                        title=f"{when}: {price if by_steps else ', '.join(rates)}",
                    )
                )
            begin = end
    return found


def _shades(bands: tuple[Band, ...]) -> dict[int, int]:
    """Give each first rate a shade, the dearest the deepest; what costs nothing has shade 0."""
    rates = sorted({band.tiers[0].per_hour for band in bands} - {0})
    shades = {
        rate: 1 + (place + 1) * (_SHADES - 1) // len(rates) for place, rate in enumerate(rates)
    }
    return {0: 0, **shades}


def _left(day: int, rtl: bool) -> float:
    return (6 - day) * _COLUMN if rtl else SIDE + day * _COLUMN


def _height(minute: int) -> float:
    return TOP + minute * (100 - TOP - FOOT) / DAY_MIN


def _text(share: float) -> str:
    """Write a share for SVG, whatever the reader's decimal sign."""
    return f"{share:.3f}%"
