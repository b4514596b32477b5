"""Meters that talk through an MQTT 5 broker: one connection for all of a street."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from urllib.parse import quote

import aiomqtt

from parking.meter_protocol import UNQUOTED, parse_stamp
from parking.mqtt_messages import ROOT, properties, topic
from parking.signatures import SignatureRefused, verify
from parking.simulator.specs import MeterSpec

TRY_AGAIN_S = 2.0
SAID_FOR_S = 300  # as long as its signature is good
logger = logging.getLogger(__name__)

Took = Callable[[str, str, bytes, Mapping[str, str]], None]


class BrokerAway(Exception):
    """Nothing can be said now; a later try may go better."""


class Broker:
    """What meters say to the broker, and what lies there for them."""

    def __init__(self, connect: Callable[[], aiomqtt.Client]) -> None:
        self._connect = connect
        self._client: aiomqtt.Client | None = None

    async def run(self, took: Took, back: Callable[[], None]) -> None:
        """Take messages until cancelled: `took(serial, what, body, headers)`.

        `back` is called whenever the broker is there again.
        """
        while True:
            try:
                async with self._connect() as client:
                    for what in ("plan", "problems"):
                        await client.subscribe(f"{ROOT}/+/{what}", qos=1)
                    self._client = client
                    back()
                    async for message in client.messages:
                        serial, what = str(message.topic).split("/")[-2:]
                        body = message.payload if isinstance(message.payload, bytes) else b""
                        headers = dict(getattr(message.properties, "UserProperty", []))
                        took(serial, what, body, headers)
            except (aiomqtt.MqttError, OSError) as error:
                logger.warning("the broker is away: %s", error)
            finally:
                self._client = None
            await asyncio.sleep(TRY_AGAIN_S)

    async def say(self, serial: str, what: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Publish what a meter says: `acks`, `state` or `events`.

        Raises:
            BrokerAway: see there.
        """
        if self._client is None:
            raise BrokerAway
        try:
            await self._client.publish(
                topic(serial, what),
                body,
                qos=1,
                properties=properties(headers, expires_in_s=SAID_FOR_S),
            )
        except aiomqtt.MqttError as error:
            raise BrokerAway(str(error)) from error


def time_told(spec: MeterSpec, *, header: Callable[[str], str | None], body: bytes) -> float | None:
    """Return the site's time out of a problem that it told a meter; None where it told none."""
    try:
        verify(
            header=header,
            method="POST",
            path=f"/v1/meters/{quote(spec.serial, safe=UNQUOTED)}/problems",
            body=body,
            key_of=lambda name: next((key for key in spec.keys if key.key_id == name), None),
            now=0,
            skew_s=float("inf"),  # it is the clock that is to be put right
        )
        return parse_stamp(json.loads(body)["time"]).timestamp()
    except (SignatureRefused, ValueError, KeyError, TypeError):
        return None
