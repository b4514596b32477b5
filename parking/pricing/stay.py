"""Cut a stay into pieces that are alike: one local day, one offset, one band."""

from bisect import bisect_right
from typing import Final, NamedTuple

from parking.pricing.clock import Stretch, stretches
from parking.pricing.parts import DAY_MIN
from parking.pricing.tariff import Tariff

# Holds the place of a band in pieces that a flat has paid.
IN_WINDOW: Final = -2
# A window lasts a day at most; the rest is for clocks that change inside it.
_REACH: Final = 2 * DAY_MIN


class Piece(NamedTuple):
    """Minutes `[begin, end)` of one local day in one band, in a window or outside of all."""

    begin: int
    end: int
    offset: int
    day: int
    band: int


class Window(NamedTuple):
    """A flat that applies once. `local_*` count minutes of the local clock, `begin` UTC ones.

    `minutes` is how much of the stay lies inside; `day` is the one on which the window begins.
    """

    flat: int
    day: int
    local_begin: int
    local_end: int
    begin: int
    end: int
    begin_offset: int
    end_offset: int
    minutes: int


def pieces_of(
    tariff: Tariff, start: int, end: int, windows: list[Window] | None = None
) -> list[Piece]:
    """Return the pieces of `[start, end)` in order, cut at band edges, midnights and clock changes.

    Minutes inside one of `windows` are no longer in a band.
    """
    found: list[Piece] = []
    for first, last, offset in stretches(tariff.time_zone, start, end):
        local, stop = first + offset, last + offset
        while local < stop:
            day, minute = divmod(local, DAY_MIN)
            midnight = day * DAY_MIN
            for edge, band in tariff.plan_of(day):
                if edge <= minute:
                    continue
                upto = min(midnight + edge, stop)
                found.append(Piece(local - offset, upto - offset, offset, day, band))
                local = upto
                if upto == stop:
                    break
                minute = edge
    return _without_windows(found, windows) if windows else found


def windows_of(tariff: Tariff, start: int, end: int) -> list[Window]:
    """Return the windows whose flat applies to the stay, in order of day and document."""
    around = stretches(tariff.time_zone, start - _REACH, end + _REACH)
    inside = [part for part in around if part[1] > start and part[0] < end]
    first = min((max(begin, start) + offset) // DAY_MIN for begin, _, offset in inside) - 1
    last = max((min(stop, end) - 1 + offset) // DAY_MIN for _, stop, offset in inside)
    found = []
    for day in range(first, last + 1):
        for index, flat in enumerate(tariff.window_flats):
            local_begin = day * DAY_MIN + flat.begin
            window = _window(
                index, day, local_begin, local_begin + flat.length, around, (start, end)
            )
            if window is None:
                continue
            covered = start <= window.begin and window.end <= end
            if covered or flat.applies_if == "touches":
                found.append(window)
    return found


def _window(
    flat: int,
    day: int,
    local_begin: int,
    local_end: int,
    around: list[Stretch],
    stay: tuple[int, int],
) -> Window | None:
    """Return the window with its real minutes, unless it has none in the stay.

    On the night when the clocks go back it can have a hole: it then runs from its first real
    minute to its last.
    """
    parts = [
        (max(begin, local_begin - offset), min(end, local_end - offset), offset)
        for begin, end, offset in around
        if max(begin, local_begin - offset) < min(end, local_end - offset)
    ]
    start, stop = stay
    minutes = sum(max(0, min(end, stop) - max(begin, start)) for begin, end, _ in parts)
    if not minutes:
        return None
    return Window(
        flat=flat,
        day=day,
        local_begin=local_begin,
        local_end=local_end,
        begin=parts[0][0],
        end=parts[-1][1],
        begin_offset=parts[0][2],
        end_offset=parts[-1][2],
        minutes=minutes,
    )


def _without_windows(pieces: list[Piece], windows: list[Window]) -> list[Piece]:
    """Take what lies inside a window out of its band."""
    cuts = _joined(windows)
    ends = [local_end for _, local_end in cuts]
    found: list[Piece] = []
    for piece in pieces:
        offset = piece.offset
        at = piece.begin
        for local_begin, local_end in cuts[bisect_right(ends, at + offset) :]:
            begin, end = max(at, local_begin - offset), min(piece.end, local_end - offset)
            if begin >= end:
                break
            if at < begin:
                found.append(piece._replace(begin=at, end=begin))
            found.append(piece._replace(begin=begin, end=end, band=IN_WINDOW))
            at = end
        if at < piece.end:
            found.append(piece._replace(begin=at))
    return found


def _joined(windows: list[Window]) -> list[tuple[int, int]]:
    """Return the local minutes inside any window as disjoint intervals in order."""
    cuts: list[tuple[int, int]] = []
    for begin, end in sorted((window.local_begin, window.local_end) for window in windows):
        if cuts and begin <= cuts[-1][1]:
            cuts[-1] = (cuts[-1][0], max(end, cuts[-1][1]))
        else:
            cuts.append((begin, end))
    return cuts
