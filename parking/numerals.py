"""Digits and days as the reader's language writes them, and as any keyboard types them."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, time
from typing import Any, Final

from django.utils import formats
from django.utils.translation import get_language
from persiantools.jdatetime import MONTH_NAMES_FA, WEEKDAY_NAMES_FA, JalaliDate

_PERSIAN: Final = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
_DATE: Final = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_DAYS: Final = {"ru": "D, j E Y", "vi": "D, j/n/Y"}  # of other languages: Tue 3 March 2026
_MONTHS: Final = {"vi": "n/Y"}
_JALALI_BEFORE: Final = 1700  # 1404 is a year of one calendar, 2026 of the other


def is_persian() -> bool:
    """Whether the reader has Persian digits and the Jalali calendar."""
    return get_language() == "fa"


def shown(text: object) -> str:
    """Write the digits of a text as the reader does."""
    return str(text).translate(_PERSIAN) if is_persian() else str(text)


def latin(text: str) -> str:
    """Read the digits of every script, such as ۱۲, ١٢ and １２, as 12; and their colons."""
    spelled = (str(unicodedata.digit(sign, sign)) for sign in text)
    return "".join(spelled).replace("\N{FULLWIDTH COLON}", ":")


def day(value: date) -> str:
    """Write a day, such as "Tue 3 March 2026"."""
    if not is_persian():
        return formats.date_format(value, _DAYS.get(get_language() or "", "D j F Y"))
    jalali = _jalali(value)
    weekday = WEEKDAY_NAMES_FA[jalali.weekday()]
    return shown(f"{weekday} {jalali.day} {MONTH_NAMES_FA[jalali.month]} {jalali.year}")


def month(value: date) -> str:
    """Write a month of the civil calendar, by which books are kept."""
    return shown(formats.date_format(value, _MONTHS.get(get_language() or "", "F Y")))


def clock(value: time) -> str:
    """Write a time of the day, such as "18:05"."""
    return shown(f"{value:%H:%M}")


def day_typed(value: date) -> str:
    """Write a day as people type it: 2026-03-03, or ۱۴۰۴/۱۲/۱۲."""
    return shown(f"{_jalali(value):%Y/%m/%d}") if is_persian() else f"{value:%Y-%m-%d}"


def read_day(text: str) -> date:
    """Read a day of either calendar in any digits; the year says which calendar it is.

    Raises:
        ValueError: it is no day.
    """
    found = _DATE.fullmatch(latin(text).strip())
    if found is None:
        raise ValueError(text)
    year, month, day = (int(part) for part in found.groups())
    if year < _JALALI_BEFORE:
        gregorian: date = _jalali(year, month, day).to_gregorian()
        return gregorian
    return date(year, month, day)


def _jalali(*day: Any) -> Any:
    return JalaliDate(*day)  # type: ignore[no-untyped-call]
