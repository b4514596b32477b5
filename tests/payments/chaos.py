"""A street on a bad day: real meters over HTTP, the site's own jobs, citizens who go on booking.

All live by one virtual clock that the site is given, too: `STREET_SPEED` seconds pass in each.
"""

from __future__ import annotations

import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from django.db import close_old_connections, connection, connections, transaction

from parking import booking, locking, refusals, tasks
from parking.models import Light, Meter, MeterCommand, Slot, SlotState, Spot
from parking.models.meter import OPEN_COMMAND_STATES
from parking.simulator.clock import VirtualClock
from parking.simulator.engine import HEARTBEAT_S
from tests import cast
from tests.parking.street import RunningStreet, answered, lamp

STREET_SPEED = 6.0
LEAD = timedelta(minutes=15)

# What can go wrong, with the bounds of what is drawn.
MISFORTUNES: list[dict[str, Any]] = [
    {"kind": "latency", "median_ms": (200.0, 3000.0)},
    {"kind": "drop", "probability": (0.1, 0.5), "hold_s": (5.0, 20.0)},
    {"kind": "ack_lost", "probability": (0.2, 0.9)},
    {"kind": "error", "probability": (0.1, 0.5), "length": (1, 6)},
    {"kind": "busy", "probability": (0.1, 0.5)},
    {"kind": "reset", "probability": (0.2, 0.8)},
    {"kind": "reboot", "probability": (0.3, 1.0)},
    {"kind": "duplicate"},
    {"kind": "reorder", "delay_s": (3.0, 20.0)},
    {"kind": "replay"},
    {"kind": "bad_signature", "probability": (0.1, 0.6)},
    {"kind": "offline", "probability": (0.3, 0.7)},
    {"kind": "gateway_cut"},
    {"kind": "stampede"},
    {"kind": "clock_off", "offset_s": (-120.0, 120.0), "probability": (0.2, 0.6)},
    {"kind": "clock_off", "offset_s": (400.0, 4000.0), "probability": (0.1, 0.3)},
    {"kind": "stuck_light", "light": "red", "pattern": "steady", "probability": (0.2, 0.5)},
    {"kind": "stuck_light", "honest": False, "probability": (0.2, 0.5)},
    {"kind": "maintenance", "probability": (0.2, 0.5)},
    {"kind": "light_fault", "probability": (0.2, 0.5)},
    {"kind": "ignores_not_after"},
    {"kind": "dying_battery", "percent_per_hour": (100.0, 6000.0)},
    {"kind": "false_sensor"},
]


def misfortunes(seed: int, *, lasting_s: float, count: int = 9) -> list[dict[str, Any]]:
    """Draw faults that begin within a time, and for some when they end."""
    dice = random.Random(seed)
    drawn = []
    for kind in dice.sample(MISFORTUNES, count):
        fault = {
            name: value
            if not isinstance(value, tuple)
            else dice.randint(*value)
            if isinstance(value[0], int)
            else dice.uniform(*value)
            for name, value in kind.items()
        }
        window = {"from_s": dice.uniform(0, lasting_s * 0.6)}
        if dice.random() < 0.4:  # the others last until all faults stop
            window["to_s"] = dice.uniform(lasting_s * 0.7, lasting_s)
        drawn.append({**fault, **window})
    return drawn


class Seen(NamedTuple):
    """A lamp that was green, at a moment by its meter's clock."""

    serial: str
    lamp: int
    at: datetime


