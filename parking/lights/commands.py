"""The life of a command: written with the booking, claimed, sent, and ended exactly once.

PENDING → ACCEPTED → one of applied, rejected, expired, superseded, dead. Every function works
under the lock of the meter's row. Who sends holds a lease on the meter, so that one command is on
its way at a time; when a sender dies its lease ends by itself.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from uuid6 import uuid7

from parking.meter_client import Answer, MeterError
from parking.meter_protocol import message, parse_plan, shown_at
from parking.models import CommandState, Light, Meter, MeterCommand
from parking.models.meter import OPEN_COMMAND_STATES

logger = logging.getLogger(__name__)

GOOD_FOR = timedelta(hours=1)  # then the meter must refuse it, and we write another
LEASE = timedelta(seconds=20)  # longer than any call to a meter may take
ACK_WITHIN = timedelta(seconds=20)
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


def write(*, meter: Meter, now: datetime) -> MeterCommand | None:
    """Write the command that carries a locked meter's plan, in place of the one still open.

    None for a meter that is out of use. The caller saves the meter.
    """
    open_commands = MeterCommand.objects.filter(meter_id=meter.id, state__in=OPEN_COMMAND_STATES)
    open_commands.update(state=CommandState.SUPERSEDED, ended_at=now)
    meter.resend_after = now + ACK_WITHIN
    if not meter.is_active:
        return None
    command_id, not_after = uuid7(), now + GOOD_FOR
    return MeterCommand.objects.create(
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
    """
    due = Q(commands__state__in=OPEN_COMMAND_STATES, commands__next_attempt_at__lte=now) & (
        Q(busy_until__isnull=True) | Q(busy_until__lte=now)
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
        # Read again now that the meters are locked: the first look may be out of date.
        commands = list(
            MeterCommand.objects.filter(
                meter_id__in=meters, state__in=OPEN_COMMAND_STATES, next_attempt_at__lte=now
            )
        )
        late = [command for command in commands if command.not_after <= now]
        MeterCommand.objects.filter(id__in=[command.id for command in late]).update(
            state=CommandState.EXPIRED, ended_at=now
        )
        ours = [command for command in commands if command.not_after > now]
        for command in ours:
            command.attempts += 1
            command.sent_at = now
        MeterCommand.objects.bulk_update(ours, ["attempts", "sent_at"])
        lease_until = now + LEASE
        Meter.objects.filter(id__in=[command.meter_id for command in ours]).update(
            busy_until=lease_until
        )
    return [
        Delivery(
            command_id=command.id,
            meter_id=command.meter_id,
            serial=meters[command.meter_id].serial,
            edge_url=meters[command.meter_id].edge_url,
            body=_as_of(command.body, now),
            attempt=command.attempts,
            lease_until=lease_until,
        )
        for command in ours
    ]


def settle(*, delivery: Delivery, outcome: Answer | MeterError, now: datetime) -> None:
    """Store how the sending went and give the meter free; an ended command stays as it ended."""
    with transaction.atomic(durable=True):
        meter = Meter.objects.select_for_update(no_key=True).get(id=delivery.meter_id)
        if meter.busy_until == delivery.lease_until:
            meter.busy_until = None
        command = MeterCommand.objects.get(id=delivery.command_id)
        if command.state in OPEN_COMMAND_STATES:
            if isinstance(outcome, MeterError):
                _failed(meter, command, outcome, now)
            elif outcome is Answer.APPLIED:
                _end(meter, command, CommandState.APPLIED, _AFTER_APPLIED, now)
            else:
                command.state = CommandState.ACCEPTED
                command.next_attempt_at = min(now + ACK_WITHIN, command.not_after)
            command.save(update_fields=["state", "next_attempt_at", "ended_at", "last_error"])
        meter.save(update_fields=["busy_until", "resend_after"])


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
    return bool(meter.edge_url) and waiting.update(next_attempt_at=now) > 0


def has_open(meter: Meter) -> bool:
    """Say whether a command of the meter has not ended."""
    return MeterCommand.objects.filter(meter_id=meter.id, state__in=OPEN_COMMAND_STATES).exists()


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
