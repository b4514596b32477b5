"""What monitoring reads: true to the rows, the same from every process, and never falling."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from parking import lights, meter_care
from parking.lights.alarms import AlarmKind
from parking.metrics import BUCKETS, counted
from parking.models import CommandState, CountedCommands, Light, Meter, MeterCommand
from tests import cast
from tests.parking.street import a_street_meter

TOKEN = "a-token-of-twenty-four-signs"
NOW = timezone.now()


@pytest.fixture
def meter(db: None) -> Meter:
    """A meter that was never heard, with a plan on its way."""
    made = a_street_meter(cast.a_zone())
    lights.look(now=NOW)
    return made


@pytest.fixture
def figures(settings: Any) -> Any:
    """Read the page as a monitoring system does."""
    settings.METRICS_TOKEN = TOKEN

    def read() -> dict[tuple[str, tuple[str, ...]], float]:
        answer = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        assert answer["Content-Type"].startswith("text/plain")
        return {
            (sample.name.removeprefix("curblight_"), tuple(sample.labels.values())): sample.value
            for family in text_string_to_metric_families(answer.content.decode())
            for sample in family.samples
        }

    return read


@pytest.mark.django_db
def test_only_who_knows_the_token_reads_it(settings: Any) -> None:
    browser = Client()
    settings.METRICS_TOKEN = ""
    assert browser.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
    settings.METRICS_TOKEN = TOKEN
    for said in ("", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \u00e9"):
        answer = browser.get("/metrics", headers={"Authorization": said})
        assert (answer.status_code, b"curblight" in answer.content) == (401, False)
    assert browser.post("/metrics").status_code == 405


def ended(meter: Meter, state: str, waited_s: float | None, at: Any = None) -> None:
    at = at or timezone.now()
    asked = at - timedelta(seconds=waited_s or 1)
    MeterCommand.objects.create(
        meter=meter,
        revision=99,
        body={},
        state=state,
        created_at=asked,
        not_after=at,
        next_attempt_at=at,
        ended_at=at,
        reported_at=None if waited_s is None else at,
    )


def test_figures_are_those_of_the_rows(meter: Meter, figures: Any) -> None:
    ended(meter, "applied", 0.3)
    ended(meter, "applied", 40)
    ended(meter, "dead", None)
    long_ago = timezone.now() - timedelta(minutes=5)
    Light.objects.update(desired_at=long_ago, differs_since=long_ago)
    found = figures()
    assert found["meter_commands_total", ("applied",)] == 2
    assert found["meter_commands_total", ("dead",)] == 1
    assert found["meter_commands_total", ("expired",)] == 0
    assert found["meter_commands_open", ("pending",)] == 1
    assert found["meter_commands_oldest_seconds", ()] > 0
    buckets = [found["light_convergence_seconds_bucket", (str(float(b)),)] for b in BUCKETS]
    assert buckets == [0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2]
    assert found["light_convergence_seconds_count", ()] == 2
    assert found["light_convergence_seconds_sum", ()] == pytest.approx(40.3)
    assert found["lights", ()] == found["lights_unconverged", ()] == 2
    assert found["meters", ("in_use",)] == found["meters", ("silent",)] == 1
    assert found["alarms", ("silent",)] == 1
    assert found["alarms", ("unconverged",)] == 2
    assert {labels[0] for name, labels in found if name == "alarms"} == set(AlarmKind)
    assert found["queue_depth", ("celery",)] >= 0


def test_meters_in_maintenance_raise_no_alarm(meter: Meter, figures: Any) -> None:
    now = timezone.now()
    long_ago = now - timedelta(minutes=5)
    Light.objects.update(desired_at=long_ago, differs_since=long_ago)
    meter_care.begin_maintenance(
        meter_ids=[meter.pk],
        until=now + timedelta(hours=1),
        why="pole",
        by=cast.a_person("anna"),
        now=now,
    )
    found = figures()
    assert sum(value for (name, _labels), value in found.items() if name == "alarms") == 0
    assert found["meters", ("maintenance",)] == 1
    assert found["lights_unconverged", ()] == 2, "that is no alarm, but still so"


def test_what_was_counted_is_counted_once_and_never_forgotten(meter: Meter) -> None:
    day = timedelta(days=1)
    for hours in range(48):
        ended(meter, "applied", 3, NOW - timedelta(hours=hours))
    before = counted(now=NOW - day)  # as it was a day ago, when these had not all happened
    assert CountedCommands.objects.get().until == NOW - day - timedelta(minutes=10)
    for later in (NOW, NOW, NOW + day):
        after = counted(now=later)
        assert after.ended == {"applied": 48}
        assert sum(after.waits) == 48
        assert after.waited_s == pytest.approx(144)
    assert before.ended["applied"] <= 48
    assert CountedCommands.objects.count() == 1
    ended(meter, "applied", 3, NOW + day)
    assert counted(now=NOW + day).ended == {"applied": 49}


def test_a_plan_that_is_sent_again_though_the_meter_has_it_is_no_wait(meter: Meter) -> None:
    Meter.objects.update(reported_revision=1, last_seen_at=NOW)
    first = MeterCommand.objects.get()
    assert first.reported_at == NOW
    again = lights.send_again(meter_id=meter.pk, now=NOW + timedelta(hours=1))
    assert again is not None
    again.refresh_from_db()
    assert again.reported_at == again.created_at
    assert sum(counted(now=NOW).waits) == 0, "the first was reported in the same moment, too"
    Meter.objects.update(reported_revision=0, last_seen_at=NOW + timedelta(hours=2))
    again.refresh_from_db()
    assert again.reported_at is None, "it restarted and has to say it again"
    heard = NOW + timedelta(hours=3)
    Meter.objects.update(reported_revision=1, last_seen_at=heard)
    again.refresh_from_db()
    first.refresh_from_db()
    assert (first.reported_at, again.reported_at) == (NOW, heard)
    assert first.state == CommandState.SUPERSEDED


def test_without_redis_the_other_figures_are_there(
    meter: Meter, figures: Any, settings: Any
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    found = figures()
    assert found["lights", ()] == 2
    assert not any(name == "queue_depth" for name, _labels in found)


def test_the_page_takes_the_same_queries_for_many_meters(
    meter: Meter, figures: Any, django_assert_max_num_queries: Any
) -> None:
    figures()
    for number in range(2, 20):
        a_street_meter(meter.zone, f"MTR-{number:06d}")
    lights.look(now=timezone.now())
    with django_assert_max_num_queries(13):
        figures()
