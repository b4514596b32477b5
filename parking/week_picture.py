"""The week of a tariff as a drawing: a row for each day, and the price that holds in every hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.translation import get_language_bidi
from django.utils.translation import gettext as _

from parking.formatting import money
from parking.numerals import shown
from parking.pricing import Tariff
from parking.pricing.parts import DAY_MIN
from parking.pricing.week import clock_text
from parking.tariff_week import Cell, week

# Places along the day are percent of the drawing, beside the names of the days; heights are pixels.
_SIDE: Final = 9.0
_TOP: Final = 22
_ROW: Final = 28
_GAP: Final = 4
_SHADES: Final = 4
# Shorter stretches have no room for words.
_PRICE_FITS_MIN: Final = 240
_LATER_FITS_MIN: Final = 540


@dataclass(frozen=True)
class Block:
    """A stretch of a day at one price; `shade` is deeper where it is dearer."""

    x: str
    width: str
    middle: str
    shade: int
    text: str
    title: str


@dataclass(frozen=True)
class Row:
    """A day."""

    name: str
    y: int
    middle: int
    blocks: list[Block]


@dataclass(frozen=True)
class Picture:
    """What the template draws."""

    height: int
    block_height: int
    name_x: str
    hours: list[tuple[str, str]]  # place, name
    rows: list[Row]


def picture(tariff: Tariff) -> Picture:
    """Draw a plain week, Monday first, without holidays; mirrored where people read leftwards."""
    mirrored = get_language_bidi()
    days = week(tariff)
    rates = sorted({_rate(cell) for cells in days for cell in cells if cell.is_charged} - {0})
    rows = []
    for number, cells in enumerate(days):
        top = _TOP + number * _ROW
        blocks = [
            _block(cell, tariff, number, rates, mirrored) for cell in cells if cell.is_charged
        ]
        middle = top + (_ROW - _GAP) // 2
        rows.append(Row(name=str(WEEKDAYS_ABBR[number]), y=top, middle=middle, blocks=blocks))
    return Picture(
        height=_TOP + len(days) * _ROW,
        block_height=_ROW - _GAP,
        name_x=_percent(100.0 if mirrored else 0.0),
        hours=[(_percent(_place(60 * hour, mirrored)), shown(hour)) for hour in range(0, 25, 3)],
        rows=rows,
    )


def _block(cell: Cell, tariff: Tariff, weekday: int, rates: list[int], mirrored: bool) -> Block:
    begin, end = _place(cell.begin, mirrored), _place(cell.end, mirrored)
    price, later = _prices(cell, tariff)
    length = cell.end - cell.begin
    text = price if length >= _PRICE_FITS_MIN else ""
    if later and length >= _LATER_FITS_MIN:
        text = later
    when = f"{WEEKDAYS[weekday]}, {shown(clock_text(cell.begin))}–{shown(clock_text(cell.end))}"
    return Block(
        x=_percent(min(begin, end)),
        width=_percent(abs(end - begin)),
        middle=_percent((begin + end) / 2),
        shade=_shade(_rate(cell), rates),
        text=text,
        title=f"{when}: {later or price}",
    )


def _prices(cell: Cell, tariff: Tariff) -> tuple[str, str]:
    """Return the first rate, and all of them where there are several."""
    if not cell.tiers:
        return _("by length of stay"), ""
    said, *later = [money(tier.per_hour, tariff.currency) for tier in cell.tiers]
    all_of_them = said
    for price in later:
        all_of_them = _("%(price)s, then %(later)s") % {"price": all_of_them, "later": price}
    return said, all_of_them if later else ""


def _rate(cell: Cell) -> int:
    return cell.tiers[0].per_hour if cell.tiers else 1


def _shade(rate: int, rates: list[int]) -> int:
    """Spread the rates over the shades, the dearest the deepest; what costs nothing has none."""
    return 1 + (rates.index(rate) + 1) * (_SHADES - 1) // len(rates) if rate else 0


def _place(minute: int, mirrored: bool) -> float:
    along = _SIDE + minute * (100 - _SIDE - 2) / DAY_MIN  # room for the last hour's name
    return 100 - along if mirrored else along


def _percent(share: float) -> str:
    """Write a share for SVG, whatever the reader's decimal sign."""
    return f"{share:.3f}%"
