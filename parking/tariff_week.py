"""Which price holds when, over a plain week without holidays. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from parking.pricing import Tariff
from parking.pricing.parts import DAYS, Tier
from parking.pricing.week import OUTSIDE


@dataclass(frozen=True)
class Cell:
    """Minutes `[begin, end)` of one weekday, 0 to 1440, that one band holds, or none.

    `band` is its place in the document; `tiers` are empty where a ladder or nothing is charged.
    """

    begin: int
    end: int
    is_charged: bool
    band: int | None
    tiers: tuple[Tier, ...]


def week(tariff: Tariff) -> tuple[tuple[Cell, ...], ...]:
    """Return the cells of each weekday in order, Monday first; they fill each day whole."""
    return tuple(_day(tariff, weekday) for weekday in range(len(DAYS)))


def _day(tariff: Tariff, weekday: int) -> tuple[Cell, ...]:
    plan = tariff.plans[len(DAYS) * ((weekday - 1) % len(DAYS)) + weekday]
    cells, begin = [], 0
    for end, index in plan:
        is_charged = index != OUTSIDE
        band = index if is_charged and tariff.bands else None  # a ladder may have no bands
        tiers = tariff.bands[band].tiers if band is not None and not tariff.ladder else ()
        cells.append(Cell(begin, end, is_charged, band, tiers))
        begin = end
    return tuple(cells)
