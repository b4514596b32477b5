"""Read a tariff document whole, or refuse it with the path of every wrong key."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Final, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from parking.money import UnknownCurrency, exponent
from parking.pricing.errors import TariffError
from parking.pricing.parts import (
    DAYS,
    AppliesIf,
    Band,
    Increment,
    IncrementMode,
    Reset,
    Rounding,
    RoundingMode,
    Step,
    TaxRule,
    Tier,
    WindowFlat,
)
from parking.pricing.reading import Notes
from parking.pricing.week import day_number, overlaps

_LONGEST_MIN: Final = 60 * 24 * 366
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a document says: its keys are these. Days of `holidays` are counted from 1970-01-01."""

    currency: str
    time_zone: str
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


def read_document(document: object) -> Terms:
    """Read every key; a key that is `null` counts as left out.

    Raises:
        TariffError: with every wrong key, in the order of the document.
    """
    notes = Notes()
    given = notes.mapping(document, "", [key.name for key in fields(Terms)])
    if notes.errors and not given:
        raise TariffError(notes.errors)
    values = {key: value for key, value in given.items() if value is not None}
    if "bands" not in values and "ladder" not in values:
        notes.add("bands", "is missing; a tariff has bands or a ladder")
    behaves_like = values.get("holiday_behaves_like")
    max_charge, cap = values.get("max_charge"), values.get("cap_per_local_day")
    has_ladder = "ladder" in values
    terms = Terms(
        currency=_currency(values.get("currency"), notes),
        time_zone=_time_zone(values.get("time_zone"), notes),
        holidays=_holidays(values.get("holidays", {}), notes),
        holiday_behaves_like=(
            None if behaves_like is None else _day(behaves_like, "holiday_behaves_like", notes)
        ),
        bands=_bands(values["bands"], has_ladder, notes) if "bands" in values else (),
        ladder=_ladder(values["ladder"], notes) if has_ladder else (),
        window_flats=_flats(values.get("window_flats", ()), notes),
        progression_reset=notes.choice(
            values.get("progression_reset", "session"), "progression_reset", get_args(Reset)
        ),
        free_first_min=notes.whole(
            values.get("free_first_min", 0), "free_first_min", high=_LONGEST_MIN
        ),
        free_if_leq_min=notes.whole(
            values.get("free_if_leq_min", 0), "free_if_leq_min", high=_LONGEST_MIN
        ),
        increment=_increment(values.get("increment", {}), notes),
        min_charge=notes.whole(values.get("min_charge", 0), "min_charge"),
        max_charge=None if max_charge is None else notes.whole(max_charge, "max_charge"),
        cap_per_local_day=None if cap is None else notes.whole(cap, "cap_per_local_day"),
        fixed_fee=notes.whole(values.get("fixed_fee", 0), "fixed_fee"),
        vehicle_classes=_classes(values.get("vehicle_classes", {}), notes),
        tax=_tax(values.get("tax", {}), notes),
        rounding=_rounding(values.get("rounding", {}), notes),
    )
    if not notes.errors:
        _refuse_overlaps(terms, notes)
    if notes.errors:
        raise TariffError(notes.errors)
    return terms


def _currency(value: object, notes: Notes) -> str:
    if value is None:
        notes.add("currency", "is missing")
        return ""
    try:
        exponent(value)  # type: ignore[arg-type]  # a wrong type is an unknown currency
    except UnknownCurrency as error:
        notes.add("currency", str(error))
    return str(value)


def _time_zone(value: object, notes: Notes) -> str:
    if value is None:
        notes.add("time_zone", "is missing")
        return ""
    try:
        return ZoneInfo(value).key  # type: ignore[arg-type]  # refused below
    except (ZoneInfoNotFoundError, ValueError, TypeError, AttributeError, OSError):
        notes.add("time_zone", f"{value!r} is not a time zone such as Europe/Helsinki")
        return ""


def _day(value: object, path: str, notes: Notes) -> int:
    return DAYS.index(notes.choice(value, path, DAYS))


def _holidays(value: object, notes: Notes) -> Mapping[int, str]:
    if not isinstance(value, Mapping):
        notes.add("holidays", "must be an object of dates and names")
        return {}
    found = {}
    for key, name in value.items():
        path = f"holidays.{key}"
        try:
            if not isinstance(key, str) or not _DATE.fullmatch(key):
                raise ValueError
            day = date.fromisoformat(key)
        except ValueError:
            notes.add(path, "is not a date such as 2026-12-25")
        else:
            found[day_number(day)] = notes.text(name, path)
    return found


