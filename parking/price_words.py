"""Say a quote's lines, and why there is no quote, in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from parking.formatting import clock, day, duration, money, number
from parking.numerals import shown
from parking.pricing import Line, Quote, QuoteError

_CLASSES = {
    "car": gettext_lazy("car"),
    "disabled": gettext_lazy("disabled person's badge"),
    "electric": gettext_lazy("electric vehicle"),
    "low_emission": gettext_lazy("low emission"),
    "motorcycle": gettext_lazy("motorcycle"),
    "resident": gettext_lazy("resident"),
    "truck": gettext_lazy("lorry"),
}


@dataclass(frozen=True)
class PriceRow:
    """One row of a price table: what it is for, and how much, in minor units."""

    text: str
    amount: int
    currency: str


def rows(quote: Quote) -> list[PriceRow]:
    """Return a row for every line of the quote; they sum to its total."""
    days = {at[:10] for line in quote.lines for at in (line.begins, line.ends) if at}
    return [
        PriceRow(line_words(line, with_date=len(days) > 1), line.amount, line.currency)
        for line in quote.lines
    ]


def line_words(line: Line, *, with_date: bool = False) -> str:
    """Say what a line is for, such as "10:00–12:00, 2 h at 4.00 € an hour"."""
    data, length, when = line.data, duration(abs(line.minutes or 0)), _when(line, with_date)
    match line.kind:
        case "band":
            return _("%(when)s, %(length)s at %(rate)s an hour") % {
                "when": when,
                "length": length,
                "rate": money(line.per_hour or 0, line.currency),
            }
        case "free":
            return _free(line, when)
        case "ladder":
            return _("%(length)s with a charge: the price for up to %(upto)s") % {
                "length": length,
                "upto": duration(int(data["upto_min"])),
            }
        case "increment":
            return _increment(line, length)
        case "window_flat":
            return _("%(when)s, one price for these hours") % {"when": when}
        case "cap":
            return _("No more than %(limit)s on %(day)s") % {
                "limit": money(int(data["limit"]), line.currency),
                "day": day(date.fromisoformat(str(data["day"]))),
            }
        case "class":
            return _("%(vehicle)s: %(percent)s %% of the price") % {
                "vehicle": class_words(str(data["vehicle_class"])).capitalize(),
                "percent": number(int(data["percent"])),
            }
        case "max":
            return _("No stay costs more than %(limit)s") % {
                "limit": money(int(data["limit"]), line.currency)
            }
        case "min":
            return _("No stay costs less than %(limit)s") % {
                "limit": money(int(data["limit"]), line.currency)
            }
        case "rounding":
            return _("Rounded to %(unit)s") % {"unit": money(int(data["unit"]), line.currency)}
        case "fixed_fee":
            return _("Fee for each stay")
        case "tax":
            return _("Tax, %(percent)s %% on top") % {"percent": percent(int(data["rate_bp"]))}
        case "paid":
            return _("Paid already")
        case _:
            return line.text(with_date=with_date)


def class_words(vehicle_class: str) -> str:
    """Name a vehicle class of a tariff; one that we have no word for is shown as it is written."""
    return str(_CLASSES.get(vehicle_class, vehicle_class.replace("_", " ")))


def percent(basis_points: int) -> str:
    """Write hundredths of a percent as the reader's language does, such as 2550 → "25.5"."""
    return number(Decimal(basis_points) / 100)


def not_on_sale() -> str:
    """Say that the zone has no price at the start of the stay."""
    return _("There is no price for this time yet, so it cannot be booked.")


def why_not(error: QuoteError) -> str:
    """Say why the tariff does not sell this stay."""
    match error.code:
        case "ladder_exceeded":
            return _("The longest stay sold here has %(length)s with a charge.") % {
                "length": duration(int(error.params["longest_min"]))
            }
        case "nonexistent_start" | "nonexistent_end":
            return _("This time does not exist: the clocks go forward. Next: %(time)s.") % {
                "time": shown(str(error.params["next_valid"])[11:16])
            }
        case "unknown_vehicle_class":
            return _("This vehicle class has no price here; choose another.")
        case "stay_too_long":
            days = int(error.params["days"])
            text = ngettext(
                "No stay is longer than %(days)s day.",
                "No stay is longer than %(days)s days.",
                days,
            )
            return text % {"days": number(days)}
        case "end_before_start":
            return _("The end must be after the start.")
        case "not_whole_minute":
            return _("Start and end must be on whole minutes.")
        case _:
            return error.detail


def _free(line: Line, when: str) -> str:
    values = {"when": when, "length": duration(int(line.data.get("limit_min", 0)))}
    match line.data["reason"]:
        case "free_first":
            return _("%(when)s, the first %(length)s cost nothing") % values
        case "free_if_leq":
            return _("%(when)s, up to %(length)s cost nothing") % values
        case _:
            return _("%(when)s, no charge at this time") % values


def _increment(line: Line, length: str) -> str:
    lot = duration(int(line.data["lot_min"]))
    if (line.minutes or 0) < 0:
        text = _("%(length)s not charged: sold in steps of %(lot)s")
    else:
        text = _("%(length)s added: sold in steps of %(lot)s")
    return text % {"length": length, "lot": lot}


def _when(line: Line, with_date: bool) -> str:
    """Write the line's own local times; they carry their offset, so nothing is converted."""
    if line.begins is None or line.ends is None:
        return ""
    begin, end = datetime.fromisoformat(line.begins), datetime.fromisoformat(line.ends)
    end_clock = clock(end.time())
    if begin.date() != end.date():
        if end.time() != time() or end.date() - begin.date() > timedelta(days=1):
            return f"{day(begin.date())}, {clock(begin.time())} – {day(end.date())}, {end_clock}"
        end_clock = shown("24:00")
    times = f"{clock(begin.time())}–{end_clock}"
    return f"{day(begin.date())}, {times}" if with_date else times
