"""Keep lights true: ship commands, move lights by the clock, repair what differs."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress

from celery import shared_task
from django.db import connection
from django.utils import timezone

from parking import booking, lights, meter_client, meter_keys
from parking.lights import commands
from parking.meter_client import Answer, MeterError
from parking.signatures import Key
from parking.tasks.nudges import nudge

logger = logging.getLogger(__name__)

SENDERS = 32  # calls at once in one run of `ship_due`
RUN_FOR_S = 5.0  # a run of a beat job ends in good time; the next one goes on


def nudge_meter(meter_id: int | None) -> bool:
    """Have the meter's command sent now; False, never an error, while Redis is away.

    Call it after commit. A spot without a meter needs nothing.
    """
    return meter_id is not None and nudge(ship_command, meter_id)


@shared_task(name="parking.ship_command")
def ship_command(meter_id: int) -> None:
    """Send the meter's due command, and the one that replaced it meanwhile."""
    # Where somebody holds the meter for long, the beat comes back to it.
    with suppress(booking.Busy):
        while claimed := _claim(meter_id):
            for delivery in claimed:
                _settle(delivery, _send(delivery, _keys(delivery)))


@shared_task(name="parking.ship_due")
def ship_due() -> int:
    """Send every command that is due: what no nudge has brought, and what failed before.

    Threads wait for the meters; the database is this one's alone.
    """
    sent, deadline = 0, time.monotonic() + RUN_FOR_S
    running: dict[Future[Answer | MeterError], commands.Delivery] = {}
    with _alone("ship_due") as alone, ThreadPoolExecutor(SENDERS) as senders:
        while alone:
            if time.monotonic() < deadline:
                for delivery in commands.claim(now=timezone.now(), limit=SENDERS - len(running)):
                    running[senders.submit(_send, delivery, _keys(delivery))] = delivery
            if not running:
                break
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                _settle(running.pop(done), done.result())
                sent += 1
    return sent


@shared_task(name="parking.advance_lights")
def advance_lights() -> int:
    """Move what lights should show with the clock, and extend plans."""
    looked, deadline = 0, time.monotonic() + RUN_FOR_S
    while time.monotonic() < deadline:
        batch = lights.look(now=timezone.now())
        looked += batch
        if batch == 0:
            break
    return looked


@shared_task(name="parking.reconcile_lights")
def reconcile_lights() -> int:
    """Write commands for meters that do not show what they should; `ship_due` sends them."""
    return len(lights.reconcile(now=timezone.now()))


def _send(delivery: commands.Delivery, keys: list[Key] | MeterError) -> Answer | MeterError:
    if isinstance(keys, MeterError):
        return keys
    try:
        return meter_client.put_plan(
            edge_url=delivery.edge_url,
            serial=delivery.serial,
            message=delivery.body,
            keys=keys,
            now=timezone.now().timestamp(),
        )
    except MeterError as error:
        return error


def _claim(meter_id: int) -> list[commands.Delivery]:
    with booking.contended():
        return commands.claim(now=timezone.now(), meter_ids=[meter_id])


def _settle(delivery: commands.Delivery, outcome: Answer | MeterError) -> None:
    """Store how it went; where somebody holds the meter too long, the lease ends by itself."""
    try:
        with booking.contended():
            commands.settle(delivery=delivery, outcome=outcome, now=timezone.now())
    except booking.Busy:
        logger.warning("meter %s: what it answered could not be stored", delivery.serial)


def _keys(delivery: commands.Delivery) -> list[Key] | MeterError:
    try:
        return meter_keys.keys_of(delivery.meter_id)
    except meter_keys.KeyUnreadable as error:
        logger.critical("%s", error)
        return MeterError("no_key", str(error), retryable=True)


@contextmanager
def _alone(name: str) -> Iterator[bool]:
    """Yield whether nobody else, on any machine, is in the section of that name."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [name])
        alone = bool(cursor.fetchone()[0])
        try:
            yield alone
        finally:
            if alone:
                cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [name])
