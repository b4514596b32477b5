"""No stay, and no step by which one is extended, costs less than the processor takes."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from unittest.mock import Mock
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parking import smallest_charge as looked
from parking import stay_rules
from parking.pricing import QuoteError, Tariff, quote
from parking.smallest_charge import Answer, Finding, search, smallest_charge
from tests.parking.pricing.helpers import WORKDAYS, band, document, tariff
from tests.parking.pricing.strategies import Example, examples

MONDAY = datetime(2026, 3, 2, tzinfo=ZoneInfo("Europe/Zurich"))
MINUTE = timedelta(minutes=1)


def _rules(zone: str = "Europe/Zurich", **fields: Any) -> stay_rules.Rules:
    return stay_rules.Rules(
        **{
            "longest_stay_min": 240,
            "shortest_stay_min": 15,
            "slot_step_min": 15,
            "book_ahead_days": 7,
            "bookable_from": None,
            "bookable_to": None,
            "time_zone": ZoneInfo(zone),
            **fields,
        }
    )


def _ask(priced_by: Tariff, minimum: int = 50, **rules: Any) -> Answer:
    return smallest_charge(tariff=priced_by, rules=_rules(**rules), minimum=minimum, since=MONDAY)


def _said(finding: Finding) -> tuple[int, int | None, int, str | None]:
    return finding.minutes, finding.longer_min, finding.amount, finding.vehicle_class


def test_a_stay_that_is_too_cheap_is_found_with_its_step() -> None:
    found = _ask(tariff(band(per_hour=100)))

    assert [_said(one) for one in found.findings] == [(15, None, 25, None), (15, 30, 25, None)]
    assert {one.band for one in found.findings} == {0}
    assert (found.upto_min, found.longest_min) == (240, 240)


def test_longer_stays_and_steps_mend_it() -> None:
    assert _ask(tariff(band(per_hour=100)), shortest_stay_min=30).findings != ()
    assert _ask(tariff(band(per_hour=100)), slot_step_min=30, shortest_stay_min=30).findings == ()


def test_a_lowest_charge_mends_the_price_and_not_the_step() -> None:
    found = _ask(tariff(band(per_hour=100), min_charge=50))

    assert [_said(one) for one in found.findings] == [(30, 45, 25, None)]


def test_rounding_to_the_minimum_mends_both() -> None:
    assert _ask(tariff(band(per_hour=100), rounding={"unit": 50, "mode": "up"})).findings == ()


def test_what_is_free_may_be_free() -> None:
    assert _ask(tariff(band(per_hour=0))).findings == ()
    assert _ask(tariff(band("09:00", "18:00", 400, ["mon"]))).findings == ()
    free_class = tariff(band(per_hour=400), vehicle_classes={"disabled": {"percent": 0}})
    assert _ask(free_class).findings == ()


def test_a_class_that_pays_a_part_is_looked_at_too() -> None:
    found = _ask(tariff(band(per_hour=200), vehicle_classes={"low_emission": {"percent": 50}}))

    assert [_said(one) for one in found.findings] == [
        (15, None, 25, "low_emission"),
        (15, 30, 25, "low_emission"),
    ]


def test_the_band_that_is_too_cheap_is_named_and_not_the_other() -> None:
    found = _ask(tariff(band("09:00", "18:00", 400), band("18:00", "24:00", 120)))

    assert {one.band for one in found.findings} == {1}
    local = found.findings[0].start.astimezone(MONDAY.tzinfo)
    assert time(17) <= local.time()


def test_a_price_of_a_holiday_years_from_now_is_found() -> None:
    dear, cheap = band(days=WORKDAYS, per_hour=400), band(days=["sun"], per_hour=100)
    may_day = {"2031-05-01": "May Day"}  # a Thursday

    def findings(**keys: Any) -> tuple[Finding, ...]:
        priced_by = tariff(dear, cheap, **keys)
        # One Monday, and what the holidays ask for.
        return smallest_charge(
            tariff=priced_by, rules=_rules(), minimum=50, since=MONDAY, days=1
        ).findings

    assert findings() == findings(holidays=may_day) == ()
    found = findings(holidays=may_day, holiday_behaves_like="sun")
    assert [_said(one)[:2] for one in found] == [(15, None), (15, 30)]
    assert {f"{one.start.astimezone(MONDAY.tzinfo):%Y-%m-%d}" for one in found} <= {
        "2031-04-30",
        "2031-05-01",
    }


def test_what_happens_only_across_midnight_is_found() -> None:
    # In one day the cap ends all; in two, the highest charge cuts a step short.
    capped = tariff(band(per_hour=100), cap_per_local_day=100, max_charge=120)

    found = _ask(capped, slot_step_min=30, shortest_stay_min=30, longest_stay_min=180).findings

    assert [_said(one) for one in found] == [(60, 90, 20, None)]
    assert found[0].start.astimezone(MONDAY.tzinfo).hour >= 23


def test_a_night_on_which_clocks_go_by_half_an_hour_has_lengths_of_its_own() -> None:
    lord_howe = "Australia/Lord_Howe"
    priced_by = Tariff.parse({**document(band(per_hour=100)), "time_zone": lord_howe})
    rules = _rules(lord_howe, slot_step_min=20, shortest_stay_min=30, longest_stay_min=40)

    def found(month: int) -> list[int]:
        since = datetime(2026, month, 4, tzinfo=ZoneInfo(lord_howe))
        answer = smallest_charge(tariff=priced_by, rules=rules, minimum=60, since=since, days=2)
        return [one.minutes for one in answer.findings]

    assert found(3) == []
    assert found(10) == [30]  # from 1:40 to 2:40


def test_a_stay_that_ends_as_the_clock_goes_back_stands_for_no_other() -> None:
    lord_howe = "Australia/Lord_Howe"
    priced_by = Tariff.parse({**document(band("01:00", "24:00", 1)), "time_zone": lord_howe})
    rules = _rules(lord_howe, slot_step_min=60, longest_stay_min=60)
    since = datetime(2026, 4, 5, tzinfo=UTC)  # from 1:00 to 2:00, when it is 1:30 again
    answer = smallest_charge(tariff=priced_by, rules=rules, minimum=30, since=since, days=2)
    assert [one.minutes for one in answer.findings] == [60]


def test_no_minimum_asks_nothing() -> None:
    assert _ask(tariff(band(per_hour=1)), minimum=1).findings == ()


def test_hours_in_which_nobody_can_book_do_not_count() -> None:
    cheap_at_night = tariff(band("08:00", "20:00", 400), band("20:00", "08:00", 100))

    assert _ask(cheap_at_night).findings != ()
    day = _ask(cheap_at_night, bookable_from=time(8), bookable_to=time(20))
    assert day.findings == ()


def test_what_was_left_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looked, "_STAYS_AT_MOST", 8)
    found = _ask(tariff(band(per_hour=400)))

    assert (found.upto_min, found.longest_min) == (30, 240)
    month = _ask(tariff(band(per_hour=400)), longest_stay_min=43_200)
    assert month.upto_min < month.longest_min == 43_200


@pytest.mark.parametrize(
    "heavy",
    [
        document(
            band("09:00", "21:00", 400, ["mon", "tue", "wed", "thu", "fri"]),
            band("09:00", "18:00", 350, ["sat"]),
            vehicle_classes={"low_emission": {"percent": 50}, "disabled": {"percent": 0}},
            holidays={f"2026-{month:02}-11": "holiday" for month in range(1, 13)},
            holiday_behaves_like="sun",
            rounding={"unit": 50, "mode": "up"},
        ),
        document(
            band("07:00", "19:00", 400, tiers=[{"upto_min": 60, "per_hour": 4}, {"per_hour": 900}]),
            band("19:00", "07:00", 200),
            cap_per_local_day=2000,
            progression_reset="local_day",
            window_flats=[
                {"from": "18:00", "to": "06:00", "amount": 500, "applies_if": "covers_whole"},
                {"from": "12:00", "to": "13:00", "amount": 100, "applies_if": "touches"},
            ],
        ),
    ],
)
@pytest.mark.parametrize("rules", [{}, {"longest_stay_min": 1440}])
def test_a_person_does_not_wait_for_it(
    heavy: dict[str, Any], rules: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a week's stays in steps of five minutes a tenth is priced; the others are like them."""
    priced = Mock(wraps=quote)
    monkeypatch.setattr(search, "quote", priced)
    _ask(Tariff.parse(heavy), slot_step_min=5, **rules)

    starts, lengths = 7 * 24 * 12, (rules.get("longest_stay_min", 240) - 15) // 5 + 1
    assert 0 < priced.call_count < starts * lengths / 9


