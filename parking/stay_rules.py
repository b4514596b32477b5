"""May this spot be booked like this? A list of named checks that reads as the rule book. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from parking import numerals, stay_words
from parking.formatting import clock, listed, moment


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
    lead_time_min: int = 0
    no_return_min: int = 0
    most_stays_ahead: int | None = None  # per vehicle; None: no limit
    buffer_min: int = 0  # asked by availability and held by the database
    reservable_percent: int | None = None  # of a street's spots; None: all
    walk_up_min: int = 15
    release_after_min: int | None = None  # asked by arrivals; None: the spot is kept to the end

    @property
    def count_stays_of_the_vehicle(self) -> bool:
        """Whether a rule must know the other stays of the vehicle."""
        return bool(self.no_return_min or self.most_stays_ahead is not None)

    @property
    def count_others(self) -> bool:
        """Whether a rule may have to know what others hold."""
        return self.count_stays_of_the_vehicle or self.reservable_percent is not None

    def count_reservations(self, *, start: datetime, now: datetime) -> bool:
        """Whether a rule must know what is reserved in the street."""
        return self.reservable_percent is not None and start > now + timedelta(
            minutes=self.walk_up_min
        )


@dataclass(frozen=True)
class OtherStay:
    """`[start, end)` of another booking, aware."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class EventLimit:
    """An event in whose time stays are shorter; length in minutes."""

    name: str
    longest_stay_min: int


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody would like: `[start, end)`, aware; and the moment of asking."""

    start: datetime
    end: datetime
    now: datetime
    closures: Sequence[str] = ()  # reasons of the closures that the period touches
    event_limits: Sequence[EventLimit] = ()  # of the events that the period touches
    stays_of_vehicle: Sequence[OtherStay] = ()  # in the zone, live, by their start
    reserved: Sequence[OtherStay] = ()  # in advance, in the street, touching the period
    street_spots: int = 0  # in use

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
    message = stay_words.starts_on_steps(rules.slot_step_min)
    return Failure("starts_on_the_grid", message, "from")


def ends_on_the_grid(rules: Rules, wish: Wish) -> Failure | None:
    """Refuse an end that is not on the zone's step."""
    if _on_grid(wish.end, rules):
        return None
    message = stay_words.ends_on_steps(rules.slot_step_min)
    return Failure("ends_on_the_grid", message, "to")


def not_in_the_past(rules: Rules, wish: Wish) -> Failure | None:
    """Refuse a start before the step that is running now."""
    if wish.start > wish.now - timedelta(minutes=rules.slot_step_min):
        return None
    return Failure("not_in_the_past", _("This start has already passed."), "from")


def lead_time(rules: Rules, wish: Wish) -> Failure | None:
    """Refuse a start sooner after booking than the zone wants, and name the first one."""
    if not rules.lead_time_min or not_in_the_past(rules, wish) is not None:  # said already
        return None
    earliest = wish.now + timedelta(minutes=rules.lead_time_min)
    if wish.start >= earliest:
        return None
    first = _clock(_up_to_grid(earliest, rules), rules, wish)
    return Failure("lead_time", stay_words.too_soon(rules.lead_time_min, first), "from")


def not_too_far_ahead(rules: Rules, wish: Wish) -> Failure | None:
    """Refuse a start beyond the days that the zone opens ahead."""
    if wish.start <= wish.now + timedelta(days=rules.book_ahead_days):
        return None
    message = stay_words.too_far_ahead(rules.book_ahead_days)
    return Failure("not_too_far_ahead", message, "from")


def not_too_short(rules: Rules, wish: Wish) -> Failure | None:
    """Refuse a stay under the shortest one."""
    if wish.minutes >= rules.shortest_stay_min or wish.end <= wish.start:  # said already
        return None
    return Failure("not_too_short", stay_words.too_short(rules.shortest_stay_min), "to")


def not_too_long(rules: Rules, wish: Wish) -> Failure | None:
    """Refuse a stay over the longest one."""
    if wish.minutes <= rules.longest_stay_min:
        return None
    return Failure("not_too_long", stay_words.too_long(rules.longest_stay_min), "to")


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
        "opens": numerals.clock(rules.bookable_from),
        "closes": numerals.clock(rules.bookable_to),
    }
    return Failure("within_bookable_hours", message, "from")


def not_closed(rules: Rules, wish: Wish) -> Failure | None:
    """Refuse a stay that touches a closure, and say why it is closed."""
    if not wish.closures:
        return None
    message = _("Closed: %(reasons)s.") % {"reasons": listed(wish.closures)}
    return Failure("not_closed", message, "from")


def not_too_long_for_event(rules: Rules, wish: Wish) -> Failure | None:
    """Refuse a stay over what an event leaves, and name the event."""
    broken = [limit for limit in wish.event_limits if wish.minutes > limit.longest_stay_min]
    if not broken:
        return None
    message = " ".join(
        stay_words.too_long_for_event(limit.name, limit.longest_stay_min) for limit in broken
    )
    return Failure("not_too_long_for_event", message, "to")


