"""The life of a command: written with the booking, claimed, sent, and ended exactly once.

PENDING → ACCEPTED → one of applied, rejected, expired, superseded, dead. Every function works
under the lock of the meter's row. Who sends holds a lease on the meter, so that one command is on
its way at a time; when a sender dies its lease ends by itself.
"""

from __future__ import annotations

import logging
import random
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Least
from uuid6 import uuid7

from parking.lights import breaker
from parking.meter_client import UNREACHABLE, Answer, MeterError
from parking.meter_protocol import message, parse_plan, shown_at
from parking.models import CommandState, Light, Meter, MeterCommand
from parking.models.meter import OPEN_COMMAND_STATES

logger = logging.getLogger(__name__)

GOOD_FOR = timedelta(hours=1)  # then the meter must refuse it, and we write another
LEASE = timedelta(seconds=20)  # longer than any call to a meter may take
ACK_WITHIN = timedelta(seconds=20)
LONGEST_ACK = timedelta(minutes=5)
LONGEST_WAIT_S = 60.0
# How a final answer ends the command, and how long the reconciler leaves the meter alone then.
_ENDS = {
    "stale_revision": (CommandState.SUPERSEDED, timedelta(seconds=30)),
    "expired": (CommandState.EXPIRED, timedelta(0)),
    "maintenance": (CommandState.REJECTED, timedelta(minutes=5)),
    "light_fault": (CommandState.REJECTED, timedelta(minutes=5)),
}
_DEAD = (CommandState.DEAD, timedelta(minutes=15))
_AFTER_REJECTED = timedelta(minutes=15)
_AFTER_APPLIED = timedelta(seconds=90)  # the next heartbeat is due by then


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A command that is ours to send until the lease ends."""

    command_id: UUID
    meter_id: int
    serial: str
    edge_url: str
    body: dict[str, Any]
    attempt: int
    lease_until: datetime
    is_trial: bool = False  # of an address that did not answer lately


def write(*, meter: Meter, now: datetime) -> MeterCommand | None:
    """Write the command that carries a locked meter's plan, if it is in use; see `write_all`."""
    return next(iter(write_all([meter], now=now)), None)


def write_all(meters: Sequence[Meter], *, now: datetime) -> list[MeterCommand]:
    """Write the commands that carry locked meters' plans, in place of those still open.

    A meter that is out of use gets none. The caller saves the meters.
    """
    MeterCommand.objects.filter(
        meter_id__in=[meter.id for meter in meters], state__in=OPEN_COMMAND_STATES
    ).update(state=CommandState.SUPERSEDED, ended_at=now)
    for meter in meters:
        meter.resend_after = now + ACK_WITHIN
    return MeterCommand.objects.bulk_create(
        [_command(meter, now) for meter in meters if meter.is_active]
    )


def _command(meter: Meter, now: datetime) -> MeterCommand:
    command_id, not_after = uuid7(), now + GOOD_FOR
    return MeterCommand(
        id=command_id,
        meter=meter,
        revision=meter.plan_revision,
        body=message(
            serial=meter.serial,
            revision=meter.plan_revision,
            command_id=str(command_id),
            issued_at=now,
            not_after=not_after,
            plan=parse_plan(meter.plan["spots"]),
            now=now,
        ),
        created_at=now,
        not_after=not_after,
        # A meter that only calls us is not called; its command just waits for the end.
        next_attempt_at=now if meter.edge_url else not_after,
    )


def claim(
    *, now: datetime, limit: int = 1, meter_ids: Collection[int] | None = None
) -> list[Delivery]:
    """Take what is due for sending; what ran out is ended. New commands go before failing ones.

    With `meter_ids` only theirs, waiting for a lock; otherwise what others have locked is left.
    Meters at an address that does not answer are left, but for the one that tries.
    """
    mine = Q(commands__state__in=OPEN_COMMAND_STATES, commands__next_attempt_at__lte=now)
    due = (
        mine
        & (Q(busy_until__isnull=True) | Q(busy_until__lte=now))
        & (~breaker.is_barred(now) | Q(commands__not_after__lte=now))
    )
    if meter_ids is not None:
        due &= Q(id__in=meter_ids)
    with transaction.atomic(durable=True):  # nobody sends from inside a transaction
        meters = {
            meter.id: meter
            for meter in Meter.objects.select_for_update(
                no_key=True, skip_locked=meter_ids is None, of=("self",)
            )
            .filter(due)
            .order_by("commands__attempts", "commands__next_attempt_at")[:limit]
        }
        if not meters:
            return []
        # Read again now that the meters are locked: the first look may be out of date.
        commands = {
            command.meter_id: command
            for command in MeterCommand.objects.filter(
                meter_id__in=meters, state__in=OPEN_COMMAND_STATES, next_attempt_at__lte=now
            )
        }
        late = [command.id for command in commands.values() if command.not_after <= now]
        if late:
            MeterCommand.objects.filter(id__in=late).update(
                state=CommandState.EXPIRED, ended_at=now
            )
        wanted = [
            meter
            for meter in meters.values()
            if meter.id in commands and commands[meter.id].not_after > now
        ]
        allowed = breaker.allowed(wanted, now=now)
        lease_until = now + LEASE
        MeterCommand.objects.filter(id__in=[commands[one].id for one in allowed]).update(
            attempts=F("attempts") + 1, sent_at=now
        )
        Meter.objects.filter(id__in=allowed).update(busy_until=lease_until)
    return [
        Delivery(
            command_id=command.id,
            meter_id=meter.id,
            serial=meter.serial,
            edge_url=meter.edge_url,
            body=_as_of(command.body, now),
            attempt=command.attempts + 1,
            lease_until=lease_until,
            is_trial=allowed[meter.id],
        )
        for meter in wanted
        if meter.id in allowed and (command := commands[meter.id])
    ]


