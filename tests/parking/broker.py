"""A real MQTT broker on a free port, and a simulated meter that knows nothing but MQTT."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from parking.management.commands.simulate_meters import meters as specs_from_database
from parking.mqtt_messages import ROOT, topic
from parking.signatures import Key, new_nonce, sign, verify
from parking.simulator.device import Device
from parking.simulator.faults import FaultBook
from tests.parking.street import eventually

MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
USER, PASSWORD = "curblight", "for-tests"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Broker:
    """Mosquitto with a password, that can be taken away and brought back."""

    def __init__(self, folder: Path, *, tls: tuple[Path, Path] | None = None) -> None:
        self.port = free_port()
        self.scheme = "mqtts" if tls else "mqtt"
        passwords, self._config = folder / "passwords", folder / "mosquitto.conf"
        made = ["mosquitto_passwd", "-b", "-c", str(passwords), USER, PASSWORD]
        subprocess.run(made, check=True)
        lines = [
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous false",
            f"password_file {passwords}",
            "user root",
            *([f"certfile {tls[0]}", f"keyfile {tls[1]}"] if tls else []),
        ]
        self._config.write_text("\n".join(lines) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address, with the password, as a city writes it."""
        host = "localhost" if self.scheme == "mqtts" else "127.0.0.1"
        return f"{self.scheme}://{USER}:{PASSWORD}@{host}:{self.port}"

    def start(self) -> Broker:
        """Listen; what was retained before is forgotten."""
        self._process = subprocess.Popen(
            [MOSQUITTO, "-c", str(self._config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        eventually(self._answers)
        return self

    def stop(self) -> None:
        """Fall silent."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1):
                return True
        except OSError:
            return False


class MqttMeter:
    """A meter in a thread of its own. `seen` are all messages of the broker, for whoever looks."""

    def __init__(self, broker: Broker, serial: str, *, clock_off_s: float = 0) -> None:
        spec = next(spec for spec in specs_from_database(10_000) if spec.serial == serial)
        self.device = Device(spec, FaultBook(1), now=time.time())
        self.device.correction_s = clock_off_s
        self.key: Key = spec.keys[0]
        self.seen: list[tuple[str, bytes, dict[str, str], int]] = []
        self._broker, self._loop = broker, asyncio.new_event_loop()
        self._living: asyncio.Task[None] | None = None
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> MqttMeter:
        """Connect, fetch what is retained, tell its state."""
        self._thread.start()
        assert self._up.wait(10)
        return self

    def stop(self) -> None:
        """Go away without a word."""
        if self._living is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._living.cancel)
            self._thread.join(5)

    def tell(self) -> None:
        """Report its state now."""
        asyncio.run_coroutine_threadsafe(self._say("state", None), self._loop).result(10)

    def shown(self, lamp: int) -> str:
        """Return what a lamp shows."""
        return " ".join(self.device.shown(time.time())[lamp])

    def _run(self) -> None:
        async def live() -> None:
            self._living = asyncio.current_task()
            async with aiomqtt.Client(
                "127.0.0.1",
                self._broker.port,
                username=USER,
                password=PASSWORD,
                protocol=aiomqtt.ProtocolVersion.V5,
            ) as self._client:
                await self._client.subscribe(f"{ROOT}/#", qos=1)
                self._up.set()
                await self._say("state", None)
                async for message in self._client.messages:
                    await self._take(message)

        try:
            self._loop.run_until_complete(live())
        except (asyncio.CancelledError, aiomqtt.MqttError):
            pass
        finally:
            self._loop.close()

    async def _take(self, message: aiomqtt.Message) -> None:
        name, body = str(message.topic), bytes(message.payload or b"")
        headers = dict(getattr(message.properties, "UserProperty", []))
        expiry = int(getattr(message.properties, "MessageExpiryInterval", 0))
        self.seen.append((name, body, headers, expiry))
        serial = self.device.spec.serial
        if name != topic(serial, "plan"):
            return
        keys = {key.key_id: key for key in self.device.spec.keys}
        # A retained plan may be old: its revision and its not_after say what it is worth.
        verify(
            header=headers.get,
            method="PUT",
            path=f"/v1/meters/{serial}/plan",
            body=body,
            key_of=keys.get,
            now=time.time(),
            skew_s=float("inf"),
        )
        self.device.take(json.loads(body), now=time.time())
        while self.device.acks:
            await self._say("acks", self.device.acks.popleft())
        await self._say("state", None)

    async def _say(self, what: str, said: dict[str, Any] | None, *, key: Key | None = None) -> None:
        message = self.device.state(time.time()) if said is None else said
        serial, body = self.device.spec.serial, json.dumps(message).encode()
        signature = sign(
            key=key or self.key,
            method="POST",
            path=f"/edge/v1/meters/{serial}/{what}",
            body=body,
            timestamp=int(self.device.own_time(time.time())),
            nonce=new_nonce(),
        )
        properties = Properties(PacketTypes.PUBLISH)
        properties.UserProperty = list(signature.items())
        await self._client.publish(topic(serial, what), body, qos=1, properties=properties)

    def report_events(self, count: int) -> None:
        """Report so many events "e0", "e1", …, each in a message of its own."""

        async def report() -> None:
            for number in range(count):
                event = {"event_id": f"e{number}", "kind": "door", "data": {}}
                at = datetime.now(UTC).isoformat()  # noqa: TID251
                await self._say("events", {"events": [{**event, "at": at, "spot": 1}]})

        asyncio.run_coroutine_threadsafe(report(), self._loop).result(30)

    def forge(self, what: str, said: dict[str, Any]) -> None:
        """Say something with a guessed key."""
        forged = self._say(what, said, key=Key(self.key.key_id, b"guessed"))
        asyncio.run_coroutine_threadsafe(forged, self._loop).result(10)
