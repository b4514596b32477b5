"""What differs between two tariffs, in sentences ordered as people explain a tariff. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from parking.formatting import day, duration, listed, money, number, percent
from parking.price_words import class_words
from parking.pricing import Tariff
from parking.pricing.parts import Band, Step, WindowFlat
from parking.pricing.week import clock_text
from parking.tariff_words import days_words, rate_words

_EPOCH = date(1970, 1, 1)
_WORDS = {
    "session": gettext_lazy("never within a stay"),
    "local_day": gettext_lazy("at midnight"),
    "band": gettext_lazy("when the hours change"),
    "started": gettext_lazy("a step that was begun counts"),
    "completed": gettext_lazy("only whole steps count"),
    "nearest": gettext_lazy("to the nearest"),
    "up": gettext_lazy("up"),
    "down": gettext_lazy("down"),
    "covers_whole": gettext_lazy("for stays over all of it"),
    "touches": gettext_lazy("for any stay within it"),
}


def differences(old: Tariff, new: Tariff) -> list[str]:
    """Return a sentence for each difference; one that says so where there is none."""
    if old.sha256 == new.sha256:
        return [_("Nothing differs: both are the same document.")]
    said = [
        *_changed(_("Currency"), old.currency, new.currency),
        *_changed(_("Time zone"), old.time_zone, new.time_zone),
        *_bands(old, new),
        *_ladder(old, new),
        *_flats(old, new),
        *_progression(old, new),
        *_lengths(old, new),
        *_increment(old, new),
        *_amounts(old, new),
        *_classes(old, new),
        *_tax(old, new),
        *_rounding(old, new),
        *_holidays(old, new),
    ]
    return said or [_("The prices are the same; the document is only written differently.")]


def _changed(name: str, before: str, after: str) -> Iterator[str]:
    if before != after:
        yield _("%(what)s: %(before)s → %(after)s") % {
            "what": name,
            "before": before,
            "after": after,
        }


def _bands(old: Tariff, new: Tariff) -> Iterator[str]:
    """Pair bands by what they share, the most alike first; the rest is new or gone."""
    before, after = list(old.bands), list(new.bands)
    said: list[tuple[tuple[int, int], str]] = []
    for alike in _LIKENESS:
        for band in list(before):
            twin = next((other for other in after if alike(band, other)), None)
            if twin is None:
                continue
            before.remove(band)
            after.remove(twin)
            said += [(_place(twin), text) for text in _moved(band, twin, old, new)]
    said += [(_place(band), _("New: %(band)s") % {"band": _whole(band, new)}) for band in after]
    said += [
        (_place(band), _("No longer: %(band)s") % {"band": _whole(band, old)}) for band in before
    ]
    for _where, text in sorted(said, key=lambda one: one[0]):
        yield text


_LIKENESS: tuple[Callable[[Band, Band], bool], ...] = (
    lambda one, two: one == two,
    lambda one, two: (
        (one.days, one.begin, one.end, one.priority) == (two.days, two.begin, two.end, two.priority)
    ),
    lambda one, two: (one.days, one.begin, one.end) == (two.days, two.begin, two.end),
    lambda one, two: (one.days, one.tiers) == (two.days, two.tiers),
    lambda one, two: (one.begin, one.end, one.tiers) == (two.begin, two.end, two.tiers),
    lambda one, two: one.tiers == two.tiers and bool(one.days & two.days),
)


def _place(band: Band) -> tuple[int, int]:
    return min(band.days), band.begin


def _moved(band: Band, twin: Band, old: Tariff, new: Tariff) -> Iterator[str]:
    """Say how a band became another one, or nothing where they are alike."""
    if _when(band) != _when(twin):
        yield _("%(before)s → %(after)s, at %(rates)s") % {
            "before": _when(band),
            "after": _when(twin),
            "rates": _rates(twin, new),
        }
    before, after = _rates(band, old), _rates(twin, new)
    if before == after:
        pass
    elif len(band.tiers) == len(twin.tiers) == 1:
        yield _("%(when)s: %(before)s → %(after)s an hour") % {
            "when": _when(twin),
            "before": money(band.tiers[0].per_hour, old.currency),
            "after": money(twin.tiers[0].per_hour, new.currency),
        }
    else:
        yield from _changed(_when(twin), before, after)
    yield from _changed(
        _("%(when)s, priority where hours overlap") % {"when": _when(twin)},
        str(band.priority),
        str(twin.priority),
    )


def _whole(band: Band, tariff: Tariff) -> str:
    return _("%(when)s, %(rates)s") % {"when": _when(band), "rates": _rates(band, tariff)}


def _when(band: Band) -> str:
    return f"{days_words(band.days)} {_hours(band)}"


def _hours(part: Band | WindowFlat) -> str:
    return f"{clock_text(part.begin)}–{clock_text(part.end)}"


def _rates(band: Band, tariff: Tariff) -> str:
    if tariff.ladder and all(not tier.per_hour for tier in band.tiers):
        return _("charged by length of stay")
    return listed(rate_words(band.tiers, tariff.currency))


def _ladder(old: Tariff, new: Tariff) -> Iterator[str]:
    before, after = ({step.upto_min: step for step in one.ladder} for one in (old, new))

    def total(step: Step, tariff: Tariff) -> str:
        return money(step.total, tariff.currency)

    for minutes in sorted({*before, *after}):
        values = {"length": duration(minutes)}
        if minutes not in before:
            values["total"] = total(after[minutes], new)
            yield _("New: stays of up to %(length)s cost %(total)s in all") % values
        elif minutes not in after:
            values["total"] = total(before[minutes], old)
            yield _("No longer: stays of up to %(length)s for %(total)s in all") % values
        else:
            yield from _changed(
                _("Stays of up to %(length)s, in all") % values,
                total(before[minutes], old),
                total(after[minutes], new),
            )


def _flats(old: Tariff, new: Tariff) -> Iterator[str]:
    """Pair the prices of whole windows by their hours; two may have the same ones."""
    before, after = list(old.window_flats), list(new.window_flats)
    for flat in list(before):
        if flat in after:
            before.remove(flat)
            after.remove(flat)
    for flat in list(before):
        twin = next((one for one in after if _hours(one) == _hours(flat)), None)
        if twin is not None:
            before.remove(flat)
            after.remove(twin)
            name = _("One price for %(hours)s") % {"hours": _hours(flat)}
            yield from _changed(name, _flat(flat, old), _flat(twin, new))
    for flat in after:
        values = {"hours": _hours(flat), "flat": _flat(flat, new)}
        yield _("New: one price for %(hours)s, %(flat)s") % values
    for flat in before:
        values = {"hours": _hours(flat), "flat": _flat(flat, old)}
        yield _("No longer: one price for %(hours)s, %(flat)s") % values


def _flat(flat: WindowFlat, tariff: Tariff) -> str:
    return f"{money(flat.amount, tariff.currency)}, {_WORDS[flat.applies_if]}"


def _progression(old: Tariff, new: Tariff) -> Iterator[str]:
    yield from _changed(
        _("Rates begin again"),
        str(_WORDS[old.progression_reset]),
        str(_WORDS[new.progression_reset]),
    )


def _lengths(old: Tariff, new: Tariff) -> Iterator[str]:
    for name, before, after in (
        (_("First minutes that cost nothing"), old.free_first_min, new.free_first_min),
        (_("Stays that cost nothing, up to"), old.free_if_leq_min, new.free_if_leq_min),
    ):
        if before != after:
            nothing = _("none")
            yield from _changed(
                name,
                duration(before) if before else nothing,
                duration(after) if after else nothing,
            )


def _increment(old: Tariff, new: Tariff) -> Iterator[str]:
    lots, modes = [
        (duration(old.increment.minutes), duration(new.increment.minutes)),
        (str(_WORDS[old.increment.mode]), str(_WORDS[new.increment.mode])),
    ]
    yield from _changed(_("Time is sold in steps of"), *lots)
    yield from _changed(_("Steps of time are counted"), *modes)


def _amounts(old: Tariff, new: Tariff) -> Iterator[str]:
    none, no_limit = _("none"), _("no limit")

    def said(amount: int | None, tariff: Tariff, otherwise: str) -> str:
        empty = amount is None or (otherwise == none and not amount)
        return otherwise if empty else money(amount or 0, tariff.currency)

    for name, key, otherwise in (
        (_("Lowest charge of a stay"), "min_charge", none),
        (_("Highest charge of a stay"), "max_charge", no_limit),
        (_("Highest charge per day"), "cap_per_local_day", no_limit),
        (_("Fee for each stay"), "fixed_fee", none),
    ):
        before, after = getattr(old, key), getattr(new, key)
        if before != after:
            yield from _changed(name, said(before, old, otherwise), said(after, new, otherwise))


def _classes(old: Tariff, new: Tariff) -> Iterator[str]:
    for name in sorted({*old.vehicle_classes, *new.vehicle_classes}):
        vehicle = class_words(name)
        before, after = (one.vehicle_classes.get(name) for one in (old, new))
        if before is None and after is not None:
            yield _("New: %(vehicle)s pays %(percent)s %%") % {
                "vehicle": vehicle,
                "percent": number(after or 0),
            }
        elif before is not None and after is None:
            yield _("No longer: %(vehicle)s for %(percent)s %%") % {
                "vehicle": vehicle,
                "percent": number(before),
            }
        elif before is not None and after is not None:
            pays = _("%(vehicle)s pays") % {"vehicle": vehicle}
            yield from _changed(pays, percent(before), percent(after))


def _tax(old: Tariff, new: Tariff) -> Iterator[str]:
    inside, on_top = _("inside the prices"), _("on top of the prices")
    before, after = old.tax, new.tax
    yield from _changed(_("Tax code"), before.code, after.code)
    rates = (percent(Decimal(tax.rate_bp) / 100) for tax in (before, after))
    yield from _changed(_("Tax rate"), *rates)
    yield from _changed(
        _("Tax"), inside if before.included else on_top, inside if after.included else on_top
    )


def _rounding(old: Tariff, new: Tariff) -> Iterator[str]:
    units = (money(one.rounding.unit, one.currency) for one in (old, new))
    yield from _changed(_("Prices are rounded to"), *units)
    modes = (str(_WORDS[one.rounding.mode]) for one in (old, new))
    yield from _changed(_("Prices are rounded"), *modes)


def _holidays(old: Tariff, new: Tariff) -> Iterator[str]:
    if old.holiday_behaves_like != new.holiday_behaves_like:
        like = [
            _("like any other day") if one is None else _("like a %(day)s") % {"day": WEEKDAYS[one]}
            for one in (old.holiday_behaves_like, new.holiday_behaves_like)
        ]
        yield from _changed(_("Public holidays are priced"), *like)
    for one in sorted({*old.holidays, *new.holidays}):
        before, after = old.holidays.get(one), new.holidays.get(one)
        values = {"day": day(_EPOCH + timedelta(days=one)), "name": after or before}
        if before is None:
            yield _("New public holiday: %(day)s, %(name)s") % values
        elif after is None:
            yield _("No longer a public holiday: %(day)s, %(name)s") % values
        else:
            name = _("The public holiday of %(day)s") % values
            yield from _changed(name, before, after)
