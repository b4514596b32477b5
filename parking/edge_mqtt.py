"""Takes what meters say over MQTT: `acks`, `state`, `events`, by the same rules as over HTTP.

The signature is that of the HTTP call: `POST /edge/v1/meters/{serial}/{what}`. A message that is
refused is answered on the meter's `problems`, signed, with our time. One process takes what a meter
says in the order in which it was said (a report from before a plan would ask for that plan again).
Several of these processes share the messages between them.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import Any
from urllib.parse import quote

import aiomqtt
from django.db import close_old_connections
from django.utils import timezone

from parking import meter_keys, refusals, tasks
from parking.edge_auth import Caller, OutOfUse, authenticate
from parking.lights import outcomes, reported
from parking.meter_messages import parse_ack, parse_events, parse_state
from parking.meter_mqtt import client
from parking.meter_protocol import MAX_BODY, UNQUOTED, Malformed, problem, stamp
from parking.mqtt_messages import ROOT, properties, topic
from parking.signatures import SignatureRefused, new_nonce, sign

logger = logging.getLogger(__name__)

THREADS = 4
TRY_AGAIN_S = 2.0
PROBLEM_LASTS_S = 60


async def listen(*, ready: Callable[[], None] = lambda: None) -> None:
    """Take messages until cancelled; after a loss of the broker go on when it is back.

    `ready` is called whenever messages begin to come in.
    """
    with ExitStack() as stack:
        # A meter always has the same thread: what it said first is taken first.
        threads = [
            stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix=f"mqtt-{number}"))
            for number in range(THREADS)
        ]
        while True:
            try:
                async with client("edge") as broker, asyncio.TaskGroup() as turns:
                    for what in _TAKEN:
                        await broker.subscribe(f"$share/curblight/{ROOT}/+/{what}", qos=1)
                    ready()
                    room = asyncio.Semaphore(4 * THREADS)
                    async for message in broker.messages:
                        await room.acquire()
                        serial, what = str(message.topic).split("/")[-2:]
                        taken = partial(_take, serial, what, message)
                        thread = threads[hash(serial) % THREADS]
                        turns.create_task(_turn(broker, serial, taken, thread, room))
            except* (aiomqtt.MqttError, OSError) as errors:
                logger.warning("the broker is away: %s", errors.exceptions[0])
            await asyncio.sleep(TRY_AGAIN_S)


async def _turn(
    broker: aiomqtt.Client,
    serial: str,
    taken: Callable[[], tuple[bytes, dict[str, str]] | None],
    thread: ThreadPoolExecutor,
    room: asyncio.Semaphore,
) -> None:
    """Take one message in its meter's thread, say what was wrong with it, leave `room`."""
    try:
        refused = await asyncio.get_running_loop().run_in_executor(thread, taken)
        if refused is not None:
            body, headers = refused
            await broker.publish(
                topic(serial, "problems"),
                body,
                qos=1,
                properties=properties(headers, expires_in_s=PROBLEM_LASTS_S),
            )
    finally:
        room.release()


def _take(serial: str, what: str, message: aiomqtt.Message) -> tuple[bytes, dict[str, str]] | None:
    """Take one message; return the problem to be answered, if there is one."""
    close_old_connections()
    try:
        return _taken(serial, what, message)
    except refusals.Busy:
        logger.warning("%s of %s: others hold the meter; its next message tells more", what, serial)
    except Exception:
        logger.exception("%s of %s could not be taken", what, serial)
    finally:
        close_old_connections()
    return None


def _taken(serial: str, what: str, message: aiomqtt.Message) -> tuple[bytes, dict[str, str]] | None:
    now = timezone.now()
    body = message.payload if isinstance(message.payload, bytes) else b""
    headers = dict(getattr(message.properties, "UserProperty", []))
    if len(body) > MAX_BODY:
        return None
    try:
        caller = authenticate(
            header=headers.get,
            method="POST",
            path=f"/edge/v1/meters/{quote(serial, safe=UNQUOTED)}/{what}",
            body=body,
            now=now,
        )
    except OutOfUse:
        return None
    except SignatureRefused as refused:
        # Whoever does not hold the key gets no answer that somebody could be flooded with.
        if refused.code != "clock_skew":
            logger.warning("%s of %s refused: %s", what, serial, refused.code)
            return None
        told = problem(401, refused.code, str(refused), time=stamp(now))
        return _signed_problem(serial, headers["X-Key-Id"], told, now.timestamp())
    if caller.serial != serial:
        return None
    try:
        with refusals.contended():
            _TAKEN[what](caller, json.loads(body), now)
    except (Malformed, ValueError, RecursionError) as error:
        told = problem(422, "malformed", str(error))
        return _signed_problem(serial, caller.key.key_id, told, now.timestamp())
    return None


def _state(caller: Caller, body: object, now: Any) -> None:
    heard = reported.take_state(
        meter_id=caller.meter_id,
        state=parse_state(body),
        skew_ms=1000 * (caller.signed.timestamp - int(now.timestamp())),
        now=now,
    )
    if heard.should_send:
        tasks.nudge_meter(caller.meter_id)


def _ack(caller: Caller, body: object, now: Any) -> None:
    ack = parse_ack(body)
    outcomes.acknowledge(
        meter_id=caller.meter_id,
        command_id=ack.command_id,
        stage=ack.stage,
        reason=ack.reason,
        now=now,
    )


def _events(caller: Caller, body: object, now: Any) -> None:
    reported.take_events(meter_id=caller.meter_id, events=parse_events(body), now=now)


_TAKEN: dict[str, Callable[[Caller, object, Any], None]] = {
    "acks": _ack,
    "state": _state,
    "events": _events,
}


def _signed_problem(
    serial: str, key_id: str, told: dict[str, Any], now: float
) -> tuple[bytes, dict[str, str]] | None:
    key = meter_keys.key_named(key_id)
    if key is None:
        return None
    body = json.dumps(told, separators=(",", ":")).encode()
    path = f"/v1/meters/{quote(serial, safe=UNQUOTED)}/problems"
    headers = sign(
        key=key, method="POST", path=path, body=body, timestamp=int(now), nonce=new_nonce()
    )
    return body, headers
