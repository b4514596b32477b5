"""The street alive: meters that are called, lamps that follow their clocks, heartbeats."""

from __future__ import annotations

import asyncio
import heapq
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import count

from parking.meter_protocol import plan_path
from parking.simulator.broker import Broker, time_told
from parking.simulator.device import Device, Reply
from parking.simulator.faults import CUTS, Fault, FaultBook
from parking.simulator.reports import Reporter
from parking.simulator.specs import MeterSpec
from parking.simulator.waiting import Line

logger = logging.getLogger(__name__)

HEARTBEAT_S = 60.0
PULL_EVERY_S = 5.0  # a meter that nobody calls asks this often
FEED_EVERY_S = 15.0
TICK_S = 0.1
FIRST_REPORTS_PER_S = 400  # all meters start at once; their first reports do not
COME_BACK_WITHIN_S = 20.0  # after a cut, unless they stampede

Feed = Callable[[], Awaitable[Sequence[MeterSpec]]]


class Street:
    """All meters of a run. All times are seconds since 1970, by `clock`."""

    def __init__(
        self,
        *,
        site: str,
        seed: int = 1,
        faults: FaultBook | None = None,
        clock: Callable[[], float] = time.time,
        heartbeat_s: float = HEARTBEAT_S,
        line: str = "",
        wait_s: int = 0,
        broker: Broker | None = None,
    ) -> None:
        self.clock, self.heartbeat_s = clock, heartbeat_s
        self.faults = faults or FaultBook(seed)
        self.devices: dict[str, Device] = {}
        self.reporter = Reporter(
            site, self.faults, clock, self.took, line=line, wait_s=wait_s, broker=broker
        )
        self._line = Line(self.reporter, self.faults, clock, wait_s) if wait_s else None
        self._broker = broker
        self._retained: dict[str, tuple[bytes, Mapping[str, str]]] = {}  # plans at the broker
        self.version = 0  # rises with every change that a viewer can see
        self.changed: dict[str, int] = {}  # the version in which a meter changed last
        self._lamp_due: dict[Device, float] = {}
        self._agenda: list[tuple[float, int, str, Device | None]] = []
        self._order = count()
        self._pace = random.Random(f"{seed}/pace")  # noqa: S311
        self._cut: set[Device] = set()
        self._coming_back: set[Device] = set()

    async def run(self, feed: Feed) -> None:
        """Live until cancelled; `feed` is asked again and again which meters there are."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.reporter.run())
            tasks.create_task(self._follow(feed))
            tasks.create_task(self._tick())
            if self._line is not None:
                tasks.create_task(self._line.run())
            if self._broker is not None:
                tasks.create_task(self._broker.run(self._receive, self._tell_by_broker))

    def put_up(self, specs: Sequence[MeterSpec]) -> None:
        """Take the city's list of meters: put up new ones, change or take down the others."""
        now = self.clock()
        wanted = {spec.serial: spec for spec in specs}
        for serial in self.devices.keys() - wanted.keys():
            gone = self.devices.pop(serial)
            self.reporter.forget(gone)
            if self._line is not None:
                self._line.leave(gone)
            self._lamp_due.pop(gone, None)
            self._cut.discard(gone)
            self._coming_back.discard(gone)
            self.touch(serial)
        spread = max(0.2, len(wanted) / FIRST_REPORTS_PER_S)
        for serial, spec in wanted.items():
            if device := self.devices.get(serial):
                if device.spec != spec:
                    polled, device.spec = device.spec.polls, spec
                    self.touch(serial)
                    if spec.polls and not polled:
                        self._poll(device, now)
                    self._find_plan(device)
                continue
            device = self.devices[serial] = Device(spec, self.faults, now=now)
            self.touch(serial)
            self._at(now + self._pace.uniform(0, spread), "heartbeat", device)
            if spec.polls:
                self._poll(device, now)
            self._find_plan(device)

    def touch(self, serial: str) -> None:
        """Let viewers look at a meter again."""
        self.version += 1
        self.changed[serial] = self.version

    def took(self, device: Device, reply: Reply) -> None:
        """Follow a plan that a meter has taken."""
        if reply.status == 202:
            self._plan_ahead(device)
            self.reporter.tell(device)
            self.touch(device.spec.serial)

    def reboot(self, device: Device) -> None:
        """Cut a meter's power for a moment."""
        device.reboot(now=self.clock())
        self._find_plan(device)
        self.reporter.tell(device)
        self.touch(device.spec.serial)

    def park(self, device: Device, cars: dict[int, bool]) -> None:
        """Put cars on spots or take them away, by lamp; the others come and go as they booked."""
        device.cars = cars
        self.reporter.tell(device)
        self.touch(device.spec.serial)

    def set_faults(self, faults: Sequence[Fault], *, keep: bool) -> None:
        """Let things go wrong from now on, instead of or (`keep`) besides what does already."""
        if not keep:
            self.faults.clear()
        self.faults.add(faults, at=self.clock())
        self._announce(self.faults.edges())
        self.tell_all()

    def tell_all(self) -> None:
        """Have every meter report what it shows now; who comes back from a cut takes its time."""
        now, cuts = self.clock(), any(self.faults.knows(kind) for kind in CUTS)
        for serial, device in self.devices.items():
            self._plan_ahead(device)  # its clock may have changed
            self.touch(serial)
            was_cut = device in self._cut
            if cuts and device.is_cut(now):
                self._cut.add(device)
                continue
            self._cut.discard(device)
            if was_cut and not self.faults.has("stampede", serial, now):
                self._at(now + self._pace.uniform(0, COME_BACK_WITHIN_S), "back", device)
                self._coming_back.add(device)
            if device in self._coming_back:
                continue
            self.reporter.tell(device)
            if was_cut:
                self._find_plan(device)

    async def _follow(self, feed: Feed) -> None:
        while True:
            try:
                self.put_up(await feed())
            except Exception as error:  # noqa: BLE001 (the street lives on without its list)
                logger.warning("the list of meters could not be read, trying again: %s", error)
            await asyncio.sleep(FEED_EVERY_S)  # the city's list is not of the street's time

    async def _tick(self) -> None:
        self._announce(self.faults.edges())
        while True:
            now = self.clock()
            while self._agenda and self._agenda[0][0] <= now:
                due, _order, what, device = heapq.heappop(self._agenda)
                if device is None:
                    self.tell_all()
                elif self.devices.get(device.spec.serial) is device:
                    self._do(what, device, due, now)
            await asyncio.sleep(TICK_S)

    def _do(self, what: str, device: Device, due: float, now: float) -> None:
        if what == "heartbeat":
            if self.faults.strikes("reboot", device.spec.serial, now):
                device.reboot(now=now)
                self._find_plan(device)
            self._at(now + self.heartbeat_s, what, device)
            if not device.is_careless("heartbeat", now):
                self.reporter.tell(device)
        elif what == "pull":
            if device.spec.polls:
                self._at(now + PULL_EVERY_S, what, device)
                self.reporter.ask(device)
            return
        elif what == "back":
            self._coming_back.discard(device)
            self.reporter.tell(device)
            self._find_plan(device)
        elif self._lamp_due.get(device) == due:  # else a later plan has moved it
            self._plan_ahead(device)
            self.reporter.tell(device)
        self.touch(device.spec.serial)

    def _poll(self, device: Device, now: float) -> None:
        """Have a meter that nobody calls ask for its plan, on the line or again and again."""
        if self._line is not None:
            self._line.join(device)
        else:
            self._at(now + self._pace.uniform(0, PULL_EVERY_S), "pull", device)

    def _find_plan(self, device: Device) -> None:
        """Have a meter that nobody calls look for its plan now, as when it is back on the net."""
        serial, now = device.spec.serial, self.clock()
        if device.spec.polls and self._line is None:
            self.reporter.ask(device)
        elif device.spec.by_broker and serial in self._retained and not device.is_cut(now):
            body, headers = self._retained[serial]
            reply = device.put_plan(
                path=plan_path(serial), header=headers.get, body=body, now=now, lasting=True
            )
            self.took(device, reply)

    def _receive(self, serial: str, what: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Take what the broker has for a meter."""
        device = self.devices.get(serial)
        if what == "plan":
            self._retained[serial] = (body, headers)
            if device is not None:
                self._find_plan(device)
        elif device is not None and (
            there := time_told(device.spec, header=headers.get, body=body)
        ):
            device.set_clock(there, now=self.clock())
            self.reporter.tell(device)

    def _tell_by_broker(self) -> None:
        for device in self.devices.values():
            if device.spec.by_broker:
                self.reporter.tell(device)

    def _plan_ahead(self, device: Device) -> None:
        change = device.next_change(self.clock())
        if change is None:
            self._lamp_due.pop(device, None)
        elif change != self._lamp_due.get(device):
            self._lamp_due[device] = change
            self._at(change, "lamp", device)

    def _announce(self, edges: Sequence[float]) -> None:
        """Look at all lamps when a window of a fault opens or closes."""
        for edge in edges:
            self._at(edge, "faults", None)

    def _at(self, due: float, what: str, device: Device | None) -> None:
        heapq.heappush(self._agenda, (due, next(self._order), what, device))
