"""Add up a price exactly, and remember how, until the one rounding.

Values are whole numbers of 1/6000 of a minor unit: a minute at a whole rate per hour is a multiple
of 1/60, and a whole percentage of that is a multiple of 1/6000. So nothing is ever lost, without
the cost of fractions.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from parking.pricing.clock import local_text
from parking.pricing.explanation import Line

PER_UNIT: Final = 6000
PER_MINUTE: Final = PER_UNIT // 60


@dataclass(slots=True)
class Span:
    """Minutes on end, `[begin, end)`, that one reason prices alike; day is None where any is."""

    kind: str
    reason: str
    begin: int
    end: int
    begin_offset: int
    end_offset: int
    day: int | None
    band: int
    tier: int
    per_hour: int


@dataclass(slots=True)
class Bill:
    """The lines of a price so far, their exact sum, and what of it falls on which day."""

    currency: str
    by_day: bool
    value: int = 0
    shown: int = 0
    lines: list[Line] = field(default_factory=list)
    day_values: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    spans: list[Span] = field(default_factory=list)

    def span(
        self,
        kind: str,
        reason: str,
        stretch: tuple[int, int, int],
        day: int,
        band: int = -1,
        tier: int = 0,
        per_hour: int = 0,
    ) -> None:
        """Note priced or free minutes `(begin, end, offset)`; go on with the span before if alike.

        Days stay apart where the tariff caps them.
        """
        begin, end, offset = stretch
        own_day = day if self.by_day and kind == "band" else None
        if self.spans:
            last = self.spans[-1]
            if (
                last.end == begin
                and last.kind == kind
                and last.reason == reason
                and last.band == band
                and last.tier == tier
                and last.per_hour == per_hour
                and last.day == own_day
            ):
                last.end, last.end_offset = end, offset
                return
        self.spans.append(
            Span(kind, reason, begin, end, offset, offset, own_day, band, tier, per_hour)
        )

    def write_spans(self, limits: Mapping[str, int]) -> None:
        """Turn the noted minutes into lines; `limits` are the lengths of what is free."""
        for span in self.spans:
            minutes = span.end - span.begin
            data: dict[str, str | int]
            if span.kind == "band":
                data = {"band": span.band, "tier": span.tier}
            else:
                data = {"reason": span.reason}
                if span.reason in limits:
                    data["limit_min"] = limits[span.reason]
            self.add(
                span.kind,
                minutes * span.per_hour * PER_MINUTE,
                day=span.day,
                minutes=minutes,
                period=(span.begin, span.begin_offset, span.end, span.end_offset),
                per_hour=span.per_hour if span.kind == "band" else None,
                data=data,
            )

    def add(
        self,
        kind: str,
        value: int,
        *,
        day: int | None = None,
        minutes: int | None = None,
        period: tuple[int, int, int, int] | None = None,
        per_hour: int | None = None,
        data: Mapping[str, str | int] | None = None,
    ) -> None:
        """Write a line of an exact value; with `day`, it counts towards the cap of that day.

        `period` is begin, its offset, end, its offset.
        """
        self.value += value
        if day is not None:
            self.day_values[day] += value
        now_shown = (2 * self.value + PER_UNIT) // (2 * PER_UNIT)
        begins = ends = None
        if period is not None:
            begins, ends = local_text(period[0], period[1]), local_text(period[2], period[3])
        self.lines.append(
            Line(
                kind,
                now_shown - self.shown,
                self.currency,
                str(Fraction(value, PER_UNIT)) if value % PER_UNIT else None,
                minutes,
                begins,
                ends,
                per_hour,
                data or {},
            )
        )
        self.shown = now_shown
