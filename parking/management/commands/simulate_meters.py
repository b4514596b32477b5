"""Play the city's meters, so that its lights can be seen without a street."""

from __future__ import annotations

import argparse
import asyncio
import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from parking import meter_keys, meter_mqtt
from parking.meter_protocol import parse_stamp
from parking.models import Meter, MeterKey, Spot
from parking.signatures import Key
from parking.simulator.broker import Broker
from parking.simulator.clock import FASTEST, VirtualClock
from parking.simulator.engine import HEARTBEAT_S, Street
from parking.simulator.fault_files import FaultsRefused, read_faults
from parking.simulator.run import serve
from parking.simulator.specs import MeterSpec, SpotSpec

LARGEST_COUNT = 10_000
logger = logging.getLogger(__name__)


class Command(BaseCommand):
    """Run a process that answers and calls as the meters of this installation would.

    It reads serials, keys and spots from the database every 15 seconds, as a technician would
    carry them to the poles; everything else goes over the wire. It keeps nothing: after a restart
    all its meters have lost their plans, say so, and are given them again.
    """

    help = "Play the city's meters on a local port, with a page that shows the street."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add port, host, site, count, seed and faults."""
        parser.add_argument("--port", type=int, default=8020, help="0 takes a free one")
        parser.add_argument(
            "--host", default="127.0.0.1", help="it has no passwords: keep it local"
        )
        parser.add_argument("--site", default=settings.SITE_URL, help="where the meters call")
        parser.add_argument("--line", help="where meters wait that nobody calls; by default --site")
        parser.add_argument(
            "--wait", type=_wait, default=0, help="seconds that they wait; 0: they ask every 5 s"
        )
        parser.add_argument("--count", type=_count, default=LARGEST_COUNT, help="play so many")
        parser.add_argument("--seed", type=int, default=1, help="the same seed, the same mishaps")
        parser.add_argument("--faults", type=Path, help="a TOML or JSON file of what goes wrong")
        parser.add_argument(
            "--speed", type=_speed, default=1.0, help="virtual seconds in one of the world"
        )
        parser.add_argument(
            "--start", type=_moment, help="when it is for the meters, such as 2026-03-03T08:00:00Z"
        )
        parser.add_argument(
            "--heartbeat", type=_heartbeat, default=HEARTBEAT_S, help="seconds between two reports"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until stopped.

        Raises:
            CommandError: the faults are wrong, or the port is taken.
        """
        try:
            faults = read_faults(options["faults"]) if options["faults"] else []
        except FaultsRefused as error:
            raise CommandError(str(error)) from error
        street = Street(
            site=options["site"],
            seed=options["seed"],
            clock=VirtualClock(start=options["start"], speed=options["speed"]),
            heartbeat_s=options["heartbeat"],
            line=options["line"] or options["site"],
            wait_s=options["wait"],
            broker=Broker(lambda: meter_mqtt.client("street")) if settings.METER_MQTT_URL else None,
        )
        street.faults.add(faults, at=street.clock())

        def read() -> Sequence[MeterSpec]:
            try:
                return meters(options["count"])
            finally:
                connection.close()  # another thread may read the next time

        async def feed() -> Sequence[MeterSpec]:
            return await asyncio.to_thread(read)

        def ready(port: int) -> None:
            self.stdout.write(f"The street is at http://{options['host']}:{port}/")

        try:
            asyncio.run(
                serve(street, feed, host=options["host"], port=options["port"], ready=ready)
            )
        except OSError as error:
            raise CommandError(f"port {options['port']}: {error.strerror or error}") from error


def meters(count: int) -> list[MeterSpec]:
    """Read the meters in use from the database, the first `count` by serial."""
    rows = list(Meter.objects.filter(is_active=True).select_related("zone")[:count])
    spots: dict[int, list[Spot]] = {meter.id: [] for meter in rows}
    for spot in Spot.objects.filter(meter_id__in=spots).order_by("position"):
        if spot.meter_id is not None:
            spots[spot.meter_id].append(spot)
    keys: dict[int, list[Key]] = {meter.id: [] for meter in rows}
    for key in MeterKey.objects.filter(meter_id__in=keys, retired_at__isnull=True):
        try:
            keys[key.meter_id].append(meter_keys.key_from_row(key))
        except meter_keys.KeyUnreadable as error:
            logger.warning("%s", error)
    return [
        MeterSpec(
            serial=meter.serial,
            keys=tuple(keys[meter.id]),
            is_called=meter.edge_url not in {"", meter_mqtt.ADDRESS},
            by_broker=meter.edge_url == meter_mqtt.ADDRESS,
            gateway=meter.edge_url,
            zone=meter.zone.name,
            street=next((spot.street for spot in spots[meter.id] if spot.street), ""),
            longitude=meter.location.x,
            latitude=meter.location.y,
            spots=tuple(
                SpotSpec(lamp=spot.position or 0, number=spot.number) for spot in spots[meter.id]
            ),
        )
        for meter in rows
    ]


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= LARGEST_COUNT:
        raise argparse.ArgumentTypeError(f"must be 1 to {LARGEST_COUNT}")
    return int(text)


def _speed(text: str) -> float:
    return _number(text, 0, FASTEST)


def _wait(text: str) -> int:
    return int(_number(text, 0, 60))


def _heartbeat(text: str) -> float:
    return _number(text, 1, 3600)


def _number(text: str, least: float, most: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not least <= number <= most:
        raise argparse.ArgumentTypeError(f"must be {least:g} to {most:g}")
    return number


def _moment(text: str) -> float:
    try:
        return parse_stamp(text).timestamp()
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
