"""Columns above and below a line, as numbers that a template draws. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 720
_LEFT, _TOP, _PLOT, _FOOT = 60, 10, 200, 26
HEIGHT: Final = _TOP + _PLOT + _FOOT
_FILLED = 70  # percent of its place that a column fills
_TICKS = 4


@dataclass(frozen=True)
class Column:
    """One group: `above` and `below` start at the line. Lengths are units of the drawing."""

    label: str
    x: int
    width: int
    middle: int
    above: int
    above_y: int
    below: int


@dataclass(frozen=True)
class Tick:
    """A line across, with the value that it stands for."""

    y: int
    value: int


@dataclass(frozen=True)
class Chart:
    """A whole drawing. `line_y` is where the columns start."""

    columns: list[Column]
    ticks: list[Tick]
    line_y: int
    left: int = _LEFT
    width: int = WIDTH
    height: int = HEIGHT
    label_y: int = HEIGHT - 8


def two_way(groups: Sequence[tuple[str, int, int]]) -> Chart:
    """Lay out `(label, above, below)`; both ways are drawn to one scale."""
    most = max((above for _, above, _ in groups), default=0)
    least = max((below for _, _, below in groups), default=0)
    whole = max(most + least, 1)

    def length(value: int) -> int:
        """Return the length of a value; what is there at all can be seen."""
        return max(2, value * _PLOT // whole) if value else 0

    line_y = _TOP + most * _PLOT // whole
    place = (WIDTH - _LEFT) // max(len(groups), 1)
    columns = [
        Column(
            label=label,
            x=_LEFT + number * place + place * (100 - _FILLED) // 200,
            width=place * _FILLED // 100,
            middle=_LEFT + number * place + place // 2,
            above=length(above),
            above_y=line_y - length(above),
            below=length(below),
        )
        for number, (label, above, below) in enumerate(groups)
    ]
    step = _step(whole)
    values = range(-(least // step) * step, most + 1, step)
    ticks = [Tick(line_y - value * _PLOT // whole, abs(value)) for value in values]
    return Chart(columns, ticks, line_y)


def _step(whole: int) -> int:
    """Return 1, 2 or 5 times a power of ten, of which the whole holds about four."""
    power = 1
    while True:
        for times in (1, 2, 5):
            if times * power * _TICKS >= whole:
                return times * power
        power *= 10
