"""The topics of a meter at an MQTT 5 broker, and what goes with a message."""

from __future__ import annotations

from collections.abc import Mapping

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

ROOT = "curblight/v1/meters"


def topic(serial: str, what: str) -> str:
    """Return the topic of a meter for `plan` and `problems` (from us), or `acks`, `state`, …"""
    return f"{ROOT}/{serial}/{what}"


def properties(headers: Mapping[str, str], *, expires_in_s: int) -> Properties:
    """Return what goes with a signed message; the broker forgets it after so many seconds."""
    made = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    made.MessageExpiryInterval = max(1, expires_in_s)
    made.ContentType = "application/json"
    made.UserProperty = list(headers.items())
    return made
