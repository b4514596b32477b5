"""The nouns of a tariff document. Times of day are minutes from 0 to 1440."""

from dataclasses import dataclass
from typing import Final, Literal

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MIN: Final = 1440

Reset = Literal["session", "local_day", "band"]
IncrementMode = Literal["started", "completed", "nearest"]
RoundingMode = Literal["up", "down", "nearest"]
AppliesIf = Literal["covers_whole", "touches"]


@dataclass(frozen=True, slots=True)
class Tier:
    """A rate per hour, for progression below `upto_min`; `None` is the open end."""

    upto_min: int | None
    per_hour: int


@dataclass(frozen=True, slots=True)
class Band:
    """Priced hours. `days` are weekdays, Monday is 0; `end` before `begin` runs past midnight."""

    days: frozenset[int]
    begin: int
    end: int
    tiers: tuple[Tier, ...]
    priority: int

    @property
    def past_midnight(self) -> bool:
        """Say whether the band ends on the day after the one it belongs to."""
        return self.end < self.begin


@dataclass(frozen=True, slots=True)
class Step:
    """The total of every stay of up to `upto_min` chargeable minutes."""

    upto_min: int
    total: int


@dataclass(frozen=True, slots=True)
class WindowFlat:
    """One amount for the hours from `begin` to `end`, on every day."""

    begin: int
    end: int
    amount: int
    applies_if: AppliesIf

    @property
    def length(self) -> int:
        """Return the minutes on the clock from begin to end."""
        return self.end - self.begin + (DAY_MIN if self.end < self.begin else 0)


@dataclass(frozen=True, slots=True)
class Increment:
    """Chargeable minutes are sold in lots of `minutes`."""

    minutes: int = 1
    mode: IncrementMode = "started"

    def apply(self, minutes: int) -> int:
        """Return the minutes sold for so many chargeable ones; half a lot is nearest to a lot."""
        if self.mode == "completed":
            lots = minutes // self.minutes
        elif self.mode == "nearest":
            lots = (2 * minutes + self.minutes) // (2 * self.minutes)
        else:
            lots = -(-minutes // self.minutes)
        return lots * self.minutes


@dataclass(frozen=True, slots=True)
class Rounding:
    """Totals are whole multiples of `unit` minor units."""

    unit: int = 1
    mode: RoundingMode = "up"

    def apply(self, amount: int, denominator: int) -> int:
        """Return `amount / denominator` minor units, rounded; half a unit is nearest to a unit."""
        lot = self.unit * denominator
        if self.mode == "down":
            lots = amount // lot
        elif self.mode == "nearest":
            lots = (2 * amount + lot) // (2 * lot)
        else:
            lots = -(-amount // lot)
        return lots * self.unit


@dataclass(frozen=True, slots=True)
class TaxRule:
    """A tax rate in hundredths of a percent, inside the prices or on top of them."""

    code: str = "outside_scope"
    rate_bp: int = 0
    included: bool = True
