"""The sums agree with a plain loop over the stays, priced from the rules alone."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parking.pricing import Tariff
from parking.what_if.figures import Figures, Sums, length_group
from parking.what_if.worker import count_block
from tests.parking.pricing.slow_pricer import NotSold, slow_price
from tests.parking.pricing.strategies import LENGTHS, STARTS, examples
from tests.parking.what_if.situations import Stay, a_block

PAID = st.sampled_from([0, 1, 100, 250, 400, 1000])


@dataclass(frozen=True)
class History:
    """A draft, and stays around a night on which clocks change or a holiday is."""

    document: dict[str, Any]
    stays: list[Stay]


@st.composite
def histories(draw: st.DrawFn) -> History:
    example = draw(examples())
    classes = st.sampled_from(["", "unheard_of", *example.document.get("vehicle_classes", {})])
    stays = st.tuples(STARTS, LENGTHS, PAID, classes)
    return History(
        example.document,
        [
            (example.start + timedelta(minutes=shift), minutes, paid, vehicle_class)
            for shift, minutes, paid, vehicle_class in draw(st.lists(stays, max_size=8))
        ],
    )


def plainly(history: History) -> tuple[dict[tuple[str, object], list[int]], Counter[str]]:
    """Return stays, old, new, winners, losers of every group; and what is not sold, by reason."""
    zone = ZoneInfo(history.document["time_zone"])
    known = history.document.get("vehicle_classes", {})
    groups: dict[tuple[str, object], list[int]] = {}
    unsold: Counter[str] = Counter()
    for start, minutes, paid, vehicle_class in history.stays:
        if vehicle_class and vehicle_class not in known:
            unsold["unknown_vehicle_class"] += 1
            continue
        end = start + timedelta(minutes=minutes)
        try:
            _, price = slow_price(history.document, start, end, vehicle_class or None)
        except NotSold:
            unsold["ladder_exceeded"] += 1
            continue
        local = start.astimezone(zone)
        bounds = [upto for upto in (30, 60, 120, 240, 480) if minutes <= upto] or [None]
        for group in (
            ("all", ""),
            ("hour", local.hour),
            ("weekday", local.strftime("%a")),
            ("length", bounds[0]),
            ("class", vehicle_class),
        ):
            sums = groups.setdefault(group, [0, 0, 0, 0, 0])
            for place, more in enumerate((1, paid, price, price < paid, price > paid)):
                sums[place] += more
    return groups, unsold


def grouped(figures: Figures) -> dict[tuple[str, object], list[int]]:
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    lengths = (30, 60, 120, 240, 480, None)
    named: list[tuple[tuple[str, object], Sums]] = [
        (("all", ""), figures.total),
        *((("hour", hour), sums) for hour, sums in enumerate(figures.by_hour())),
        *((("weekday", days[day]), sums) for day, sums in enumerate(figures.by_weekday())),
        *((("length", lengths[n]), sums) for n, sums in enumerate(figures.by_length())),
        *((("class", name), sums) for name, sums in figures.by_class().items()),
    ]
    return {
        name: [sums.stays, sums.old, sums.new, sums.winners, sums.losers]
        for name, sums in named
        if sums.stays
    }


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories())
def test_every_group_is_what_a_plain_loop_finds(history: History) -> None:
    tariff, whole = Tariff.parse(history.document), Figures()
    # One stay a block: each part is added to the others as those of several workers are.
    for stay in history.stays:
        part = Figures()
        assert count_block(part, tariff, a_block([stay])) == 1
        whole.add(Figures.from_json(json.loads(json.dumps(part.as_json()))))
    at_once = Figures()
    count_block(at_once, tariff, a_block(history.stays))

    groups, unsold = plainly(history)
    assert grouped(whole) == groups
    assert {code: apart.stays for code, apart in whole.unsold.items()} == dict(unsold)
    assert at_once.as_json() == whole.as_json()
    total = whole.total
    assert total.difference == total.extra - total.saved
    assert total.same == total.stays - total.winners - total.losers
    paid = sum(stay[2] for stay in history.stays)
    assert total.old + whole.unsold_total.paid == paid  # nothing is lost, nothing counted twice


def test_the_repeated_hour_of_autumn_is_one_hour_of_the_day() -> None:
    document = {
        "currency": "EUR",
        "time_zone": "Europe/Helsinki",
        "bands": [
            {"days": ["sun"], "from": "03:00", "to": "04:00", "tiers": [{"per_hour": 600}]},
        ],
    }
    first = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)  # 03:00, for the first time
    stays = [(first, 60, 100, ""), (first + timedelta(hours=1), 60, 100, "")]
    figures = Figures()
    count_block(figures, Tariff.parse(document), a_block(stays))

    third = figures.by_hour()[3]
    assert (third.stays, third.old, third.new, third.losers) == (2, 200, 1200, 2)
    assert figures.by_hour()[2].stays == figures.by_hour()[4].stays == 0


@pytest.mark.parametrize(
    ("minutes", "group"),
    [(0, 0), (30, 0), (31, 1), (60, 1), (120, 2), (240, 3), (480, 4), (481, 5), (9000, 5)],
)
def test_a_length_belongs_to_the_first_group_that_holds_it(minutes: int, group: int) -> None:
    assert length_group(minutes) == group
