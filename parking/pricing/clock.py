"""Local wall time and elapsed minutes: the only place that knows about summer time.

The engine counts whole minutes from 1970-01-01 UTC. A stretch is a part of a period in which the
clocks do not change, so that wall time and elapsed time run alike.
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final, Literal
from zoneinfo import ZoneInfo

from parking.pricing.errors import QuoteError
from parking.pricing.parts import DAY_MIN
from parking.pricing.week import clock_text

What = Literal["start", "end"]
# From minute, to minute, minutes to add to have the local clock.
Stretch = tuple[int, int, int]

# Clocks with offsets of whole minutes, and far enough from the ends of what datetime can hold.
FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2199

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = _EPOCH.toordinal()
_MINUTE: Final = timedelta(minutes=1)
_CHUNK: Final = 64 * DAY_MIN
_LOCAL: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(?::00)?(Z|[+-]\d{2}:\d{2})?", re.ASCII
)


def parse_local(text: object, time_zone: str, what: What = "start") -> datetime:
    """Read `2026-10-25T02:30` as wall time of a zone, or as it stands when it has an offset.

    Where the clocks go back, the first of the two is meant. `text` may be anything; what is not
    such a text is refused.

    Raises:
        QuoteError: `bad_time`, `nonexistent_start` or `nonexistent_end`.
    """
    match = _LOCAL.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise _bad_time(text, what)
    day, clock, offset = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{offset or ''}")
    except ValueError:
        raise _bad_time(text, what) from None
    _refuse_far(moment, what)
    zone = ZoneInfo(time_zone)
    if moment.tzinfo is not None:
        return moment.astimezone(zone)
    moment = moment.replace(tzinfo=zone)
    _refuse_nonexistent(moment, moment.astimezone(UTC), what)
    return moment


def minute_of(moment: datetime, what: What) -> int:
    """Count the minutes of an aware moment from 1970-01-01 UTC.

    Raises:
        QuoteError: `naive_time`, `not_whole_minute`, `time_out_of_range`, `nonexistent_start` or
            `nonexistent_end`.
    """
    zone = moment.tzinfo
    if zone is None or moment.utcoffset() is None:
        raise QuoteError("naive_time", f"The {what} has no time zone.", {"what": what})
    _refuse_far(moment, what)
    utc = moment.astimezone(UTC)
    if utc.second or utc.microsecond:
        raise QuoteError("not_whole_minute", f"The {what} is not a whole minute.", {"what": what})
    if not isinstance(zone, timezone):
        _refuse_nonexistent(moment, utc, what)
    return (utc.toordinal() - _EPOCH_DAY) * DAY_MIN + utc.hour * 60 + utc.minute


def moment_of(minute: int) -> datetime:
    """Return the UTC moment of a counted minute."""
    return _EPOCH + timedelta(minutes=minute)


def stretches(zone: str, start: int, end: int) -> list[Stretch]:
    """Cut `[start, end)` where the clocks of the zone change."""
    found: list[Stretch] = []
    for chunk in range(start // _CHUNK, (end - 1) // _CHUNK + 1):
        for begin, stop, offset in _changes(zone, chunk):
            first, last = max(begin, start), min(stop, end)
            if first >= last:
                continue
            if found and found[-1][2] == offset:
                first = found.pop()[0]
            found.append((first, last, offset))
    return found


def local_text(minute: int, offset: int) -> str:
    """Write a counted minute as local ISO time with its offset."""
    day, of_day = divmod(minute + offset, DAY_MIN)
    return f"{day_text(day)}T{clock_text(of_day)}{_offset_text(offset)}"


@lru_cache(maxsize=4096)
def day_text(day: int) -> str:
    """Write a day, counted from 1970-01-01, as an ISO date."""
    return (_EPOCH + timedelta(days=day)).date().isoformat()


@lru_cache(maxsize=256)
def _offset_text(offset: int) -> str:
    return f"{'-' if offset < 0 else '+'}{clock_text(abs(offset))}"


@lru_cache(maxsize=1024)
def _changes(zone: str, chunk: int) -> tuple[Stretch, ...]:
    """Return the stretches of a chunk of days. No zone changes its clocks twice in one day."""
    clock = ZoneInfo(zone)
    start = chunk * _CHUNK
    found: list[Stretch] = []
    begin, offset = start, _offset(clock, start)
    for day in range(start, start + _CHUNK, DAY_MIN):
        new = _offset(clock, day + DAY_MIN)
        if new == offset:
            continue
        low, high = day, day + DAY_MIN
        while high - low > 1:
            middle = (low + high) // 2
            if _offset(clock, middle) == offset:
                low = middle
            else:
                high = middle
        found.append((begin, high, offset))
        begin, offset = high, new
    if begin < start + _CHUNK:
        found.append((begin, start + _CHUNK, offset))
    return tuple(found)


def _offset(zone: tzinfo, minute: int) -> int:
    offset = moment_of(minute).astimezone(zone).utcoffset()
    return (offset or timedelta(0)) // _MINUTE


def _refuse_far(moment: datetime, what: What) -> None:
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise QuoteError(
            "time_out_of_range",
            f"The {what} is not between the years {FIRST_YEAR} and {LAST_YEAR}.",
            {"what": what, "first_year": FIRST_YEAR, "last_year": LAST_YEAR},
        )


def _refuse_nonexistent(moment: datetime, utc: datetime, what: What) -> None:
    """Refuse wall time that the clocks jump over, with the first that they show again."""
    zone = moment.tzinfo
    if utc.astimezone(zone).replace(tzinfo=None) == moment.replace(tzinfo=None):
        return
    # Read with the offset of after the jump, the moment lies before it, and the other way round.
    low, high = sorted(
        moment.replace(fold=fold).astimezone(UTC).replace(second=0, microsecond=0)
        for fold in (0, 1)
    )
    before = low.astimezone(zone).utcoffset()
    while high - low > _MINUTE:
        middle = low + (high - low) // (2 * _MINUTE) * _MINUTE
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    given = moment.replace(tzinfo=None).isoformat(timespec="minutes")
    following = high.astimezone(zone).replace(tzinfo=None).isoformat(timespec="minutes")
    raise QuoteError(
        f"nonexistent_{what}",
        f"{given} does not exist in {zone}: the clocks go forward. "
        f"The next valid time is {following}.",
        {"given": given, "next_valid": following, "time_zone": str(zone)},
    )


def _bad_time(text: object, what: What) -> QuoteError:
    return QuoteError(
        "bad_time",
        f"The {what} is {text!r}, not a local time such as 2026-03-03T10:00.",
        {"what": what},
    )
