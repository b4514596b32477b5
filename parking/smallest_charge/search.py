"""Walk all starts together, and price what has not been met yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from parking.pricing import QuoteError, Tariff, quote
from parking.pricing.clock import moment_of
from parking.smallest_charge.walk import Make, Walk

QUOTES_AT_MOST = 15_000  # a second or so


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


class Search:
    """Walk all starts together, from short stays to long ones."""

    def __init__(self, tariff: Tariff, minimum: int, longest: int) -> None:
        self.tariff, self.minimum, self.longest = tariff, minimum, longest
        self.classes = _priced_classes(tariff)
        self.numbers: dict[Make, int] = {}
        self.totals: list[tuple[int, ...] | None] = []  # by number; None is not sold
        self.steps: set[tuple[int, int]] = set()
        self.found: dict[tuple[int | None, bool, str | None], Finding] = {}

    def through(self, walks: list[Walk], lengths: range) -> Answer:
        """Look at every stay, as far as there is time."""
        before: list[tuple[int, int] | None] = [None] * len(walks)
        upto = 0
        for upto in lengths:
            for index, walk in enumerate(walks):
                if upto in walk.bookable:
                    before[index] = self._look(walk, upto, before[index])
            if len(self.totals) * len(self.classes) > QUOTES_AT_MOST:
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

    def _look(self, walk: Walk, length: int, before: tuple[int, int] | None) -> tuple[int, int]:
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
        walk: Walk,
        minutes: int,
        longer_min: int | None,
        make: Make,
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


def _priced_classes(tariff: Tariff) -> list[str | None]:
    """Return one class of each share of the price; without a fee, a share of nothing is free."""
    shares: dict[int, str | None] = {100: None}
    for name, share in sorted(tariff.vehicle_classes.items()):
        if share or tariff.fixed_fee:
            shares.setdefault(share, name)
    return list(shares.values())