def settle(*, delivery: Delivery, outcome: Answer | MeterError, now: datetime) -> None:
    """Store how one sending went; see `settle_all`."""
    settle_all([(delivery, outcome)], now=now)


def settle_all(results: Sequence[tuple[Delivery, Answer | MeterError]], *, now: datetime) -> None:
    """Store how sendings went and give the meters free; an ended command stays as it ended."""
    by_meter = {delivery.meter_id: (delivery, outcome) for delivery, outcome in results}
    with transaction.atomic(durable=True):
        meters = list(
            Meter.objects.select_for_update(no_key=True).filter(id__in=by_meter).order_by("id")
        )
        commands = MeterCommand.objects.in_bulk(
            [delivery.command_id for delivery, _outcome in results]
        )
        changed = []
        for meter in meters:
            delivery, outcome = by_meter[meter.id]
            if meter.busy_until == delivery.lease_until:
                meter.busy_until = None
            command = commands[delivery.command_id]
            if command.state not in OPEN_COMMAND_STATES:
                continue
            changed.append(command)
            if isinstance(outcome, MeterError):
                _failed(meter, command, outcome, now)
            elif outcome is Answer.APPLIED:
                _end(meter, command, CommandState.APPLIED, _AFTER_APPLIED, now)
            else:
                # Whoever takes it for a meter that sleeps is not asked again all the time.
                wait = min(ACK_WITHIN * 2 ** min(command.attempts - 1, 10), LONGEST_ACK)
                command.state = CommandState.ACCEPTED
                command.next_attempt_at = min(now + wait, command.not_after)
        _store(changed, meters)
        _tell_breakers(results, now)


# By hand: the ORM's bulk update takes much longer to write than to run.
_ENDED = """
UPDATE parking_metercommand command
SET state = went.state, next_attempt_at = went.next_attempt_at, ended_at = went.ended_at,
    last_error = went.last_error
FROM unnest(%(ids)s::uuid[], %(states)s::text[], %(next)s::timestamptz[], %(ended)s::timestamptz[],
            %(errors)s::text[]) AS went(id, state, next_attempt_at, ended_at, last_error)
WHERE command.id = went.id
"""
_FREED = """
UPDATE parking_meter meter SET busy_until = freed.busy_until, resend_after = freed.resend_after
FROM unnest(%(ids)s::bigint[], %(busy)s::timestamptz[], %(resend)s::timestamptz[])
  AS freed(id, busy_until, resend_after)
WHERE meter.id = freed.id
"""


def _store(changed: Sequence[MeterCommand], meters: Sequence[Meter]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            _ENDED,
            {
                "ids": [command.id for command in changed],
                "states": [command.state for command in changed],
                "next": [command.next_attempt_at for command in changed],
                "ended": [command.ended_at for command in changed],
                "errors": [command.last_error for command in changed],
            },
        )
        cursor.execute(
            _FREED,
            {
                "ids": [meter.id for meter in meters],
                "busy": [meter.busy_until for meter in meters],
                "resend": [meter.resend_after for meter in meters],
            },
        )


