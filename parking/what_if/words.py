"""Figures as tables: the groups named in the reader's language, for pages and terminals; CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Protocol

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from parking.formatting import duration, money, percent
from parking.money import exponent
from parking.price_words import class_words
from parking.what_if.figures import HOURS, LENGTHS, Figures, Sums


@dataclass(frozen=True)
class Row:
    """A named group. `key` is its name for programs."""

    key: str
    name: str
    sums: Sums


@dataclass(frozen=True)
class Table:
    """All groups of one kind."""

    key: str
    title: str
    rows: list[Row]


@dataclass(frozen=True)
class ApartRow:
    """Stays that are not compared, and why; `paid` is in minor units."""

    key: str
    name: str
    stays: int
    paid: int


class Writer(Protocol):
    """What a CSV can be written to."""

    def write(self, text: str, /) -> object:
        """Take some text."""


def tables(figures: Figures) -> list[Table]:
    """Return the sums by hour, length, weekday and class."""
    return [_by_hour(figures), _by_length(figures), _by_weekday(figures), _by_class(figures)]


def hour_labels() -> list[str]:
    """Return a short name for each hour, for a chart."""
    return [f"{hour:02}" for hour in range(HOURS)]


def length_labels() -> list[str]:
    """Return a short name for each group of length, for a chart."""
    return [*(f"≤ {duration(upto)}" for upto in LENGTHS), f"> {duration(LENGTHS[-1])}"]


def _by_hour(figures: Figures) -> Table:
    """Return a row for each local hour in which stays begin."""
    rows = [Row(f"{hour:02}", f"{hour:02}:00", sums) for hour, sums in enumerate(figures.by_hour())]
    return Table("hour", _("By hour of the start"), rows)


def _by_length(figures: Figures) -> Table:
    """Return a row for each group of length."""
    names = [
        _("up to %(length)s") % {"length": duration(LENGTHS[0])},
        *(
            _("over %(from)s, up to %(to)s") % {"from": duration(low), "to": duration(high)}
            for low, high in pairwise(LENGTHS)
        ),
        _("over %(length)s") % {"length": duration(LENGTHS[-1])},
    ]
    keys = [*(f"<={upto}min" for upto in LENGTHS), f">{LENGTHS[-1]}min"]
    rows = [Row(*row) for row in zip(keys, names, figures.by_length(), strict=True)]
    return Table("length", _("By length of stay"), rows)


def _by_weekday(figures: Figures) -> Table:
    keys = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    rows = [
        Row(keys[day], str(WEEKDAYS[day]), sums) for day, sums in enumerate(figures.by_weekday())
    ]
    return Table("weekday", _("By weekday of the start"), rows)


def _by_class(figures: Figures) -> Table:
    rows = [
        Row(name, class_words(name) if name else pgettext("vehicle class", "none"), sums)
        for name, sums in figures.by_class().items()
    ]
    return Table("vehicle_class", _("By vehicle class"), rows)


def unsold(figures: Figures) -> list[ApartRow]:
    """Return the stays that the draft does not sell, by reason."""
    names = {
        "ladder_exceeded": _("longer than the longest stay that the draft sells"),
        "unknown_vehicle_class": _("of a vehicle class that the draft does not have"),
        "stay_too_long": _("longer than a stay can be"),
    }
    return [
        ApartRow(code, names.get(code, code.replace("_", " ")), apart.stays, apart.paid)
        for code, apart in figures.unsold.items()
    ]


def left_out(figures: Figures) -> list[ApartRow]:
    """Return the bookings that are not compared, by reason."""
    names = {
        "cancelled": pgettext("bookings", "cancelled"),
        "granted": _("free for another reason than the tariff"),
    }
    return [
        ApartRow(kind, names[kind], apart.stays, apart.paid)
        for kind, apart in figures.left_out.items()
    ]


def change(sums: Sums) -> str:
    """Write how much more or less comes in, such as "−749.66 € (−19.2 %)"."""
    text = signed(sums.difference)
    if not sums.old:
        return text
    # Tenths of a percent, to the nearest, in whole numbers.
    tenths = (abs(sums.difference) * 2000 + sums.old) // (2 * sums.old)
    sign = "−" if sums.difference < 0 else "+" if sums.difference else ""
    return f"{text} ({sign}{percent(Decimal(tenths) / 10)})"


def signed(amount: int) -> str:
    """Write an amount with its sign, also where there is more of it."""
    return f"+{money(amount)}" if amount > 0 else money(amount)


COLUMNS = (
    *("table", "group", "stays", "winners", "losers", "same"),
    *("revenue_old", "revenue_new", "difference", "winners_save", "losers_pay_more", "currency"),
)


def write_csv(figures: Figures, *, currency: str, to: Writer) -> None:
    """Write every group as a line; amounts are decimal numbers of the currency.

    Stays that are not compared have lines `unsold` and `left_out` with a count and what was paid.
    """
    writer = csv.writer(to)
    writer.writerow(COLUMNS)
    writer.writerows(_csv_rows(figures, currency))


def _csv_rows(figures: Figures, currency: str) -> Iterator[Iterable[object]]:
    def line(table: str, group: str, sums: Sums) -> list[object]:
        amounts = (sums.old, sums.new, sums.difference, sums.saved, sums.extra)
        return [
            *(table, harmless(group), sums.stays, sums.winners, sums.losers, sums.same),
            *(decimal(amount, currency) for amount in amounts),
            currency,
        ]

    yield line("all", "", figures.total)
    for table in tables(figures):
        for row in table.rows:
            yield line(table.key, row.key, row.sums)
    for name, rows in (("unsold", unsold(figures)), ("left_out", left_out(figures))):
        for apart in rows:
            paid = decimal(apart.paid, currency)
            yield [name, apart.key, apart.stays, "", "", "", paid, "", "", "", "", currency]


def decimal(amount: int, currency: str) -> str:
    """Write minor units as a decimal number that a spreadsheet reads, such as -250 → -2.50."""
    places = exponent(currency)
    whole, rest = divmod(abs(amount), 10**places)
    sign = "-" if amount < 0 else ""
    return f"{sign}{whole}.{rest:0{places}d}" if places else f"{sign}{whole}"


def harmless(text: str) -> str:
    """Keep a spreadsheet from taking a text for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text
