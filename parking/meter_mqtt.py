"""How a meter is reached through an MQTT 5 broker: its plan is a retained message that expires.

The body is the very one that HTTP carries; the signature's headers are user properties, made for
the same method and path. The broker's word is only that it has the message: the meter's own
acknowledgement comes the other way (`edge_mqtt`). Runs in the event loop of `courier`.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit

import aiomqtt
from django.conf import settings
from uuid6 import uuid7

from parking.meter_client import UNREACHABLE, Answer, MeterError
from parking.meter_protocol import parse_stamp, plan_path
from parking.mqtt_messages import properties, topic
from parking.signatures import Key, new_nonce, sign

ADDRESS = "mqtt"  # of meters at the installation's broker
PUBLISH_S = 5.0


def client(name: str) -> aiomqtt.Client:
    """Return a client for the installation's broker, not yet connected."""
    parts = urlsplit(settings.METER_MQTT_URL)
    tls = None
    if parts.scheme == "mqtts":
        tls = ssl.create_default_context(cafile=settings.METER_MQTT_CA_FILE or None)
        if settings.METER_MQTT_CERT_FILE:
            tls.load_cert_chain(settings.METER_MQTT_CERT_FILE, settings.METER_MQTT_KEY_FILE or None)
    return aiomqtt.Client(
        hostname=parts.hostname or "",
        port=parts.port or (8883 if tls else 1883),
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        identifier=f"curblight-{name}-{uuid7().hex[-12:]}",
        protocol=aiomqtt.ProtocolVersion.V5,
        tls_context=tls,
        timeout=PUBLISH_S,
        max_inflight_messages=200,
    )


async def put_plan(
    *, edge_url: str, serial: str, message: dict[str, Any], keys: Sequence[Key], now: float
) -> Answer:
    """Leave a meter its plan at the broker, in place of the one before.

    It is signed with the oldest valid key: while keys are rotated the meter has that one for sure.

    Raises:
        MeterError: `unreachable` while the broker is away, `no_key`.
    """
    if not keys:
        raise MeterError("no_key", f"meter {serial} has no key", retryable=False)
    if not settings.METER_MQTT_URL:
        raise MeterError("forbidden_address", "METER_MQTT_URL is empty", retryable=False)
    body = json.dumps(message, separators=(",", ":")).encode()
    signature = sign(
        key=keys[-1],
        method="PUT",
        path=plan_path(serial),
        body=body,
        timestamp=int(now),
        nonce=new_nonce(),
    )
    left = parse_stamp(message["not_after"]).timestamp() - now
    try:
        broker = await _connected()
        await broker.publish(
            topic(serial, "plan"),
            body,
            qos=1,
            retain=True,
            properties=properties(signature, expires_in_s=int(left)),
        )
    except (aiomqtt.MqttError, OSError) as error:
        await _let_go()
        raise MeterError(UNREACHABLE, f"broker: {error}", retryable=True) from error
    return Answer.ACCEPTED


_broker: aiomqtt.Client | None = None
_connecting: asyncio.Lock | None = None


async def _connected() -> aiomqtt.Client:
    """Return this process's connection to the broker; made at the first plan and after a loss."""
    global _broker, _connecting
    _connecting = _connecting or asyncio.Lock()
    async with _connecting:
        if _broker is None:
            fresh = client("site")
            await fresh.__aenter__()
            _broker = fresh
        return _broker


async def _let_go() -> None:
    global _broker
    lost, _broker = _broker, None
    if lost is not None:
        with suppress(aiomqtt.MqttError):
            await lost.__aexit__(None, None, None)
