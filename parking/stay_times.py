"""From what people choose (a date, a clock time, a length) to a period, and back. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from math import lcm
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _

from parking.numerals import shown
from parking.pricing import QuoteError, parse_local

USUAL_MIN = 120
LENGTHS_MIN = (15, 30, 45, 60, 90, 120, 150, 180, 240, 300, 360, 480, 600, 720, 1440)


class NoSuchTime(ValueError):
    """The clocks jump over this time; the message names the next valid one."""


def start_of(*, on: date, at: time) -> datetime:
    """Return the moment of a local date and clock time of the city; the first of two in autumn.

    Raises:
        NoSuchTime: the clocks jump over it, or the year is out of range.
    """
    try:
        return parse_local(f"{on:%Y-%m-%d}T{at:%H:%M}", settings.CITY_TIME_ZONE)
    except QuoteError as error:
        if error.code != "nonexistent_start":
            raise NoSuchTime(_("Choose a date in this century.")) from error
        next_valid = shown(str(error.params["next_valid"])[11:16])
        raise NoSuchTime(
            _("The clocks go forward in this night: choose %(time)s or later.")
            % {"time": next_valid}
        ) from error


def next_start(*, now: datetime, steps: Iterable[int]) -> datetime:
    """Return the first start from `now` on that lies on the grid of all these steps (minutes)."""
    step = min(lcm(*steps, 1), 60)
    local = now.astimezone(ZoneInfo(settings.CITY_TIME_ZONE))
    hour = local.replace(minute=0, second=0, microsecond=0)
    past = (local - hour) / timedelta(minutes=step)
    whole = int(past) + (past > int(past))
    return now + (hour + timedelta(minutes=whole * step) - local)


def lengths(*, shortest: int, longest: int, step: int) -> list[int]:
    """Return the lengths in minutes that are worth offering under a zone's rules."""
    usual = {n for n in LENGTHS_MIN if shortest <= n <= longest and n % step == 0}
    return sorted(usual | {-(-shortest // step) * step, longest // step * step})