def _obvious(
    priced_by: Tariff, rules: stay_rules.Rules, minimum: int, since: datetime, days: int
) -> dict[tuple[bool, str | None], int]:
    """Look at every stay one by one; return the shortest that cannot be paid, and first step."""
    found: dict[tuple[bool, str | None], int] = {}

    def note(step: bool, vehicle_class: str | None, minutes: int, amount: int) -> None:
        if 0 < amount < minimum:
            key = (step, vehicle_class)
            found[key] = min(minutes, found.get(key, minutes))

    first = since.astimezone(priced_by.zone).replace(hour=0, minute=0)
    start = first.astimezone(UTC)
    while start.astimezone(priced_by.zone).date() < first.date() + timedelta(days=days):
        for vehicle_class in [None, *priced_by.vehicle_classes]:
            before: tuple[int, int] | None = None
            for minutes in range(5, rules.longest_stay_min + 1, 5):
                wish = stay_rules.Wish(start=start, end=start + minutes * MINUTE, now=start)
                if stay_rules.failures(rules, wish):
                    continue
                try:
                    total = quote(
                        tariff=priced_by,
                        start=wish.start,
                        end=wish.end,
                        vehicle_class=vehicle_class,
                    ).total
                except QuoteError:
                    before = None
                    continue
                note(False, vehicle_class, minutes, total)
                if before is not None:
                    note(True, vehicle_class, before[0], total - before[1])
                before = (minutes, total)
        start += 5 * MINUTE
    return found


