"""Keep lights true: ship commands, move lights by the clock, repair what differs."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager, suppress

from celery import shared_task
from django.db import connection
from django.utils import timezone

from parking import courier, lights, meter_care, meter_keys, refusals, seen_alarms
from parking.lights import commands, outcomes
from parking.meter_client import Answer, MeterError
from parking.signatures import Key
from parking.tasks.nudges import nudge

logger = logging.getLogger(__name__)

SENDERS = 128  # calls at once in one run of `ship_due`
BATCH = 32  # answers that are stored in one transaction
GATHER_S = 0.005  # for further answers to arrive
LOOK_S = 0.1  # for what has become due while calls are on their way
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
    with suppress(refusals.Busy):
        while claimed := _claim(meter_id):
            sendings = _send(claimed)
            _settle([(delivery, future.result()) for future, delivery in sendings.items()])


@shared_task(name="parking.ship_due")
def ship_due() -> int:
    """Send every command that is due: what no nudge has brought, and what failed before.

    Many calls wait for their meters at once; what they answered is stored in batches.
    """
    sent, deadline = 0, time.monotonic() + RUN_FOR_S
    running: dict[Future[Answer | MeterError], commands.Delivery] = {}
    with _alone("ship_due") as alone:
        while alone and time.monotonic() < deadline:
            if len(running) <= SENDERS - BATCH:
                running |= _send(commands.claim(now=timezone.now(), limit=SENDERS - len(running)))
            if not running:
                break
            sent += _gather(running)
    while running:  # slow meters: the next run goes on with the others meanwhile
        sent += _gather(running)
    return sent


@shared_task(name="parking.advance_lights")
def advance_lights() -> int:
    """Move what lights should show with the clock, extend plans, begin planned maintenance."""
    meter_care.begin_due(now=timezone.now())
    looked, deadline = 0, time.monotonic() + RUN_FOR_S
    while time.monotonic() < deadline:
        batch = lights.look(now=timezone.now())
        looked += batch
        if batch == 0:
            break
    return looked


@shared_task(name="parking.reconcile_lights")
def reconcile_lights() -> int:
    """Write commands for meters that do not show what they should; `ship_due` sends them.

    Alarms that somebody has seen and that are over are ended.
    """
    seen_alarms.review(now=timezone.now())
    return len(lights.reconcile(now=timezone.now()))


def _gather(running: dict[Future[Answer | MeterError], commands.Delivery]) -> int:
    """Store what has been answered, a batch at most; return how many.

    Nobody waits long for a slow meter: something else may be due.
    """
    if wait(running, timeout=LOOK_S, return_when=FIRST_COMPLETED).done:
        time.sleep(GATHER_S)
    done = [future for future in running if future.done()][:BATCH]
    if done:
        _settle([(running.pop(future), future.result()) for future in done])
    return len(done)


def _send(
    deliveries: list[commands.Delivery],
) -> dict[Future[Answer | MeterError], commands.Delivery]:
    """Set the plans on their way."""
    keys = _keys([delivery.meter_id for delivery in deliveries])
    return {
        courier.carry(
            edge_url=delivery.edge_url,
            serial=delivery.serial,
            message=delivery.body,
            keys=keys[delivery.meter_id],
            now=timezone.now().timestamp(),
        ): delivery
        for delivery in deliveries
    }


def _claim(meter_id: int) -> list[commands.Delivery]:
    with refusals.contended():
        return commands.claim(now=timezone.now(), meter_ids=[meter_id])


def _settle(results: list[tuple[commands.Delivery, Answer | MeterError]]) -> None:
    """Store how it went; where somebody holds a meter too long, the leases end by themselves."""
    try:
        with refusals.contended():
            outcomes.settle_all(results, now=timezone.now())
    except refusals.Busy:
        serials = ", ".join(delivery.serial for delivery, _outcome in results)
        logger.warning("what these meters answered could not be stored: %s", serials)


def _keys(meter_ids: list[int]) -> dict[int, list[Key]]:
    """Return the keys of meters; none where they cannot be read."""
    try:
        return meter_keys.keys_of_all(meter_ids)
    except meter_keys.KeyUnreadable as error:
        logger.critical("%s", error)
        return {meter_id: _readable(meter_id) for meter_id in meter_ids}


def _readable(meter_id: int) -> list[Key]:
    try:
        return meter_keys.keys_of(meter_id)
    except meter_keys.KeyUnreadable:
        return []


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
