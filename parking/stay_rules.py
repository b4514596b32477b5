"""May this spot be booked like this? A list of named checks that reads as the rule book. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _


@dataclass(frozen=True, kw_only=True)
class Rules:
    """A zone's rules; lengths in minutes, hours in local wall time."""

    longest_stay_min: int
    shortest_stay_min: int
    slot_step_min: int
    book_ahead_days: int
    bookable_from: time | None
    bookable_to: time | None
    time_zone: ZoneInfo


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody would like: `[start, end)`, aware; and the moment of asking."""

    start: datetime
    end: datetime
    now: datetime
    closures: Sequence[str] = ()  # reasons of the closures that the period touches

    def __post_init__(self) -> None:
        """Keep moments in UTC: Python subtracts two of one zone by their wall clocks."""
        for name in ("start", "end", "now"):
            object.__setattr__(self, name, getattr(self, name).astimezone(UTC))

    @property
    def minutes(self) -> int:
        """Elapsed minutes of the stay."""
        return int((self.end - self.start).total_seconds() // 60)


@dataclass(frozen=True)
class Failure:
    """A rule that the wish breaks: its name, the message for people, the field to mend."""

    rule: str
    message: str
    field: str


Check = Callable[[Rules, Wish], Failure | None]


def ends_after_it_starts(rules: Rules, wish: Wish) -> Failure | None:
    """Refuse an empty or negative stay."""
    return None if wish.end > wish.start else backwards()


def backwards() -> Failure:
    """Return what is said of a stay that ends before it starts."""
    return Failure("ends_after_it_starts", _("The end must be after the start."), "to")


def starts_on_the_grid(rules: Rules, wish: Wish) -> Failure | None:
    """Refuse a start that is not on the zone's step."""
    if _on_grid(wish.start, rules):
        return None
    message = _("Starts lie on steps of %(step)s minutes.") % {"step": rules.slot_step_min}
    return Failure("starts_on_the_grid", message, "from")


def ends_on_the_grid(rules: Rules, wish: Wish) -> Failure | None:
    """Refuse an end that is not on the zone's step."""
    if _on_grid(wish.end, rules):
        return None
    message = _("Ends lie on steps of %(step)s minutes.") % {"step": rules.slot_step_min}
    return Failure("ends_on_the_grid", message, "to")


def not_in_the_past(rules: Rules, wish: Wish) -> Failure | None:
    """Refuse a start before the step that is running now."""
    if wish.start > wish.now - timedelta(minutes=rules.slot_step_min):
        return None
    return Failure("not_in_the_past", _("This start has already passed."), "from")


def not_too_far_ahead(rules: Rules, wish: Wish) -> Failure | None:
    """Refuse a start beyond the days that the zone opens ahead."""
    if wish.start <= wish.now + timedelta(days=rules.book_ahead_days):
        return None
    message = _("This zone can be booked %(days)s days ahead.") % {"days": rules.book_ahead_days}
    return Failure("not_too_far_ahead", message, "from")


def not_too_short(rules: Rules, wish: Wish) -> Failure | None:
    """Refuse a stay under the shortest one."""
    if wish.minutes >= rules.shortest_stay_min or wish.end <= wish.start:  # said already
        return None
    message = _("The shortest stay here is %(minutes)s minutes.")
    return Failure("not_too_short", message % {"minutes": rules.shortest_stay_min}, "to")


def not_too_long(rules: Rules, wish: Wish) -> Failure | None:
    """Refuse a stay over the longest one."""
    if wish.minutes <= rules.longest_stay_min:
        return None
    message = _("The longest stay here is %(minutes)s minutes.")
    return Failure("not_too_long", message % {"minutes": rules.longest_stay_min}, "to")


def within_bookable_hours(rules: Rules, wish: Wish) -> Failure | None:
    """Refuse a stay that reaches outside the hours in which the zone is bookable."""
    if rules.bookable_from is None or rules.bookable_to is None:
        return None
    start, end = wish.start.astimezone(rules.time_zone), wish.end.astimezone(rules.time_zone)
    opens = datetime.combine(start.date(), rules.bookable_from, rules.time_zone)
    closes = datetime.combine(start.date(), rules.bookable_to, rules.time_zone)
    if closes <= opens:  # open past midnight
        if start < closes:
            opens -= timedelta(days=1)
        else:
            closes += timedelta(days=1)
    if opens <= start and end <= closes:
        return None
    message = _("Bookable from %(opens)s to %(closes)s.") % {
        "opens": f"{rules.bookable_from:%H:%M}",
        "closes": f"{rules.bookable_to:%H:%M}",
    }
    return Failure("within_bookable_hours", message, "from")


def not_closed(rules: Rules, wish: Wish) -> Failure | None:
    """Refuse a stay that touches a closure, and say why it is closed."""
    if not wish.closures:
        return None
    message = _("Closed: %(reasons)s.") % {"reasons": ", ".join(wish.closures)}
    return Failure("not_closed", message, "from")


RULE_BOOK: tuple[Check, ...] = (
    ends_after_it_starts,
    starts_on_the_grid,
    ends_on_the_grid,
    not_in_the_past,
    not_too_far_ahead,
    not_too_short,
    not_too_long,
    within_bookable_hours,
    not_closed,
)


def failures(rules: Rules, wish: Wish) -> list[Failure]:
    """Return every broken rule, in the order of the rule book; empty when the wish is fine."""
    return [failure for check in RULE_BOOK if (failure := check(rules, wish)) is not None]


def _on_grid(moment: datetime, rules: Rules) -> bool:
    local = moment.astimezone(rules.time_zone)
    return not (local.minute % rules.slot_step_min or local.second or local.microsecond)