RULES = st.fixed_dictionaries(
    {
        "slot_step_min": st.sampled_from([20, 30, 60]),
        "shortest_stay_min": st.sampled_from([15, 30, 60]),
        "longest_stay_min": st.sampled_from([60, 120, 200]),
    }
)
HOURS = st.sampled_from([(None, None)] * 3 + [(time(8), time(20)), (time(20), time(3))])


@settings(max_examples=15, deadline=None)
@given(examples(), RULES, HOURS, st.sampled_from([30, 100, 400]), st.integers(0, 1))
def test_it_finds_what_an_obvious_search_of_every_stay_finds(
    example: Example,
    rules: dict[str, int],
    hours: tuple[time | None, time | None],
    minimum: int,
    earlier: int,
) -> None:
    holidays = example.document.get("holidays", {})
    priced_by = Tariff.parse(example.document)
    bookable = _rules(priced_by.time_zone, bookable_from=hours[0], bookable_to=hours[1], **rules)
    since = example.start.replace(minute=0) - timedelta(days=earlier)

    found = smallest_charge(tariff=priced_by, rules=bookable, minimum=minimum, since=since, days=2)

    shortest: dict[tuple[bool, str | None], int] = {}
    for one in found.findings:
        key = (one.longer_min is not None, one.vehicle_class)
        shortest[key] = min(one.minutes, shortest.get(key, one.minutes))
    obvious = _obvious(priced_by, bookable, minimum, since, 2)
    if holidays:  # around them it looks at more days
        assert all(shortest[key] <= minutes for key, minutes in obvious.items())
    else:
        assert shortest == obvious
    assert found.upto_min == found.longest_min
