"""One start and its stays: which can be booked, and what each is made of."""

from __future__ import annotations

from datetime import time

from parking.pricing import Tariff
from parking.pricing.clock import stretches
from parking.pricing.parts import DAY_MIN
from parking.pricing.stay import Piece, Window, pieces_of, windows_of
from parking.stay_rules import Rules

# What the price of a stay depends on: minutes per band in order, with their day where days matter;
# and the flats that apply.
Make = tuple[tuple[tuple[int, int, int], ...], tuple[tuple[int, int], ...]]


class Walk:
    """One start and its stays: which can be booked, and what each is made of."""

    def __init__(self, tariff: Tariff, rules: Rules, start: int, lengths: range) -> None:
        self.tariff, self.start, self.end = tariff, start, start + lengths[-1]
        self.bookable = _bookable(rules, start, lengths)
        self.by_day = days_matter(tariff)
        self.pieces: dict[tuple[Window, ...], list[Piece]] = {}
        self.windows = windows_of(tariff, start, self.end) if tariff.window_flats else []
        around = stretches(tariff.time_zone, start - 2 * DAY_MIN, self.end + 2 * DAY_MIN)
        self.clocks_change = len(around) > 1

    def make(self, length: int) -> Make:
        """Return what the stay of so many minutes is made of."""
        end = self.start + length
        windows = self._windows_until(end) if self.windows else ()
        pieces = self.pieces.get(windows)
        if pieces is None:
            pieces = pieces_of(self.tariff, self.start, self.end, list(windows))
            self.pieces[windows] = pieces
        first_day = pieces[0].day
        flats = tuple(
            (window.flat, window.day - first_day if self.by_day else 0) for window in windows
        )
        return _minutes_by_band(pieces, end, self.by_day), flats

    def _windows_until(self, end: int) -> tuple[Window, ...]:
        """Return the windows that apply to a stay until `end`; their `minutes` are not filled."""
        if self.clocks_change:  # a window can then have a hole
            found = windows_of(self.tariff, self.start, end)
            return tuple(window._replace(minutes=0) for window in found)
        flats = self.tariff.window_flats
        return tuple(
            window._replace(minutes=0)
            for window in self.windows
            if (window.begin < end and flats[window.flat].applies_if == "touches")
            or window.end <= end
        )


def days_matter(tariff: Tariff) -> bool:
    """Say whether it matters on which day of a stay a minute falls."""
    return tariff.cap_per_local_day is not None or tariff.progression_reset == "local_day"


def _minutes_by_band(
    pieces: list[Piece], end: int, by_day: bool
) -> tuple[tuple[int, int, int], ...]:
    """Count the chargeable minutes before `end`, as (band, day from the first, minutes)."""
    runs: list[tuple[int, int, int]] = []
    for piece in pieces:
        if piece.begin >= end:
            break
        if piece.band < 0:
            continue
        minutes = min(piece.end, end) - piece.begin
        day = piece.day - pieces[0].day if by_day else 0
        if runs and runs[-1][:2] == (piece.band, day):
            minutes += runs.pop()[2]
        runs.append((piece.band, day, minutes))
    return tuple(runs)


def _bookable(rules: Rules, start: int, lengths: range) -> set[int]:
    """Return the lengths that end on the grid, within the bookable hours."""
    zone = str(rules.time_zone)
    clock = stretches(zone, start, start + lengths[-1] + 1)
    local = start + clock[0][2]
    opens, closes = _hours(rules, local)
    if opens is not None and local < opens:
        return set()
    found = set()
    for first, last, offset in clock:
        for length in lengths:
            end = start + length
            if not first <= end < last or (end + offset) % rules.slot_step_min:
                continue
            if closes is None or end + offset <= closes:
                found.add(length)
    return found


def _hours(rules: Rules, local: int) -> tuple[int | None, int | None]:
    """Return from when to when a stay that starts at the local minute can be booked."""
    if rules.bookable_from is None or rules.bookable_to is None:
        return None, None
    midnight = local // DAY_MIN * DAY_MIN
    opens = midnight + _of_day(rules.bookable_from)
    closes = midnight + _of_day(rules.bookable_to)
    if closes <= opens:  # open past midnight
        if local < closes:
            opens -= DAY_MIN
        else:
            closes += DAY_MIN
    return opens, closes


def _of_day(clock: time) -> int:
    return clock.hour * 60 + clock.minute
