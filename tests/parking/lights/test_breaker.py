"""An address that does not answer is left alone, and tried by one call; then it gets all plans."""

from __future__ import annotations

import socket
import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from parking import lights, tasks
from parking.lights import breaker, commands, outcomes
from parking.lights.breaker import TRIPS_AFTER
from parking.meter_client import Answer, MeterError
from parking.models import CommandState, Gateway, Meter, MeterCommand, Zone
from tests import cast
from tests.cast import NOW
from tests.parking.street import RunningStreet, a_street_meter, booked_now, eventually, shows

SILENCE = MeterError("unreachable", "no route", retryable=True)
CABLE, RADIO = "http://10.0.0.1", "http://10.0.0.2"


def seconds(count: float) -> datetime:
    return NOW + timedelta(seconds=count)


def meters(zone: Zone, count: int, edge_url: str, first: int = 1) -> list[Meter]:
    """Make meters with a plan to be sent."""
    made = [
        a_street_meter(zone, f"MTR-{number:06d}", lamps=1, edge_url=edge_url)
        for number in range(first, first + count)
    ]
    lights.look(now=NOW)
    return made


def send_all(outcome: Answer | MeterError, now: datetime = NOW) -> list[str]:
    """Send one after the other what may be sent; return the serials that were called."""
    called = []
    while claimed := commands.claim(now=now):
        called += [delivery.serial for delivery in claimed]
        for delivery in claimed:
            outcomes.settle(delivery=delivery, outcome=outcome, now=now)
    return called


def opened(zone: Zone, count: int = 12) -> Gateway:
    """Return the breaker of an address that has just opened."""
    meters(zone, count, CABLE)
    send_all(SILENCE)
    return Gateway.objects.get(opened_at__isnull=False)


@pytest.mark.django_db
def test_after_five_calls_in_vain_nobody_calls_and_other_addresses_are_called(zone: Zone) -> None:
    meters(zone, 12, CABLE)
    assert len(send_all(SILENCE)) == TRIPS_AFTER
    (row,) = breaker.barred(now=NOW)
    assert (row.edge_url, row.failures, row.last_error) == (CABLE, 5, "unreachable: no route")
    assert seconds(1) <= row.open_until <= seconds(2)
    others = meters(zone, 3, RADIO, first=20)
    assert send_all(Answer.APPLIED) == [meter.serial for meter in others]
    assert len(MeterCommand.objects.filter(state=CommandState.PENDING)) == 12


@pytest.mark.django_db
def test_whoever_answers_even_with_an_error_is_there(zone: Zone) -> None:
    meters(zone, 12, CABLE)
    for _turn in range(4):
        send_all(MeterError("unavailable", "503", retryable=True))
    assert not Gateway.objects.exists()


@pytest.mark.django_db
def test_failures_count_only_in_a_row(zone: Zone) -> None:
    meters(zone, 12, CABLE)
    for turn in range(12):
        for delivery in commands.claim(now=NOW):
            outcome = Answer.APPLIED if turn % 4 == 3 else SILENCE
            outcomes.settle(delivery=delivery, outcome=outcome, now=NOW)
    assert not Gateway.objects.exists()


@pytest.mark.django_db
def test_when_its_time_is_over_one_call_tries_and_a_failure_opens_it_for_longer(
    zone: Zone,
) -> None:
    row = opened(zone)
    rests = []
    for _trial in range(6):
        now = row.open_until
        assert len(send_all(SILENCE, now)) == 1
        row.refresh_from_db()
        rests.append((row.open_until - now).total_seconds())
    for rest, longest in zip(rests, (4, 8, 16, 30, 30, 30), strict=True):
        assert longest / 2 <= rest <= longest


@pytest.mark.django_db
def test_an_answer_closes_it_and_everybody_is_called(zone: Zone) -> None:
    row = opened(zone)
    (trial,) = commands.claim(now=row.open_until, limit=50)
    assert trial.is_trial
    assert commands.claim(now=row.open_until, limit=50) == []
    outcomes.settle(delivery=trial, outcome=Answer.APPLIED, now=row.open_until)
    assert not Gateway.objects.exists()
    later = seconds(120)
    assert len(send_all(Answer.APPLIED, later)) == 11
    assert not MeterCommand.objects.exclude(state=CommandState.APPLIED).exists()


@pytest.mark.django_db
def test_a_tester_that_died_is_followed_by_another(zone: Zone) -> None:
    row = opened(zone)
    assert len(commands.claim(now=row.open_until)) == 1
    assert commands.claim(now=row.open_until + timedelta(seconds=19)) == []
    assert len(commands.claim(now=row.open_until + timedelta(seconds=20))) == 1


