"""What one process takes to play 10,000 meters.

`make bench ARGS=simulator`. A process with 10,000 meters of four lamps, that each get a full plan
over HTTP, acknowledge it, and report for some virtual minutes, with every incident of the
simulator active for one message in a hundred, and with the page open.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

from parking.meter_protocol import Entry, Show, message, plan_path
from parking.signatures import Key, new_nonce, sign
from parking.simulator.clock import VirtualClock
from parking.simulator.engine import Street
from parking.simulator.fault_files import parse_faults
from parking.simulator.faults import INCIDENTS
from parking.simulator.http import Request, Response, Server
from parking.simulator.run import serve
from parking.simulator.specs import MeterSpec, SpotSpec

METERS, LAMPS, ENTRIES, AT_ONCE = 10_000, 4, 6, 32
GOAL_MB = 500
BEATS = 1
START = datetime(2026, 3, 3, 8, tzinfo=UTC)


def specs() -> list[MeterSpec]:
    """Return the meters of a large city."""
    return [
        MeterSpec(
            serial=f"MTR-{number:06d}",
            keys=(Key(f"mk_{number:016x}", number.to_bytes(32, "big")),),
            is_called=True,
            zone=f"Zone {number % 40}",
            street=f"Street {number % 400}",
            longitude=24.9 + number / 1e5,
            latitude=60.1,
            spots=tuple(
                SpotSpec(lamp=lamp, number=f"{number}-{lamp}") for lamp in range(1, LAMPS + 1)
            ),
        )
        for number in range(METERS)
    ]


def play(site: str) -> None:
    """Be the simulator: this runs in the process that is measured."""
    clock = VirtualClock(start=START.timestamp(), speed=1.0)
    street = Street(site=site, clock=clock)
    incidents = [
        {"kind": kind, "probability": 0.01, **({"hold_s": 1.0} if kind == "drop" else {})}
        for kind in INCIDENTS
        if kind != "reboot"
    ]
    street.faults.add(parse_faults({"fault": incidents}), at=clock())
    street.put_up(specs())

    async def never() -> list[MeterSpec]:
        await asyncio.Event().wait()
        return []

    def ready(port: int) -> None:
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()

    asyncio.run(serve(street, never, host="127.0.0.1", port=0, ready=ready))


async def measure() -> dict[str, float]:
    """Give all meters their plans and hear their reports; return what it took."""
    import httpx

    heard = 0

    async def listen(request: Request) -> Response:
        nonlocal heard
        heard += 1
        return Response(body=b"{}")

    site = Server(listen)
    await site.start("127.0.0.1", 0)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.simulator", f"http://127.0.0.1:{site.port}"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        port = (await asyncio.to_thread(process.stdout.readline)).strip()
        meters = specs()
        queue = iter(meters)
        taken = 0
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            trust_env=False,
            timeout=5,
            limits=httpx.Limits(max_connections=AT_ONCE),
        ) as client:

            async def give() -> None:
                nonlocal taken
                for spec in queue:
                    body, headers = _plan(spec)
                    try:
                        answer = await client.put(
                            plan_path(spec.serial), content=body, headers=headers
                        )
                        taken += answer.status_code == 202
                    except httpx.HTTPError:
                        continue  # one of the incidents

            started = time.monotonic()
            await asyncio.gather(*(give() for _sender in range(AT_ONCE)))
            planned_s = time.monotonic() - started
            started, before = time.monotonic(), heard
            for _beat in range(BEATS):
                wanted = heard + METERS
                control = {"put_on_s": 61.0}
                await client.put("/_control/clock", json=control)
                while heard < wanted:
                    await asyncio.sleep(0.1)
                    if time.monotonic() - started > 300:
                        raise TimeoutError("the meters fell silent")
                await client.get("/street.json", timeout=60)
            reported_s = time.monotonic() - started
        return {
            "taken": taken,
            "plans/s": METERS / planned_s,
            "calls/s": (heard - before) / reported_s,
            "MB": _peak_mb(process.pid),
        }
    finally:
        process.terminate()
        process.wait(20)
        await site.close()


def _plan(spec: MeterSpec) -> tuple[bytes, dict[str, str]]:
    entries = [
        Entry(
            START + timedelta(hours=n),
            START + timedelta(hours=n, minutes=50),
            Show("green", "steady"),
            f"B{spec.serial[-6:]}{n}",
        )
        for n in range(ENTRIES)
    ]
    body = json.dumps(
        message(
            serial=spec.serial,
            revision=1,
            command_id="019c0000-0000-7000-8000-000000000000",
            issued_at=START,
            not_after=START + timedelta(hours=9),
            plan=dict.fromkeys(range(1, LAMPS + 1), entries),
            now=START,
        )
    ).encode()
    signed = sign(
        key=spec.keys[0],
        method="PUT",
        path=plan_path(spec.serial),
        body=body,
        timestamp=int(START.timestamp()),
        nonce=new_nonce(),
    )
    return body, {"Content-Type": "application/json", **signed}


def _peak_mb(pid: int) -> float:
    with open(f"/proc/{pid}/status", encoding="ascii") as status:  # noqa: PTH123
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read())
    assert found
    return int(found[1]) / 1024


def main() -> int:
    """Measure and print; 1 when the process takes more than it may."""
    found = asyncio.run(measure())
    sys.stdout.write(
        f"{METERS:,} meters, {METERS * LAMPS:,} lamps, {METERS * LAMPS * ENTRIES:,} entries in "
        f"one process: {found['MB']:.0f} MB at most (goal {GOAL_MB}), {found['taken']:,.0f} plans "
        f"taken at {found['plans/s']:,.0f}/s, {found['calls/s']:,.0f} calls to the site/s\n"
    )
    return int(found["MB"] > GOAL_MB)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        play(sys.argv[1])
    else:
        sys.exit(main())