def _bands(value: object, has_ladder: bool, notes: Notes) -> tuple[Band, ...]:
    def read(item: object, path: str) -> Band:
        # With a ladder, bands only say which minutes count.
        needed = ("days", "from", "to") if has_ladder else ("days", "from", "to", "tiers")
        known = ("days", "from", "to", "tiers", "priority")
        band = notes.mapping(item, path, known, needed)
        begin, end = notes.hours(band, path)
        days: tuple[int, ...] = ()
        if "days" in band:
            days = notes.items(band["days"], f"{path}.days", lambda day, at: _day(day, at, notes))
        if not notes.errors and len(set(days)) < len(days):
            notes.add(f"{path}.days", "must not name a day twice")
        tiers: tuple[Tier, ...] = (Tier(None, 0),)
        if "tiers" in band:
            tiers = _tiers(band["tiers"], f"{path}.tiers", notes)
        priority = notes.whole(
            band.get("priority", 0), f"{path}.priority", low=-1_000_000, high=1_000_000
        )
        return Band(frozenset(days), begin, end, tiers, priority)

    return notes.items(value, "bands", read)


def _tiers(value: object, path: str, notes: Notes) -> tuple[Tier, ...]:
    def read(item: object, at: str) -> Tier:
        tier = notes.mapping(item, at, ("upto_min", "per_hour"), ("per_hour",))
        upto = tier.get("upto_min")
        return Tier(
            None if upto is None else notes.whole(upto, f"{at}.upto_min", low=1),
            notes.whole(tier.get("per_hour", 0), f"{at}.per_hour"),
        )

    tiers = notes.items(value, path, read)
    for index, tier in enumerate(tiers[:-1]):
        if tier.upto_min is None:
            notes.add(f"{path}[{index}].upto_min", "is missing; only the last tier is open")
    if tiers and tiers[-1].upto_min is not None:
        notes.add(f"{path}[{len(tiers) - 1}].upto_min", "must be left out: the last tier is open")
    if all(tier.upto_min is not None for tier in tiers[:-1]):
        notes.rising((tier.upto_min or 0 for tier in tiers[:-1]), path)
    return tiers


def _ladder(value: object, notes: Notes) -> tuple[Step, ...]:
    def read(item: object, path: str) -> Step:
        step = notes.mapping(item, path, ("upto_min", "total"), ("upto_min", "total"))
        return Step(
            notes.whole(step.get("upto_min", 1), f"{path}.upto_min", low=1),
            notes.whole(step.get("total", 0), f"{path}.total"),
        )

    steps = notes.items(value, "ladder", read)
    if not notes.errors:
        notes.rising((step.upto_min for step in steps), "ladder")
        for index in range(1, len(steps)):
            if steps[index].total < steps[index - 1].total:
                notes.add(f"ladder[{index}].total", "must not be less than the step before")
    return steps


def _flats(value: object, notes: Notes) -> tuple[WindowFlat, ...]:
    keys = ("from", "to", "amount", "applies_if")

    def read(item: object, path: str) -> WindowFlat:
        flat = notes.mapping(item, path, keys, keys)
        begin, end = notes.hours(flat, path)
        amount = notes.whole(flat.get("amount", 0), f"{path}.amount")
        applies = flat.get("applies_if", "covers_whole")
        choices: tuple[AppliesIf, ...] = get_args(AppliesIf)
        return WindowFlat(begin, end, amount, notes.choice(applies, f"{path}.applies_if", choices))

    return notes.items(value, "window_flats", read, empty=True)


def _increment(value: object, notes: Notes) -> Increment:
    given = notes.mapping(value, "increment", ("minutes", "mode"))
    choices: tuple[IncrementMode, ...] = get_args(IncrementMode)
    return Increment(
        notes.whole(given.get("minutes", 1), "increment.minutes", low=1, high=_LONGEST_MIN),
        notes.choice(given.get("mode", "started"), "increment.mode", choices),
    )


def _rounding(value: object, notes: Notes) -> Rounding:
    given = notes.mapping(value, "rounding", ("unit", "mode"))
    choices: tuple[RoundingMode, ...] = get_args(RoundingMode)
    return Rounding(
        notes.whole(given.get("unit", 1), "rounding.unit", low=1),
        notes.choice(given.get("mode", "up"), "rounding.mode", choices),
    )


def _classes(value: object, notes: Notes) -> Mapping[str, int]:
    if not isinstance(value, Mapping):
        notes.add("vehicle_classes", "must be an object of classes")
        return {}
    found = {}
    for name, rule in value.items():
        path = f"vehicle_classes.{name}"
        notes.text(name, path)
        given = notes.mapping(rule, path, ("percent",), ("percent",))
        found[name] = notes.whole(given.get("percent", 0), f"{path}.percent", high=1000)
    return found


def _tax(value: object, notes: Notes) -> TaxRule:
    given = notes.mapping(value, "tax", ("code", "rate_bp", "included"))
    included = given.get("included", True)
    if not isinstance(included, bool):
        notes.add("tax.included", "must be true or false")
    return TaxRule(
        notes.text(given.get("code", "outside_scope"), "tax.code"),
        notes.whole(given.get("rate_bp", 0), "tax.rate_bp", high=10_000),
        included is True,
    )


def _refuse_overlaps(terms: Terms, notes: Notes) -> None:
    holidays = terms.holidays if terms.holiday_behaves_like is not None else {}
    for first, second, where in overlaps(terms.bands, holidays, terms.holiday_behaves_like or 0):
        notes.add(
            f"bands[{second}]",
            f"overlaps bands[{first}] on {where}; give one of them another priority",
        )
