"""A tariff version: one immutable document, checked once and known by its hash."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Self
from zoneinfo import ZoneInfo

from parking.pricing.document import Terms, read_document
from parking.pricing.parts import (
    Band,
    Increment,
    Reset,
    Rounding,
    Step,
    TaxRule,
    WindowFlat,
)
from parking.pricing.week import DayPlan, week_plans, weekday


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tariff:
    """The prices of a zone. Two tariffs are equal when their documents are.

    Amounts are minor units of `currency`, lengths are minutes, `vehicle_classes` are percent,
    `holidays` are days from 1970-01-01.
    """

    sha256: str
    canonical: str = field(repr=False)
    currency: str
    time_zone: str
    zone: ZoneInfo = field(repr=False)
    holidays: Mapping[int, str]
    holiday_behaves_like: int | None
    bands: tuple[Band, ...]
    ladder: tuple[Step, ...]
    window_flats: tuple[WindowFlat, ...]
    progression_reset: Reset
    free_first_min: int
    free_if_leq_min: int
    increment: Increment
    min_charge: int
    max_charge: int | None
    cap_per_local_day: int | None
    fixed_fee: int
    vehicle_classes: Mapping[str, int]
    tax: TaxRule
    rounding: Rounding
    plans: tuple[DayPlan, ...] = field(repr=False)

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """Read a tariff document.

        Raises:
            TariffError: with the path of every wrong key.
        """
        terms: Terms = read_document(document)
        canonical = json.dumps(
            _plain(document), sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        return cls(
            sha256=hashlib.sha256(canonical.encode()).hexdigest(),
            canonical=canonical,
            currency=terms.currency,
            time_zone=terms.time_zone,
            zone=ZoneInfo(terms.time_zone),
            holidays=MappingProxyType(dict(terms.holidays)),
            holiday_behaves_like=terms.holiday_behaves_like,
            bands=terms.bands,
            ladder=terms.ladder,
            window_flats=terms.window_flats,
            progression_reset=terms.progression_reset,
            free_first_min=terms.free_first_min,
            free_if_leq_min=terms.free_if_leq_min,
            increment=terms.increment,
            min_charge=terms.min_charge,
            max_charge=terms.max_charge,
            cap_per_local_day=terms.cap_per_local_day,
            fixed_fee=terms.fixed_fee,
            vehicle_classes=MappingProxyType(dict(terms.vehicle_classes)),
            tax=terms.tax,
            rounding=terms.rounding,
            plans=week_plans(terms.bands),
        )

    def __eq__(self, other: object) -> bool:
        return self.sha256 == other.sha256 if isinstance(other, Tariff) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.sha256)

    @property
    def document(self) -> dict[str, Any]:
        """Return a fresh copy of the document as it was approved."""
        copy: dict[str, Any] = json.loads(self.canonical)
        return copy

    def kind_of(self, day: int) -> int:
        """Return the weekday that a day, counted from 1970-01-01, is priced as."""
        if self.holiday_behaves_like is not None and day in self.holidays:
            return self.holiday_behaves_like
        return weekday(day)

    def plan_of(self, day: int) -> DayPlan:
        """Return which band holds which part of the day."""
        return self.plans[7 * self.kind_of(day - 1) + self.kind_of(day)]


def _plain(value: Any) -> Any:
    """Turn any mapping or sequence into what JSON knows."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
