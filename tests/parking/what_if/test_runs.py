"""The desk's questions are answered once each, one at a time, whatever dies."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from config.celery import app
from parking import tasks
from parking.models import SimulationState, Spot, TariffSimulation, Zone
from parking.tasks import nudges
from parking.tasks import simulations as task
from parking.what_if import runs
from parking.what_if.crew import WorkerDied
from parking.what_if.figures import Figures
from tests import cast
from tests.parking.what_if.situations import a_past_stay

NOW = cast.NOW


def asked(zone: Zone, **words: Any) -> TariffSimulation:
    return runs.ask(
        **{
            "version": zone.tariffs.get(),
            "start_on": date(2026, 3, 3),
            "end_on": date(2026, 3, 4),
            "by": None,
            "now": NOW,
            **words,
        }
    )


def test_the_task_answers_what_was_asked(spot: Spot) -> None:
    a_past_stay(spot, NOW, 60, paid=150)
    simulation = asked(spot.zone)

    assert tasks.run_simulations() == 1

    simulation.refresh_from_db()
    assert simulation.state == SimulationState.DONE
    assert (simulation.done, simulation.total) == (1, 1)
    total = Figures.from_json(simulation.result).total
    assert (total.old, total.new, total.losers) == (150, 200, 1)
    assert tasks.run_simulations() == 0


def test_a_draft_that_is_edited_meanwhile_is_answered_as_it_was_asked(spot: Spot) -> None:
    a_past_stay(spot, NOW, 60, paid=150)
    simulation = asked(spot.zone)
    simulation.version.document = cast.FREE_OF_CHARGE  # never saved where it is approved
    tasks.run_simulations()

    simulation.refresh_from_db()
    assert Figures.from_json(simulation.result).total.new == 200


def test_the_oldest_goes_first_and_one_at_a_time(zone: Zone) -> None:
    first, second = asked(zone), asked(zone)
    assert (runs.ahead_of(first), runs.ahead_of(second)) == (0, 1)

    run = runs.claim(now=NOW)

    assert run is not None
    assert run.id == first.pk
    assert runs.claim(now=NOW + timedelta(seconds=1)) is None
    runs.finish(run=run, figures=Figures(), now=NOW)
    following = runs.claim(now=NOW)
    assert following is not None
    assert following.id == second.pk


def test_who_falls_silent_loses_the_run_and_cannot_write_to_it_any_more(zone: Zone) -> None:
    simulation = asked(zone)
    dead = runs.claim(now=NOW)
    assert dead is not None
    runs.progress(run=dead, done=3, total=9, now=NOW)
    assert runs.claim(now=NOW + runs.SILENT - timedelta(seconds=1)) is None

    alive = runs.claim(now=NOW + runs.SILENT)

    assert alive is not None
    assert (alive.id, alive.attempt) == (simulation.pk, 2)
    with pytest.raises(runs.Lost):
        runs.progress(run=dead, done=4, total=9, now=NOW)
    runs.finish(run=dead, figures=Figures(), now=NOW)
    runs.give_back(run=dead, now=NOW)
    simulation.refresh_from_db()
    assert (simulation.state, simulation.done, simulation.total) == ("running", 0, None)
    assert simulation.result is None


def test_a_run_that_kills_every_worker_fails_and_lets_the_next_one_go_on(zone: Zone) -> None:
    deadly, healthy = asked(zone), asked(zone)
    now = NOW
    for _ in range(runs.MOST_ATTEMPTS):
        claimed = runs.claim(now=now)
        assert claimed is not None
        assert claimed.id == deadly.pk
        now += runs.SILENT

    following = runs.claim(now=now)

    assert following is not None
    assert following.id == healthy.pk
    deadly.refresh_from_db()
    assert (deadly.state, deadly.ended_at) == (SimulationState.FAILED, now)


def test_a_process_that_dies_lets_the_task_try_again_and_give_up_in_the_end(
    monkeypatch: pytest.MonkeyPatch, zone: Zone, caplog: pytest.LogCaptureFixture
) -> None:
    def die(**question: Any) -> None:
        raise WorkerDied("exit status -9")

    monkeypatch.setattr(task, "simulate", die)
    simulation = asked(zone)

    assert tasks.run_simulations() == runs.MOST_ATTEMPTS

    simulation.refresh_from_db()
    assert simulation.state == SimulationState.FAILED
    assert simulation.result is None
    assert "exit status -9" in caplog.text


def test_a_broken_database_leaves_the_run_to_the_next_worker(
    monkeypatch: pytest.MonkeyPatch, zone: Zone
) -> None:
    def break_down(**question: Any) -> None:
        raise OSError("no space left")

    simulation = asked(zone)
    with monkeypatch.context() as broken:
        broken.setattr(task, "simulate", break_down)
        with pytest.raises(OSError, match="no space"):
            tasks.run_simulations()
    assert tasks.run_simulations() == 0  # it may still be alive
    TariffSimulation.objects.update(beat_at=NOW)

    assert tasks.run_simulations() == 1
    simulation.refresh_from_db()
    assert (simulation.state, simulation.attempts) == (SimulationState.DONE, 2)


def test_without_redis_a_question_waits_for_the_beat(
    monkeypatch: pytest.MonkeyPatch, zone: Zone
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError("connection refused")

    monkeypatch.setattr(nudges, "_quiet_until", 0.0)
    monkeypatch.setattr(task.run_simulations, "apply_async", refuse)
    simulation = asked(zone)

    assert tasks.nudge_simulations() is False
    assert "parking.run_simulations" in {entry["task"] for entry in app.conf.beat_schedule.values()}
    simulation.refresh_from_db()
    assert simulation.state == SimulationState.QUEUED


def test_the_database_refuses_a_period_that_goes_backwards(zone: Zone) -> None:
    with pytest.raises(IntegrityError, match="simulation_period_forward"), transaction.atomic():
        asked(zone, end_on=date(2026, 3, 3))
