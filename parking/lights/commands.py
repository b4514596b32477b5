"""The life of a command: written with the booking, claimed, sent, and ended (`outcomes`) once.

PENDING → ACCEPTED → one of applied, rejected, expired, superseded, dead. Every function works
under the lock of the meter's row. Who sends holds a lease on the meter, so that one command is on
its way at a time; when a sender dies its lease ends by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Least
from uuid6 import uuid7

from parking.lights import breaker
from parking.meter_protocol import message, parse_plan, shown_at
from parking.models import CommandState, Meter, MeterCommand
from parking.models.meter import OPEN_COMMAND_STATES

GOOD_FOR = timedelta(hours=1)  # then the meter must refuse it, and we write another
LEASE = timedelta(seconds=20)  # longer than any call to a meter may take
ACK_WITHIN = timedelta(seconds=20)


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


def open_of(meters: Collection[Meter]) -> set[int]:
    """Return the ids of those meters of which a command has not ended."""
    waiting = MeterCommand.objects.filter(
        meter_id__in=[meter.id for meter in meters], state__in=OPEN_COMMAND_STATES
    )
    return set(waiting.values_list("meter_id", flat=True))


def _as_of(body: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Return the message with "now" as it is at the moment of sending."""
    plan = parse_plan(body["spots"])
    spots = [{**spot, "now": shown_at(plan[spot["spot"]], now)._asdict()} for spot in body["spots"]]
    return {**body, "spots": spots}
