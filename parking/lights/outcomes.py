"""How sendings and commands end: what a meter answered, or that it did not.

Every function works under the lock of the meter's row. A command ends once; what is said of it
later changes nothing.
"""

from __future__ import annotations

import logging
import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from parking.lights import breaker
from parking.lights.commands import ACK_WITHIN, Delivery
from parking.meter_client import UNREACHABLE, Answer, MeterError
from parking.models import CommandState, Light, Meter, MeterCommand
from parking.models.meter import OPEN_COMMAND_STATES

logger = logging.getLogger(__name__)

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