def no_return(rules: Rules, wish: Wish) -> Failure | None:
    """Refuse a stay too close to another one of the vehicle, and say from when it may come."""
    away = timedelta(minutes=rules.no_return_min)
    if not away or wish.end <= wish.start:
        return None
    length, first = wish.end - wish.start, wish.start
    for stay in wish.stays_of_vehicle:
        if first < stay.end + away and stay.start < first + length + away:
            first = _up_to_grid(stay.end + away, rules)
    if first == wish.start:
        return None
    message = _("This vehicle may come back from %(time)s.") % {"time": _clock(first, rules, wish)}
    return Failure("no_return", message, "from")


def away_from_the_next_stay(rules: Rules, wish: Wish) -> Failure | None:
    """Refuse a stay that grows too close to the vehicle's next one in the zone."""
    away = timedelta(minutes=rules.no_return_min)
    later = [stay.start for stay in wish.stays_of_vehicle if stay.start >= wish.start]
    if not away or not later or wish.end + away <= min(later):
        return None
    next_start = _clock(min(later), rules, wish)
    message = stay_words.too_near_the_next(rules.no_return_min, next_start)
    return Failure("away_from_the_next_stay", message, "to")


def fair_share(rules: Rules, wish: Wish) -> Failure | None:
    """Refuse one stay more than a vehicle may have running or to come."""
    if rules.most_stays_ahead is None:
        return None
    ahead = sum(stay.end > wish.now for stay in wish.stays_of_vehicle)
    if ahead < rules.most_stays_ahead:
        return None
    return Failure("fair_share", stay_words.too_many(rules.most_stays_ahead), "vehicle")


def reservable_share(rules: Rules, wish: Wish) -> Failure | None:
    """Refuse a reservation in advance beyond the street's share, at its fullest moment."""
    if rules.reservable_percent is None or not rules.count_reservations(
        start=wish.start, now=wish.now
    ):
        return None
    if _fullest(wish) < wish.street_spots * rules.reservable_percent // 100:
        return None
    message = stay_words.share_is_taken(rules.reservable_percent, rules.walk_up_min)
    return Failure("reservable_share", message, "from")


RULE_BOOK: tuple[Check, ...] = (
    ends_after_it_starts,
    starts_on_the_grid,
    ends_on_the_grid,
    not_in_the_past,
    lead_time,
    not_too_far_ahead,
    not_too_short,
    not_too_long,
    within_bookable_hours,
    not_closed,
    not_too_long_for_event,
    no_return,
    fair_share,
    reservable_share,
)

# What binds a stay that grows: its start was judged when it was booked.
LONGER_BOOK: tuple[Check, ...] = (
    ends_after_it_starts,
    ends_on_the_grid,
    not_too_long,
    within_bookable_hours,
    not_closed,
    not_too_long_for_event,
    away_from_the_next_stay,
)

# What binds a stay that keeps its start and gets another spot or end.
SAME_START_BOOK: tuple[Check, ...] = tuple(
    check
    for check in RULE_BOOK
    if check not in (starts_on_the_grid, not_in_the_past, lead_time, not_too_far_ahead)
)

# What binds a vehicle, for a stay that gets another plate.
VEHICLE_BOOK: tuple[Check, ...] = (no_return, fair_share)


def failures(rules: Rules, wish: Wish, rule_book: Sequence[Check] = RULE_BOOK) -> list[Failure]:
    """Return every broken rule, in the order of the rule book; empty when the wish is fine."""
    return [failure for check in rule_book if (failure := check(rules, wish)) is not None]


def _on_grid(moment: datetime, rules: Rules) -> bool:
    local = moment.astimezone(rules.time_zone)
    return not (local.minute % rules.slot_step_min or local.second or local.microsecond)


def _up_to_grid(moment: datetime, rules: Rules) -> datetime:
    local = moment.astimezone(rules.time_zone)
    past = timedelta(
        minutes=local.minute % rules.slot_step_min,
        seconds=local.second,
        microseconds=local.microsecond,
    )
    return moment + timedelta(minutes=rules.slot_step_min) - past if past else moment


def _clock(at: datetime, rules: Rules, wish: Wish) -> str:
    """Write the local time, with its day where that is not the day of the wish."""
    local, asked = at.astimezone(rules.time_zone), wish.start.astimezone(rules.time_zone)
    return clock(at) if local.date() == asked.date() else moment(at)


def _fullest(wish: Wish) -> int:
    """Return how many reservations stand in the street at the fullest moment of the wish."""
    begun = [max(stay.start, wish.start) for stay in wish.reserved]
    return max(
        (sum(stay.start <= at < stay.end for stay in wish.reserved) for at in begun), default=0
    )
