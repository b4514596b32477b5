"""A command is sent by one sender at a time and ends exactly once."""

import threading
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from parking import lights, locking
from parking.lights import commands, outcomes
from parking.meter_client import Answer, MeterError
from parking.models import CommandState, Light, Meter, MeterCommand
from tests import cast
from tests.cast import NOW, at
from tests.parking.street import a_street_meter

pytestmark = pytest.mark.django_db


def seconds(count: float) -> datetime:
    """Return the moment so many seconds after NOW."""
    return NOW + timedelta(seconds=count)


@pytest.fixture
def meter(db: None) -> Meter:
    """A meter with one command to send."""
    meter = a_street_meter(cast.a_zone())
    lights.look(now=NOW)
    return meter


def command(meter: Meter) -> MeterCommand:
    return MeterCommand.objects.filter(meter=meter).latest("created_at", "id")


def sent(meter: Meter, outcome: Answer | MeterError, now=NOW) -> MeterCommand:
    """Claim, and settle with this outcome."""
    (delivery,) = commands.claim(now=now)
    outcomes.settle(delivery=delivery, outcome=outcome, now=now)
    return command(meter)


def test_a_claimed_command_is_not_claimed_again_while_the_lease_lasts(meter: Meter) -> None:
    (delivery,) = commands.claim(now=NOW)
    assert delivery.serial == meter.serial
    assert delivery.body["revision"] == 1
    assert commands.claim(now=seconds(19)) == []
    assert commands.claim(now=seconds(19), meter_ids=[meter.pk]) == []


def test_a_sender_that_died_loses_its_lease(meter: Meter) -> None:
    commands.claim(now=NOW)
    (delivery,) = commands.claim(now=seconds(20))
    assert delivery.attempt == 2


def test_a_newer_plan_waits_for_the_one_on_its_way(meter: Meter) -> None:
    (delivery,) = commands.claim(now=NOW)
    with transaction.atomic():
        locked = Meter.objects.select_for_update().get(pk=meter.pk)
        commands.write(meter=locked, now=seconds(1))
    assert commands.claim(now=seconds(2)) == []
    outcomes.settle(delivery=delivery, outcome=Answer.APPLIED, now=seconds(3))
    first = MeterCommand.objects.get(pk=delivery.command_id)
    assert first.state == CommandState.SUPERSEDED  # as it ended, whatever came after
    (second,) = commands.claim(now=seconds(3))
    assert second.command_id != delivery.command_id


def test_being_heard_makes_due_sooner_never_later(meter: Meter) -> None:
    assert commands.hurry(meter=meter, rebooted=False, now=seconds(1))
    assert len(commands.claim(now=NOW)) == 1


def test_a_late_sender_does_not_free_somebody_elses_lease(meter: Meter) -> None:
    (slow,) = commands.claim(now=NOW)
    (quick,) = commands.claim(now=seconds(21))
    outcomes.settle(delivery=slow, outcome=MeterError("busy", "", retryable=True), now=seconds(22))
    meter.refresh_from_db()
    assert meter.busy_until == quick.lease_until


def test_applied_ends_it(meter: Meter) -> None:
    done = sent(meter, Answer.APPLIED)
    assert (done.state, done.ended_at) == (CommandState.APPLIED, NOW)
    assert commands.claim(now=at(59)) == []


def test_accepted_waits_for_the_ack_and_is_sent_again_without_one(meter: Meter) -> None:
    assert sent(meter, Answer.ACCEPTED).state == CommandState.ACCEPTED
    assert commands.claim(now=seconds(10)) == []
    assert len(commands.claim(now=seconds(21))) == 1


@pytest.mark.parametrize(
    ("code", "end"),
    [
        ("stale_revision", CommandState.SUPERSEDED),
        ("expired", CommandState.EXPIRED),
        ("maintenance", CommandState.REJECTED),
        ("light_fault", CommandState.REJECTED),
        ("malformed", CommandState.DEAD),
        ("unknown_meter", CommandState.DEAD),
        ("not_yours", CommandState.DEAD),
        ("bad_signature", CommandState.DEAD),
        ("forbidden_address", CommandState.DEAD),
    ],
)
def test_what_trying_again_does_not_help_ends_it(meter: Meter, code: str, end: str) -> None:
    done = sent(meter, MeterError(code, "said the meter", retryable=False))
    assert (done.state, done.ended_at) == (end, NOW)
    assert done.last_error == f"{code}: said the meter"
    light = Light.objects.filter(spot__meter=meter).first()
    assert light.fault == (code if code in {"maintenance", "light_fault"} else "")


