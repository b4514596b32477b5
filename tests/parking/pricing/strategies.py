"""Random tariffs and stays for Hypothesis; nights on which clocks change come often."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
# Forward and back: Zürich at 2 and 3, New York at 2, Lord Howe by half an hour only.
CLOCK_CHANGES = {
    "Europe/Zurich": [date(2026, 3, 29), date(2026, 10, 25)],
    "America/New_York": [date(2026, 3, 8), date(2026, 11, 1)],
    "Australia/Lord_Howe": [date(2026, 4, 5), date(2026, 10, 4)],
}
# Strategies are made once: building them costs more than drawing from them.
AMOUNTS = st.sampled_from([0, 1, 50, 99, 100, 250, 333, 400, 1000, 2500])


HOLIDAYS = st.lists(st.integers(-3, 3), max_size=3, unique=True)
DAY_LISTS = st.just(DAYS) | st.lists(st.sampled_from(DAYS), min_size=1, unique=True)
COMMON_TIMES = [0, 90, 120, 150, 180, 360, 540, 1080, 1200]
BEGINS = st.sampled_from(COMMON_TIMES) | st.integers(0, 1439)
ENDS = st.sampled_from([*COMMON_TIMES, 1440]) | st.integers(0, 1439)
HOURS = st.tuples(BEGINS, ENDS).filter(lambda hours: hours[0] != hours[1])
TIER_LIMITS = st.sets(st.sampled_from([15, 30, 60, 61, 120, 600]), max_size=2)
LADDER_LIMITS = st.sets(st.sampled_from([15, 60, 240, 1440, 4000]), min_size=1)
SHAPES = st.sampled_from(["bands", "bands", "bands", "ladder", "both"])
BAND_COUNTS = st.integers(1, 4)
APPLIES_IF = st.sampled_from(["covers_whole", "touches"])
STARTS = st.integers(-2 * 1440, 2 * 1440)
LENGTHS = st.integers(0, 240) | st.integers(0, 1440) | st.integers(0, 3 * 1440)
ZONES = st.sampled_from([(zone, near) for zone, days in CLOCK_CHANGES.items() for near in days])
CLASSES = {"low_emission": {"percent": 33}, "disabled": {"percent": 0}}
CLASS_NAMES = st.sampled_from([None, *CLASSES])

OPTIONAL: dict[str, st.SearchStrategy[Any]] = {
    "holiday_behaves_like": st.sampled_from(DAYS),
    "progression_reset": st.sampled_from(["session", "local_day", "band"]),
    "free_first_min": st.sampled_from([7, 15, 60]),
    "free_if_leq_min": st.sampled_from([10, 30, 120]),
    "increment": st.fixed_dictionaries(
        {
            "minutes": st.sampled_from([1, 7, 15, 60]),
            "mode": st.sampled_from(["started", "completed", "nearest"]),
        }
    ),
    "min_charge": AMOUNTS,
    "max_charge": st.none() | AMOUNTS,
    "cap_per_local_day": st.none() | AMOUNTS,
    "fixed_fee": AMOUNTS,
    "tax": st.fixed_dictionaries(
        {
            "code": st.just("vat"),
            "rate_bp": st.sampled_from([0, 2550]),
            "included": st.booleans(),
        }
    ),
    "rounding": st.fixed_dictionaries(
        {"unit": st.sampled_from([1, 5, 100]), "mode": st.sampled_from(["up", "down", "nearest"])}
    ),
}
CHOSEN = st.sets(
    st.sampled_from([*OPTIONAL, "holidays", "window_flats", "vehicle_classes"]), max_size=7
)


@dataclass(frozen=True)
class Example:
    """A tariff document with a stay."""

    document: dict[str, Any]
    start: datetime
    end: datetime
    vehicle_class: str | None


@st.composite
def examples(draw: st.DrawFn) -> Example:
    """Draw a valid document of any shape, and a stay of up to three days."""
    zone, near = draw(ZONES)
    document: dict[str, Any] = {"currency": "EUR", "time_zone": zone}
    shape = draw(SHAPES)
    if shape != "ladder":
        document["bands"] = _bands(draw)
    if shape != "bands":
        document["ladder"] = _ladder(draw)
    vehicle_class = None
    for key in sorted(draw(CHOSEN)):
        if key == "holidays":
            days = [near + timedelta(days=number) for number in draw(HOLIDAYS)]
            document[key] = {day.isoformat(): "holiday" for day in days}
        elif key == "window_flats":
            document[key] = [_flat(draw) for _ in range(draw(BAND_COUNTS) // 2)]
        elif key == "vehicle_classes":
            document[key] = CLASSES
            vehicle_class = draw(CLASS_NAMES)
        else:
            document[key] = draw(OPTIONAL[key])
    midnight = datetime(near.year, near.month, near.day, tzinfo=UTC)
    start = midnight + timedelta(minutes=draw(STARTS))
    return Example(document, start, start + timedelta(minutes=draw(LENGTHS)), vehicle_class)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _bands(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw bands of which each has its own priority, so that any overlap is allowed."""
    bands = []
    falling = draw(st.booleans())
    for number in range(draw(BAND_COUNTS)):
        begin, end = draw(HOURS)
        tiers = [
            {"upto_min": limit, "per_hour": draw(AMOUNTS)} for limit in sorted(draw(TIER_LIMITS))
        ]
        bands.append(
            {
                "days": draw(DAY_LISTS),
                "from": _clock(begin),
                "to": _clock(end),
                "tiers": [*tiers, {"per_hour": draw(AMOUNTS)}],
                "priority": -number if falling else number,
            }
        )
    return bands


def _ladder(draw: st.DrawFn) -> list[dict[str, int]]:
    limits = sorted(draw(LADDER_LIMITS))
    totals = sorted(draw(AMOUNTS) for _ in limits)
    return [
        {"upto_min": limit, "total": total} for limit, total in zip(limits, totals, strict=True)
    ]


def _flat(draw: st.DrawFn) -> dict[str, Any]:
    begin, end = draw(HOURS)
    return {
        "from": _clock(begin),
        "to": _clock(end),
        "amount": draw(AMOUNTS),
        "applies_if": draw(APPLIES_IF),
    }
