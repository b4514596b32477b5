"""Is any stay, or any step by which one is extended, too cheap to be paid? Pure.

A processor charges nothing below its minimum. A price that is neither free nor as much as that
cannot be paid, and an extension that cannot be paid is a fine.

Every start on the zone's grid is looked at, on every day of the two years after `since` and around
every later holiday of the tariff, with every length that the rules allow. What a stay costs depends
on few things: how many minutes it has in which band, one after the other; on which of its days they
fall, where the tariff caps days or begins again with them; which flats apply. Stays that are alike
in these are priced once, by the engine. Where that is still too much, the longest stays are left
out, and `Answer.upto_min` says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time

from parking.pricing import QuoteError, Tariff, quote
from parking.pricing.clock import moment_of, stretches
from parking.pricing.parts import DAY_MIN
from parking.pricing.stay import Piece, Window, pieces_of, windows_of
from parking.pricing.week import day_number
from parking.stay_rules import Rules

_HORIZON_MIN = DAY_MIN  # longer stays have the same hours again
_STAYS_AT_MOST = 400_000  # looked at: a second or so
_QUOTES_AT_MOST = 15_000  # priced: likewise

# What the price of a stay depends on: minutes per band in order, with their day where days matter;
# and the flats that apply.
_Make = tuple[tuple[tuple[int, int, int], ...], tuple[tuple[int, int], ...]]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A stay that cannot be paid: `amount` minor units for `minutes`, from `start`.

    With `longer_min` it is the step from `minutes` to so many that costs `amount`. `band` is the
    band of the tariff in which the stay or the step ends, or None where flats alone are charged.
    """

    start: datetime
    minutes: int
    longer_min: int | None
    amount: int
    vehicle_class: str | None
    band: int | None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The findings: of each band the shortest stay and the first step; what was looked at.

    Stays of up to `upto_min` minutes were looked at, of the `longest_min` that can be booked.
    """

    findings: tuple[Finding, ...]
    upto_min: int
    longest_min: int


def smallest_charge(
    *, tariff: Tariff, rules: Rules, minimum: int, since: datetime, days: int = 731
) -> Answer:
    """Find what costs something, but less than `minimum` minor units.

    `since` is the moment, aware, from which the tariff holds; its day is the first of `days`. Rules
    and tariff are of one time zone.
    """
    step = rules.slot_step_min
    shortest = -(-rules.shortest_stay_min // step) * step
    longest = rules.longest_stay_min
    if minimum <= 1 or shortest > longest:
        return Answer(findings=(), upto_min=longest, longest_min=longest)
    horizon = min(longest, max(shortest + step, _HORIZON_MIN))
    first = day_number(since.astimezone(tariff.zone).date())
    starts = list(_different_starts(tariff, rules, horizon, range(first, first + days)))
    lengths = range(shortest, horizon + 1, step)
    lengths = lengths[: max(2, _STAYS_AT_MOST // len(starts))]
    walks = [_Walk(tariff, rules, start, lengths) for start in starts]
    return _Search(tariff, minimum, longest).through(walks, lengths)


class _Search:
    """Walk all starts together, from short stays to long ones."""

    def __init__(self, tariff: Tariff, minimum: int, longest: int) -> None:
        self.tariff, self.minimum, self.longest = tariff, minimum, longest
        self.classes = _priced_classes(tariff)
        self.numbers: dict[_Make, int] = {}
        self.totals: list[tuple[int, ...] | None] = []  # by number; None is not sold
        self.steps: set[tuple[int, int]] = set()
        self.found: dict[tuple[int | None, bool, str | None], Finding] = {}

    def through(self, walks: list[_Walk], lengths: range) -> Answer:
        """Look at every stay, as far as there is time."""
        before: list[tuple[int, int] | None] = [None] * len(walks)
        upto = 0
        for upto in lengths:
            for index, walk in enumerate(walks):
                if upto in walk.bookable:
                    before[index] = self._look(walk, upto, before[index])
            if len(self.totals) * len(self.classes) > _QUOTES_AT_MOST:
                break
        whole = upto + lengths.step > self.longest
        findings = sorted(
            self.found.values(), key=lambda one: (one.longer_min is not None, one.minutes)
        )
        return Answer(
            findings=tuple(findings),
            upto_min=self.longest if whole else upto,
            longest_min=self.longest,
        )

    def _look(self, walk: _Walk, length: int, before: tuple[int, int] | None) -> tuple[int, int]:
        """Price a stay, and compare it with the next shorter one; return its length and number."""
        make = walk.make(length)
        number = self.numbers.get(make)
        if number is None:
            number = self.numbers[make] = len(self.totals)
            self.totals.append(self._price(walk.start, length))
            self._note(walk, length, None, make, self.totals[number], ())
        if before is not None and (before[1], number) not in self.steps:
            self.steps.add((before[1], number))
            shorter = self.totals[before[1]]
            if shorter is not None:
                self._note(walk, before[0], length, make, self.totals[number], shorter)
        return length, number

    def _price(self, start: int, length: int) -> tuple[int, ...] | None:
        """Ask the engine what the stay costs for each class."""
        begin, end = moment_of(start), moment_of(start + length)
        try:
            return tuple(
                quote(tariff=self.tariff, start=begin, end=end, vehicle_class=one).total
                for one in self.classes
            )
        except QuoteError:  # beyond the ladder
            return None

    def _note(
        self,
        walk: _Walk,
        minutes: int,
        longer_min: int | None,
        make: _Make,
        totals: tuple[int, ...] | None,
        paid: tuple[int, ...],
    ) -> None:
        """Keep what is to pay, less what is paid, where it is too little."""
        if totals is None:
            return
        paid = paid or (0,) * len(totals)
        band = make[0][-1][0] if make[0] and self.tariff.bands else None
        for vehicle_class, total, less in zip(self.classes, totals, paid, strict=True):
            if 0 < total - less < self.minimum:
                finding = Finding(
                    start=moment_of(walk.start),
                    minutes=minutes,
                    longer_min=longer_min,
                    amount=total - less,
                    vehicle_class=vehicle_class,
                    band=band,
                )
                self.found.setdefault((band, longer_min is not None, vehicle_class), finding)


class _Walk:
    """One start and its stays: which can be booked, and what each is made of."""

    def __init__(self, tariff: Tariff, rules: Rules, start: int, lengths: range) -> None:
        self.tariff, self.start, self.end = tariff, start, start + lengths[-1]
        self.bookable = _bookable(rules, start, lengths)
        self.by_day = _days_matter(tariff)
        self.pieces: dict[tuple[Window, ...], list[Piece]] = {}
        self.windows = windows_of(tariff, start, self.end) if tariff.window_flats else []
        around = stretches(tariff.time_zone, start - 2 * DAY_MIN, self.end + 2 * DAY_MIN)
        self.clocks_change = len(around) > 1

    def make(self, length: int) -> _Make:
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


def _days_matter(tariff: Tariff) -> bool:
    return tariff.cap_per_local_day is not None or tariff.progression_reset == "local_day"


def _priced_classes(tariff: Tariff) -> list[str | None]:
    """Return one class of each share of the price; without a fee, a share of nothing is free."""
    shares: dict[int, str | None] = {100: None}
    for name, share in sorted(tariff.vehicle_classes.items()):
        if share or tariff.fixed_fee:
            shares.setdefault(share, name)
    return list(shares.values())


def _different_starts(tariff: Tariff, rules: Rules, horizon: int, days: range) -> Iterator[int]:
    """Yield starts, counted in minutes, of which no two have all their stays alike."""
    known: set[object] = set()
    known_days: set[object] = set()
    step = rules.slot_step_min
    reach = horizon // DAY_MIN + 2
    for day in _days(tariff, reach, days):
        begin = day * DAY_MIN
        clock = stretches(tariff.time_zone, begin - 2 * DAY_MIN, begin + (reach + 1) * DAY_MIN)
        alike = (
            tuple(tariff.plan_of(day + more) for more in range(reach)),
            tuple((first - begin, last - begin, offset) for first, last, offset in clock),
        )
        if alike in known_days:
            continue
        known_days.add(alike)
        for first, last, offset in clock:
            low, high = max(first + offset, begin), min(last + offset, begin + DAY_MIN)
            for local in range(-(-low // step) * step, high, step):
                start = local - offset
                sign = _sign(tariff, rules, start, horizon, local)
                if sign not in known:
                    known.add(sign)
                    yield start


def _days(tariff: Tariff, reach: int, days: range) -> list[int]:
    """Return the days, counted from 1970-01-01, on which stays can differ from all others."""
    near = {day for holiday in tariff.holidays for day in range(holiday - reach, holiday + 2)}
    return sorted({*days, *(day for day in near if day >= days.start)})


def _sign(tariff: Tariff, rules: Rules, start: int, horizon: int, local: int) -> object:
    """Return what tells the stays of one start from those of another."""
    clock_matters = tariff.window_flats or rules.bookable_from is not None
    by_day = _days_matter(tariff)
    pieces = pieces_of(tariff, start, start + horizon)
    zero = pieces[0]
    parts: list[tuple[int, int, int, int]] = []
    for piece in pieces:
        day = piece.day - zero.day if by_day else 0
        part = (piece.end - start, piece.band, day, piece.offset - zero.offset)
        if parts and parts[-1][1:] == part[1:]:
            parts.pop()
        parts.append(part)
    return local % DAY_MIN if clock_matters else 0, tuple(parts)


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
