"""The one place where money, moments and lengths become text for people."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from django.conf import settings
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from parking.money import exponent

_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "CHF": "CHF", "IRR": "﷼", "VND": "₫", "RUB": "₽"}


def number(value: int | Decimal) -> str:
    """Group the digits of a number, and part its decimals, as the reader's language does."""
    return formats.number_format(value, use_l10n=True, force_grouping=True)


def percent(value: int | Decimal) -> str:
    """Format a share, such as "25.5 %"."""
    # Adding nothing writes 1E+2 out again.
    return _("%(percent)s %%") % {"percent": number(Decimal(value).normalize() + 0)}


def plate(spelling: str) -> str:
    """Make a plate read from left to right in plain text; 12ب34567 would show its end first."""
    return f"\N{LEFT-TO-RIGHT OVERRIDE}{spelling}\N{POP DIRECTIONAL FORMATTING}"


def money(amount: int, currency: str | None = None) -> str:
    """Format minor units, such as 250 EUR → "2.50 €"; the city's currency by default."""
    currency = currency or settings.CITY_CURRENCY
    places = exponent(currency)
    whole, fraction = divmod(abs(amount), 10**places)
    text = formats.number_format(whole, use_l10n=True, force_grouping=True)
    if places:
        text += f"{formats.get_format('DECIMAL_SEPARATOR')}{fraction:0{places}d}"
    sign = "−" if amount < 0 else ""
    return f"{sign}{text}\N{NO-BREAK SPACE}{_SIGNS.get(currency, currency)}"


def clock(moment: datetime) -> str:
    """Format the local wall time, such as "18:05"."""
    return formats.time_format(timezone.localtime(moment), "H:i")


def day(value: date | datetime) -> str:
    """Format the local date, such as "Tue 3 March 2026"."""
    local = timezone.localtime(value) if isinstance(value, datetime) else value
    return formats.date_format(local, "D j F Y")


def moment(value: datetime) -> str:
    """Format local date and time, such as "Tue 3 March 2026, 18:05"."""
    return _("%(day)s, %(time)s") % {"day": day(value), "time": clock(value)}


def period(start: datetime, end: datetime) -> str:
    """Format `[start, end)` with the date said once where it is one day."""
    if timezone.localtime(start).date() == timezone.localtime(end).date():
        return f"{day(start)}, {clock(start)}\N{EN DASH}{clock(end)}"
    return f"{moment(start)} \N{EN DASH} {moment(end)}"


def duration(minutes: int) -> str:
    """Format a length, such as "2 h 30 min"."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return ngettext("%(n)s min", "%(n)s min", rest) % {"n": number(rest)}
    if not rest:
        return ngettext("%(n)s h", "%(n)s h", hours) % {"n": number(hours)}
    return _("%(hours)s h %(minutes)s min") % {"hours": number(hours), "minutes": number(rest)}