@pytest.mark.django_db
def test_what_was_on_its_way_when_it_opened_moves_nothing(zone: Zone) -> None:
    meters(zone, 12, CABLE)
    flying = commands.claim(now=NOW, limit=12)
    for delivery in flying[:5]:
        outcomes.settle(delivery=delivery, outcome=SILENCE, now=NOW)
    until = Gateway.objects.get().open_until
    for delivery in flying[5:]:
        outcomes.settle(delivery=delivery, outcome=SILENCE, now=seconds(4))
    assert Gateway.objects.get().open_until == until


@pytest.mark.django_db
def test_commands_end_at_not_after_although_nobody_calls(zone: Zone) -> None:
    opened(zone)
    hour = NOW + commands.GOOD_FOR
    Gateway.objects.update(open_until=hour + timedelta(minutes=1))
    MeterCommand.objects.update(next_attempt_at=hour)
    assert commands.claim(now=hour, limit=50) == []
    assert set(MeterCommand.objects.values_list("state", flat=True)) == {CommandState.EXPIRED}


@pytest.mark.django_db
def test_a_meter_that_calls_us_from_there_lets_one_call_try_soon_and_not_a_crowd(
    zone: Zone,
) -> None:
    row = opened(zone)
    for _trial in range(3):
        row.refresh_from_db()
        send_all(SILENCE, row.open_until)
    row.refresh_from_db()
    called = []
    for second in range(8):
        now = row.tried_at + timedelta(seconds=second)
        for meter in Meter.objects.all()[:10]:
            commands.hurry(meter=meter, rebooted=False, now=now)
        called += send_all(SILENCE, now)
    assert 3 <= len(called) <= 4


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_at_the_same_moment_one_tries() -> None:
    row = opened(cast.a_zone(), 16)
    barrier, claimed = threading.Barrier(6), []

    def work() -> None:
        try:
            barrier.wait()
            claimed.extend(commands.claim(now=row.open_until, limit=4))
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _worker in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [delivery.is_trial for delivery in claimed] == [True]


@pytest.mark.django_db(transaction=True)
def test_a_street_that_was_cut_off_is_spared_and_gets_every_light_when_it_is_back(
    street: RunningStreet, live_server: Any
) -> None:
    zone = cast.a_zone()
    everyone = [a_street_meter(zone, f"MTR-{number:06d}") for number in range(1, 17)]
    street.put_up()
    lights.look(now=timezone.now())
    eventually(lambda: _beat() and not _open_commands(), within=20)
    street.stop()
    for meter in everyone:
        booked_now(meter)
    for _tick in range(5):
        tasks.ship_due()
    # 16 calls were on their way at once when it opened; then one call for each trial.
    attempts = sum(command.attempts for command in MeterCommand.objects.filter(revision=2))
    assert attempts <= 16 + 5
    assert Gateway.objects.get().opened_at is not None

    back = RunningStreet(live_server.url, port=street.port).start()
    try:
        back.put_up()
        eventually(
            lambda: _beat() and all(shows(meter, 1, "green steady") for meter in everyone),
            within=40,
        )
        assert not Gateway.objects.exists()
    finally:
        back.stop()


def _beat() -> bool:
    """Let the beat come once without any back-off."""
    Gateway.objects.filter(opened_at__isnull=False).update(open_until=timezone.now())
    waiting = MeterCommand.objects.filter(state=CommandState.PENDING)
    waiting.update(next_attempt_at=timezone.now())
    tasks.ship_due()
    return True


def _open_commands() -> bool:
    return MeterCommand.objects.filter(ended_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_a_dead_address_does_not_hold_up_the_others(street: RunningStreet) -> None:
    zone = cast.a_zone()
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    for number in range(1, 21):
        a_street_meter(zone, f"DEAD-{number}", edge_url=dead)
    healthy = a_street_meter(zone, "MTR-000099")
    street.put_up()
    lights.look(now=timezone.now())
    eventually(lambda: _beat() and shows(healthy, 1, "off none"), within=20)
    assert Gateway.objects.get().edge_url == dead


@pytest.mark.django_db(transaction=True)
def test_a_slow_meter_does_not_hold_up_what_becomes_due_meanwhile(street: RunningStreet) -> None:
    zone = cast.a_zone()
    slow, quick = a_street_meter(zone, "MTR-000001"), a_street_meter(zone, "MTR-000002")
    street.put_up()
    lights.look(now=timezone.now())
    eventually(lambda: _beat() and not _open_commands(), within=20)
    street.faults({"kind": "drop", "hold_s": 3.0, "meters": slow.serial})
    for meter in (slow, quick):
        booked_now(meter)
    soon = timezone.now() + timedelta(seconds=1)
    MeterCommand.objects.filter(meter=quick, ended_at=None).update(next_attempt_at=soon)
    eventually(tasks.ship_due)  # a meter that is just reporting is left alone
    first = MeterCommand.objects.get(meter=slow, revision=2)
    second = MeterCommand.objects.get(meter=quick, revision=2)
    assert first.sent_at is not None
    assert second.sent_at is not None
    assert second.sent_at < first.sent_at + timedelta(seconds=3)
