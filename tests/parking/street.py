"""A street of simulated meters for tests, in a thread of the test's own process."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import httpx
from django.conf import settings as site_settings
from django.db import connection, transaction
from django.utils import timezone

from parking import booking, locking, meter_keys
from parking.management.commands.simulate_meters import meters as specs_from_database
from parking.models import Meter, Slot, Spot, Zone
from parking.simulator.app import App
from parking.simulator.broker import Broker
from parking.simulator.engine import HEARTBEAT_S, Street
from parking.simulator.fault_files import parse_faults
from parking.simulator.faults import FaultBook
from parking.simulator.http import Server
from parking.simulator.specs import MeterSpec
from tests import cast


def database_url() -> str:
    """Return the address of the test's own database."""
    address, name = site_settings.DATABASES["default"], connection.settings_dict["NAME"]
    host = str(address["HOST"]).replace("/", "%2F")
    user = f"{address['USER']}:{address['PASSWORD']}" if address["PASSWORD"] else address["USER"]
    port = f":{address['PORT']}" if address["PORT"] else ""
    return f"postgis://{user}@{host}{port}/{name}"


def a_street_meter(
    zone: Zone, serial: str = "MTR-000001", *, lamps: int = 2, edge_url: str = "gateway"
) -> Meter:
    """Make a meter with a key, and spots named after it."""
    meter = cast.a_meter(zone, serial, edge_url=edge_url)
    meter_keys.create_keys([meter.pk])
    for lamp in range(1, lamps + 1):
        cast.a_spot(zone, f"{serial[-3:]}-{lamp}", meter=meter, position=lamp)
    return meter


def lamp(meter: Meter, position: int) -> Spot:
    """Return the spot of a meter's lamp, with its light, as they are now."""
    return Spot.objects.select_related("light", "meter").get(meter=meter, position=position)


def eventually(question: Callable[[], Any], *, within: float = 10.0, every: float = 0.02) -> Any:
    """Wait until the question is answered with something true; fail with what it said last."""
    deadline = time.monotonic() + within
    while not (answer := question()):
        assert time.monotonic() < deadline, f"still {answer!r} after {within} s"
        time.sleep(every)
    return answer


_OTHERS_AT_WORK = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
  AND (state LIKE 'idle in transaction%' OR state = 'active' AND backend_type = 'client backend')
"""


def answered() -> None:
    """Wait until the site has answered what a street asked before it fell silent.

    The tables are emptied after a test, and whoever is still at them would be in the way.
    """

    def nobody_works() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(_OTHERS_AT_WORK)
            return cursor.fetchone()[0] == 0

    for _look in range(3):  # an answer may be on its way to its first query
        eventually(nobody_works)
        time.sleep(0.03)


def booked_now(meter: Meter, position: int = 1, minutes: int = 60) -> Slot:
    """Confirm a stay on the meter's spot that runs now."""
    now = timezone.now()
    start = now.replace(minute=now.minute - now.minute % 5, second=0, microsecond=0)
    held = cast.a_hold(lamp(meter, position), start, minutes, now=now)
    with transaction.atomic():
        slot = locking.lock_slot(held.pk)
        booking.confirm(slot=slot, now=now, actor="processor")
    return slot


def shows(meter: Meter, position: int, wanted: str) -> bool:
    """Say whether the lamp should show this, such as "green steady", and has reported it."""
    seen = lamp(meter, position).light
    return (
        f"{seen.desired_light} {seen.desired_pattern}"
        == f"{seen.reported_light} {seen.reported_pattern}"
        == wanted
    )


class RunningStreet:
    """A simulator that listens on a free port and calls `site`."""

    def __init__(
        self,
        site: str,
        *,
        seed: int = 1,
        port: int = 0,
        clock: Callable[[], float] = time.time,
        heartbeat_s: float = HEARTBEAT_S,
        wait_s: int = 0,
        broker: Broker | None = None,
    ) -> None:
        self.street = Street(
            site=site,
            seed=seed,
            faults=FaultBook(seed),
            clock=clock,
            heartbeat_s=heartbeat_s,
            wait_s=wait_s,
            broker=broker,
        )
        self._loop = asyncio.new_event_loop()
        self._server = Server(App(self.street))
        self._up = threading.Event()
        self._wanted_port = port
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._living: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where the meters are called."""
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.port

    def start(self) -> RunningStreet:
        """Listen and live."""
        self._thread.start()
        assert self._up.wait(5)
        return self

    def stop(self) -> None:
        """Fall silent, with all connections cut."""
        if not self._thread.is_alive():
            return
        self._loop.call_soon_threadsafe(self._end)
        self._thread.join(5)
        assert not self._thread.is_alive()

    def put_up(self, specs: Iterable[MeterSpec] | None = None) -> None:
        """Give the street its meters; those of the database by default."""
        known = list(specs) if specs is not None else specs_from_database(10_000)
        self.do(lambda: self.street.put_up(known))

    def faults(self, *faults: dict[str, Any]) -> None:
        """Let things go wrong from now on; nothing ends them all."""
        parsed = parse_faults({"fault": list(faults)})
        self.do(lambda: self.street.set_faults(parsed, keep=False))

    def falls_quiet(self) -> None:
        """Wait until no meter has more to say, and the site has answered what they said.

        A report of before a plan that arrives after it has the site send that plan again.
        """
        eventually(lambda: self.do(self.street.reporter.is_quiet))

    def control(self, method: str, page: str, body: Any = None, *, status: int = 200) -> Any:
        """Ask the street's own interface something, as a person would; return its answer."""
        address = f"{self.url}{page}" if page.startswith("/") else f"{self.url}/_control/{page}"
        answer = httpx.request(method, address, json=body, trust_env=False, timeout=10)
        assert answer.status_code == status, answer.text
        return answer.json()

    def do(self, action: Callable[[], Any]) -> Any:
        """Run the action in the street's own thread and return what it returns."""

        async def act() -> Any:
            return action()

        return self.wait_for(act())

    def wait_for(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine in the street's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def _end(self) -> None:
        assert self._living is not None
        self._living.cancel()

    def _run(self) -> None:
        async def never() -> list[MeterSpec]:
            await asyncio.Event().wait()
            return []

        async def live() -> None:
            await self._server.start("127.0.0.1", self._wanted_port)
            self._living = asyncio.create_task(self.street.run(never))
            self._up.set()
            await asyncio.gather(self._living, return_exceptions=True)
            await self._server.close()

        self._loop.run_until_complete(live())
        self._loop.close()