def acknowledge(*, meter_id: int, command_id: UUID, stage: str, reason: str, now: datetime) -> bool:
    """Take the meter's word on a command; False when it has no such command.

    Saying it twice, late, or of a command that has ended changes nothing.
    """
    with transaction.atomic():
        meter = Meter.objects.select_for_update(no_key=True).get(id=meter_id)
        command = MeterCommand.objects.filter(id=command_id, meter_id=meter_id).first()
        if command is None:
            return False
        if command.state not in OPEN_COMMAND_STATES:
            return True
        if stage == "applied":
            _end(meter, command, CommandState.APPLIED, _AFTER_APPLIED, now)
        elif stage == "rejected":
            logger.error("meter %s rejects revision %s", meter.serial, command.revision)
            command.last_error = reason[:200] or "rejected"
            _end(meter, command, CommandState.REJECTED, _AFTER_REJECTED, now)
        elif command.state == CommandState.PENDING:
            command.state = CommandState.ACCEPTED
            command.next_attempt_at = min(now + ACK_WITHIN, command.not_after)
        command.save(update_fields=["state", "next_attempt_at", "ended_at", "last_error"])
        meter.save(update_fields=["resend_after"])
    return True


def fetched(*, meter_id: int, now: datetime) -> MeterCommand | None:
    """Return the open command of a meter that fetches its plan, if there is one; note when."""
    command = MeterCommand.objects.filter(meter=meter_id, state__in=OPEN_COMMAND_STATES).first()
    if command is not None and command.sent_at is None:
        MeterCommand.objects.filter(id=command.id, sent_at=None).update(sent_at=now)
    return command


def hurry(*, meter: Meter, rebooted: bool, now: datetime) -> bool:
    """Make a locked meter's open command due: it was heard, so it can be reached.

    One that it has accepted waits for its ack, unless it has started anew since. False when there
    is none that we could send.
    """
    states = OPEN_COMMAND_STATES if rebooted else (CommandState.PENDING,)
    waiting = MeterCommand.objects.filter(meter_id=meter.id, state__in=states, not_after__gt=now)
    # One that is due stays due: who is waiting for this meter's lock may have looked earlier.
    if not meter.edge_url or not waiting.update(next_attempt_at=Least("next_attempt_at", now)):
        return False
    breaker.heard(meter.edge_url, now=now)
    return True


def _tell_breakers(results: Sequence[tuple[Delivery, Answer | MeterError]], now: datetime) -> None:
    """Let the breaker of each address know whether it answered, in the order of addresses."""
    silent: dict[str, list[tuple[Delivery, MeterError]]] = defaultdict(list)
    answered = set()
    for delivery, outcome in results:
        if isinstance(outcome, MeterError) and outcome.code == UNREACHABLE:
            silent[delivery.edge_url].append((delivery, outcome))
        else:
            answered.add(delivery.edge_url)
    if recovered := breaker.lock(answered | silent.keys()) & answered:
        breaker.answered(recovered)
    for edge_url, failures in sorted(silent.items()):
        if edge_url not in answered:
            breaker.silent(
                edge_url=edge_url,
                count=len(failures),
                was_trial=any(delivery.is_trial for delivery, _error in failures),
                error=str(failures[-1][1]),
                now=now,
            )


def open_of(meters: Collection[Meter]) -> set[int]:
    """Return the ids of those meters of which a command has not ended."""
    waiting = MeterCommand.objects.filter(
        meter_id__in=[meter.id for meter in meters], state__in=OPEN_COMMAND_STATES
    )
    return set(waiting.values_list("meter_id", flat=True))


def _failed(meter: Meter, command: MeterCommand, error: MeterError, now: datetime) -> None:
    command.last_error = str(error)[:200]
    if error.retryable:
        # Full jitter: meters that failed together do not come back together.
        wait = random.uniform(0, min(LONGEST_WAIT_S, 0.5 * 2 ** min(command.attempts, 10)))  # noqa: S311
        wait = max(wait, error.retry_after or 0)
        command.next_attempt_at = min(now + timedelta(seconds=wait), command.not_after)
        return
    state, rest = _ENDS.get(error.code, _DEAD)
    if error.code in {"maintenance", "light_fault"}:
        Light.objects.filter(spot__meter=meter).update(fault=error.code)
    if state in {CommandState.DEAD, CommandState.REJECTED}:
        logger.error("meter %s, revision %s: %s", meter.serial, command.revision, error)
    _end(meter, command, state, rest, now)


def _end(
    meter: Meter, command: MeterCommand, state: CommandState, rest: timedelta, now: datetime
) -> None:
    command.state, command.ended_at = state, now
    # A longer rest that the reconciler has set stays.
    meter.resend_after = max(meter.resend_after or now, now + rest)


def _as_of(body: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Return the message with "now" as it is at the moment of sending."""
    plan = parse_plan(body["spots"])
    spots = [{**spot, "now": shown_at(plan[spot["spot"]], now)._asdict()} for spot in body["spots"]]
    return {**body, "spots": spots}
