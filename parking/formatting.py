"""The one place where money, moments and lengths become text for people."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time
from decimal import Decimal

from django.conf import settings
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from parking import numerals
from parking.money import exponent

_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "CHF": "CHF", "VND": "₫", "RUB": "₽"}


def number(value: int | Decimal) -> str:
    """Group the digits of a number, and part its decimals, as the reader's language does."""
    return numerals.shown(formats.number_format(value, use_l10n=True, force_grouping=True))


def percent(value: int | Decimal) -> str:
    """Format a share, such as "25.5 %"."""
    # Adding nothing writes 1E+2 out again.
    return _("%(percent)s %%") % {"percent": number(Decimal(value).normalize() + 0)}


def listed(parts: Iterable[object]) -> str:
    """Write parts one after the other, with the comma of the reader's language between them."""
    return comma().join(str(part) for part in parts)


def comma() -> str:
    """Return the comma of the reader's language, with its space."""
    return pgettext("between the parts of a list", ", ")


def spot_at(number_of_spot: str, street: str) -> str:
    """Name a spot with its street, where that is known, such as "Spot K-7, Harbour street"."""
    spot = _("Spot %(number)s") % {"number": number_of_spot}
    return listed([spot, street]) if street else spot


def plate_signs(spelling: str) -> str:
    """Write a plate as it is painted: an Iranian one, for its readers, with Persian digits."""
    has_persian = any("\N{ARABIC LETTER HAMZA}" <= sign <= "ی" for sign in spelling)
    return numerals.shown(spelling) if has_persian else spelling


def plate(spelling: str) -> str:
    """Make a plate read from left to right in plain text; 12ب34567 would show its end first."""
    return f"\N{LEFT-TO-RIGHT OVERRIDE}{plate_signs(spelling)}\N{POP DIRECTIONAL FORMATTING}"


def money(amount: int, currency: str | None = None) -> str:
    """Format minor units, such as 250 EUR → "2.50 €"; the city's currency by default.

    Persian says rial as everybody there does: in toman, which are ten rial each.
    """
    currency = currency or settings.CITY_CURRENCY
    places = exponent(currency)
    name = _SIGNS.get(currency, currency)
    if currency == "IRR" and numerals.is_persian():
        places, name = 1, "تومان"
    whole, fraction = divmod(abs(amount), 10**places)
    text = formats.number_format(whole, use_l10n=True, force_grouping=True)
    if places and (fraction or currency != "IRR"):
        text += f"{formats.get_format('DECIMAL_SEPARATOR')}{fraction:0{places}d}"
    sign = ("\N{LEFT-TO-RIGHT MARK}−" if numerals.is_persian() else "−") if amount < 0 else ""
    return f"{sign}{numerals.shown(text)}\N{NO-BREAK SPACE}{name}"


def clock(value: datetime | time) -> str:
    """Format the local wall time, such as "18:05"."""
    return numerals.clock(value if isinstance(value, time) else timezone.localtime(value).time())


def day(value: date | datetime) -> str:
    """Format the local date, such as "Tue 3 March 2026"."""
    return numerals.day(timezone.localdate(value) if isinstance(value, datetime) else value)


def month(value: date) -> str:
    """Format a month, such as "March 2026"."""
    return numerals.month(value)


def month_short(value: date) -> str:
    """Format a month where there is little room, such as "Mar 26"."""
    return numerals.shown(formats.date_format(value, "M y"))


def moment(value: datetime) -> str:
    """Format local date and time, such as "Tue 3 March 2026, 18:05"."""
    return _("%(day)s, %(time)s") % {"day": day(value), "time": clock(value)}


def period(start: datetime, end: datetime) -> str:
    """Format `[start, end)` with the date said once where it is one day."""
    if timezone.localtime(start).date() == timezone.localtime(end).date():
        return listed([day(start), f"{clock(start)}\N{EN DASH}{clock(end)}"])
    return f"{moment(start)} \N{EN DASH} {moment(end)}"


def duration(minutes: int) -> str:
    """Format a length, such as "2 h 30 min"."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return ngettext("%(n)s min", "%(n)s min", rest) % {"n": number(rest)}
    if not rest:
        return ngettext("%(n)s h", "%(n)s h", hours) % {"n": number(hours)}
    return _("%(hours)s h %(minutes)s min") % {"hours": number(hours), "minutes": number(rest)}
