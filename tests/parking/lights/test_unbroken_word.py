"""A sensor's "free" counts from the report since which nothing else can have been true."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parking import arrivals
from parking.arrivals import Word
from parking.models import Meter, Spot, Zone
from tests import cast
from tests.parking.sensors import Sensor

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Report:
    """What is said, how many half minutes after the report before; after a reboot, or late."""

    word: bool | None
    half_minutes: int
    reboots: bool = False
    is_late: bool = False


REPORTS = st.lists(
    st.builds(
        Report,
        word=st.sampled_from([False, False, False, False, True, None]),
        half_minutes=st.sampled_from([1, 2, 2, 2, 4, 5, 6]),
        reboots=st.sampled_from([False] * 9 + [True]),
        is_late=st.sampled_from([False] * 9 + [True]),
    ),
    max_size=14,
)


def free_since(reports: list[Report]) -> float | None:
    """Walk back from the last report to the first one of the unbroken word, in minutes."""
    times, at = [], 0.0
    for report in reports:
        at += report.half_minutes / 2
        times.append(at)
    found = None
    for index in reversed(range(len(reports))):
        report = reports[index]
        if report.word is not False or report.is_late:
            break
        found = times[index]
        # 2.5 minutes are the longest gap between two reports; a reboot parts them too.
        if report.reboots or report.half_minutes > 5:
            break
    return found


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(reports=REPORTS)
def test_it_is_kept_as_a_walk_over_all_reports_finds_it(zone: Zone, reports: list[Report]) -> None:
    Meter.objects.all().delete()
    Spot.objects.all().delete()
    sensor = Sensor(zone, saw_a_car=None)
    at = 0.0
    for report in reports:
        at += report.half_minutes / 2
        if report.reboots:
            sensor.reboots()
        sensor.says(report.word, at, late=1 if report.is_late else 0)
    expected = free_since(reports)
    assert sensor.light.free_since == (None if expected is None else cast.at(expected))


def test_what_a_past_boot_says_late_changes_nothing(zone: Zone) -> None:
    sensor = Sensor(zone)
    sensor.says_free(0, 3)
    sensor.boot, old = "b2", sensor.boot
    sensor.says(False, 4)
    sensor.boot = old
    sensor.says(True, 4.5)
    assert sensor.light.free_since == cast.at(4)
    assert sensor.light.occupied_at == cast.at(-60)


@pytest.mark.parametrize(
    ("asked_at", "word"), [(5, Word.FREE), (7.5, Word.FREE), (7.6, Word.UNCLEAR)]
)
def test_a_word_is_good_for_two_and_a_half_minutes(zone: Zone, asked_at: float, word: Word) -> None:
    sensor = Sensor(zone)
    sensor.says_free(-1, 5)
    said = arrivals.word(light=sensor.light, has_fault=False, since=cast.NOW, now=cast.at(asked_at))
    assert said == word


def test_a_spot_without_a_light_says_nothing() -> None:
    said = arrivals.word(light=None, has_fault=False, since=cast.NOW, now=cast.at(1))
    assert said == Word.UNCLEAR