def test_a_failing_meter_is_tried_again_and_again_but_not_past_not_after(meter: Meter) -> None:
    now, waits = NOW, []
    while claimed := commands.claim(now=now):
        outcomes.settle(
            delivery=claimed[0],
            outcome=MeterError("unavailable", "503", retryable=True),
            now=now,
        )
        waits.append((command(meter).next_attempt_at - now).total_seconds())
        now = command(meter).next_attempt_at
    done = command(meter)
    assert done.state == CommandState.EXPIRED
    assert done.ended_at == done.not_after == NOW + timedelta(hours=1)
    assert waits[0] <= 1
    assert max(waits) <= 60
    assert 30 < done.attempts < 400
    assert len(set(waits)) > len(waits) // 2  # jitter


def test_retry_after_is_honoured(meter: Meter) -> None:
    waiting = sent(meter, MeterError("busy", "", retryable=True, retry_after=120))
    assert waiting.next_attempt_at >= at(2)
    assert waiting.state == CommandState.PENDING


def test_now_is_told_as_it_is_when_sent(meter: Meter) -> None:
    spot = meter.spots.get(position=1)
    from parking import booking

    slot = cast.a_hold(spot, at(60))
    booking.confirm(slot=locking.lock_slot(slot.pk), now=NOW, actor="processor")
    assert command(meter).body["spots"][0]["now"]["light"] == "off"
    (delivery,) = commands.claim(now=at(50))
    assert delivery.body["spots"][0]["now"] == {"light": "green", "pattern": "slow_blink"}


def test_an_ack_ends_the_command_once(meter: Meter) -> None:
    accepted = sent(meter, Answer.ACCEPTED)
    said = {"meter_id": meter.pk, "command_id": accepted.pk, "reason": ""}
    assert outcomes.acknowledge(**said, stage="delivered", now=seconds(1))
    assert command(meter).state == CommandState.ACCEPTED
    assert outcomes.acknowledge(**said, stage="applied", now=seconds(2))
    assert outcomes.acknowledge(**said, stage="rejected", now=seconds(3))
    assert outcomes.acknowledge(**said, stage="applied", now=seconds(4))
    done = command(meter)
    assert (done.state, done.ended_at) == (CommandState.APPLIED, seconds(2))


def test_an_ack_of_another_meters_command_is_not_known(meter: Meter) -> None:
    other = a_street_meter(meter.zone, "MTR-000002")
    said = {"stage": "applied", "reason": "", "now": NOW}
    assert not outcomes.acknowledge(meter_id=other.pk, command_id=command(meter).pk, **said)
    assert not outcomes.acknowledge(meter_id=meter.pk, command_id=uuid4(), **said)
    assert command(meter).state == CommandState.PENDING


def test_the_database_refuses_a_second_end(meter: Meter) -> None:
    done = sent(meter, Answer.APPLIED)
    with pytest.raises(DatabaseError, match="has ended"), transaction.atomic():
        MeterCommand.objects.filter(pk=done.pk).update(state=CommandState.DEAD)
    assert command(meter).state == CommandState.APPLIED


def test_a_meter_that_only_calls_us_is_not_called(meter: Meter) -> None:
    quiet = a_street_meter(meter.zone, "MTR-000002", edge_url="")
    lights.look(now=NOW)
    claimed = commands.claim(now=NOW, limit=10)
    assert {delivery.meter_id for delivery in claimed} == {meter.pk}
    assert command(quiet).state == CommandState.PENDING


def test_new_commands_go_before_failing_ones(meter: Meter) -> None:
    sent(meter, MeterError("unreachable", "", retryable=True))
    late = seconds(90)
    fresh = a_street_meter(meter.zone, "MTR-000002")
    lights.look(now=late)
    (delivery,) = commands.claim(now=late, limit=1)
    assert delivery.meter_id == fresh.pk


@pytest.mark.django_db(transaction=True)
def test_of_many_senders_at_once_one_gets_the_command() -> None:
    meter = a_street_meter(cast.a_zone())
    lights.look(now=NOW)
    got: list[int] = []
    gate = threading.Barrier(8)

    def send(by_nudge: bool) -> None:
        gate.wait()
        try:
            ids = [meter.pk] if by_nudge else None
            got.extend(d.meter_id for d in commands.claim(now=NOW, meter_ids=ids))
        finally:
            connection.close()

    senders = [threading.Thread(target=send, args=(number % 2 == 0,)) for number in range(8)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert got == [meter.pk]


@pytest.mark.django_db(transaction=True)
def test_nothing_is_sent_from_inside_a_transaction() -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        commands.claim(now=NOW)