class City:
    """The site at work beside its street."""

    def __init__(self, street: RunningStreet, clock: VirtualClock) -> None:
        self.street, self.clock = street, clock
        self.green: set[Seen] = set()
        self.went_back: list[str] = []
        self._revisions: dict[tuple[str, str], int] = defaultdict(int)
        self._over = threading.Event()
        self._failures: list[BaseException] = []

    def now(self) -> datetime:
        """Return the city's time."""
        return datetime.fromtimestamp(self.clock(), UTC)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Let the jobs of the beat run, as often as the timetable says, and watch the lamps."""
        jobs = {
            "ship": (tasks.ship_due, 1.0),
            "advance": (tasks.advance_lights, 2.0),
            "reconcile": (tasks.reconcile_lights, 30.0),
            "watch": (self.watch, 1.0),
        }
        threads = [
            threading.Thread(target=self._repeat, args=job, name=name) for name, job in jobs.items()
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join(30)
        assert self._failures == []

    def watch(self) -> None:
        """Note the lamps that are green, and revisions that fall without a reboot."""

        def look() -> None:
            now = self.clock()
            for serial, device in self.street.street.devices.items():
                own = datetime.fromtimestamp(device.own_time(now), UTC)
                self.green |= {
                    Seen(serial, number, own)
                    for number, show in device.shown(now).items()
                    if show.light == "green"
                }
                known = self._revisions[serial, device.boot_id]
                if device.revision < known:
                    self.went_back.append(f"{serial} went from {known} to {device.revision}")
                self._revisions[serial, device.boot_id] = device.revision

        self.street.do(look)

    def wrong(self) -> list[str]:
        """Return the lamps that do not show, or do not say that they show, what they should."""
        shown = self.street.do(
            lambda: {
                (serial, number): show
                for serial, device in self.street.street.devices.items()
                for number, show in device.shown(self.clock()).items()
            }
        )
        found = []
        for light in Light.objects.select_related("spot__meter"):
            meter, number = light.spot.meter, light.spot.position
            assert meter is not None
            assert number is not None
            seen = shown[meter.serial, number]
            wanted = (light.desired_light, light.desired_pattern)
            if not light.converged or tuple(seen) != wanted:
                told = f"{light.reported_light} {light.reported_pattern}"
                found.append(f"{meter} {number}: {wanted}, says {told}, shows {seen}")
        return found

    def settles_within(self, seconds: float) -> float:
        """Wait until nothing is wrong; return how long it took, by the city's clock."""
        since = self.clock()
        while wrong := self.wrong():
            assert self.clock() - since < seconds, f"after {seconds} s:\n" + "\n".join(wrong)
            time.sleep(0.2)
        return self.clock() - since

    def green_without_a_stay(self) -> list[Seen]:
        """Return where a lamp was green though nobody ever had a stay there."""
        stays: dict[tuple[str, int], list[tuple[datetime, datetime]]] = defaultdict(list)
        paid = Slot.objects.filter(state__in=[SlotState.CONFIRMED, SlotState.CANCELLED])
        for serial, number, period in paid.values_list(
            "spot__meter__serial", "spot__position", "period"
        ):
            stays[serial, number].append((period.lower - LEAD, period.upper))
        return [
            seen
            for seen in self.green
            if not any(
                start <= seen.at < end for start, end in stays.get((seen.serial, seen.lamp), [])
            )
        ]

    def _repeat(self, job: Any, every_s: float) -> None:
        try:
            while not self._over.wait(every_s / self.clock.speed):
                close_old_connections()
                job()
        except BaseException as error:  # noqa: BLE001 (the test says what broke a job)
            self._failures.append(error)
        finally:
            connections.close_all()


@contextmanager
def city(
    live_server: Any, settings: Any, *, seed: int, speed: float = STREET_SPEED
) -> Iterator[City]:
    """Run a street whose meters are those of the database, and the site, by one virtual clock."""
    clock = VirtualClock(start=cast.NOW.timestamp(), speed=speed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.utils.timezone.now", lambda: datetime.fromtimestamp(clock(), UTC))
        street = RunningStreet(
            live_server.url, seed=seed, clock=clock, heartbeat_s=HEARTBEAT_S
        ).start()
        settings.METER_GATEWAY_URL = street.url
        street.put_up()
        try:
            made = City(street, clock)
            with made.at_work():
                yield made
        finally:
            street.stop()
            answered()


def citizen(dice: random.Random, meters: list[Meter], now: datetime) -> None:
    """Book a stay that runs now or soon, or cancel one."""
    confirmed = list(Slot.objects.confirmed().filter(payments=None).values_list("pk", flat=True))
    if confirmed and dice.random() < 0.35:
        with transaction.atomic():
            slot = locking.lock_slot(dice.choice(confirmed))
            if now < slot.end:
                booking.cancel(slot=slot, now=now, actor="citizen")
        return
    spot = lamp(dice.choice(meters), dice.choice([1, 2]))
    start = now.replace(minute=now.minute - now.minute % 5, second=0, microsecond=0)
    start += timedelta(minutes=5 * dice.randint(0, 4))
    try:
        confirm(spot, start, now)
    except (refusals.SpotTaken, refusals.Busy):
        return


def confirm(spot: Spot, start: datetime, now: datetime, minutes: int = 120) -> None:
    """Hold and confirm a stay, as a payment does."""
    held = cast.a_hold(spot, start, minutes, now=now, plate=f"ABC{spot.pk:03d}")
    with transaction.atomic():
        booking.confirm(slot=locking.lock_slot(held.pk), now=now, actor="processor")


def open_commands(*, called: bool = False) -> int:
    """Count the commands that have not ended; those of meters that are called, or all."""
    found = MeterCommand.objects.filter(state__in=OPEN_COMMAND_STATES)
    return found.exclude(meter__edge_url="").count() if called else found.count()


def ended_twice() -> int:
    """Count the commands whose end and state contradict each other."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM parking_metercommand WHERE (state IN ('pending', 'accepted'))"
            " <> (ended_at IS NULL)"
        )
        return int(cursor.fetchone()[0])
