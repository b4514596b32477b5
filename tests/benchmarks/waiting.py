"""Meters that only call us, waiting for their plans: `make bench ARGS=waiting`.

500 wait at the real process (uvicorn, `GET …/plan?wait=30`). Printed: what they cost while nothing
happens, how soon one is told of a booking, and how soon all are told when all plans change in one
transaction.
"""

from __future__ import annotations

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from tests.benchmarks.server import _wait, own_database

METERS, IDLE_S, SINGLES = 500, 5, 20
GOAL_ONE_MS, GOAL_ALL_S, GOAL_MB = 300, 10, 200
HERTZ = os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Measure, print, and fail where a goal is missed."""
    os.environ["DATABASE_URL"] = own_database("curblight_bench_waiting")
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    os.environ["LOG_LEVEL"] = "ERROR"
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        *(sys.executable, "-m", "uvicorn", "--port", str(port), "--log-level", "error"),
        *("--no-access-log", "--timeout-graceful-shutdown", "1", "config.asgi:application"),
    ]
    server = subprocess.Popen(command)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(f"{address}/healthz")
        return asyncio.run(_measure(address, server.pid))
    finally:
        server.terminate()
        server.wait(10)


async def _measure(address: str, pid: int) -> int:
    serials, keys = await asyncio.to_thread(_a_street)
    limits = httpx.Limits(max_connections=METERS + 10, max_keepalive_connections=METERS + 10)
    async with httpx.AsyncClient(timeout=60, limits=limits, trust_env=False) as client:
        empty_mb = _memory_mb(pid)
        waits = _all_wait(client, address, serials, keys, revision=1)
        await asyncio.sleep(6)
        assert not any(wait.done() for wait in waits)
        full_mb, cpu = _memory_mb(pid), _cpu_s(pid)
        await asyncio.sleep(IDLE_S)
        idle = (_cpu_s(pid) - cpu) / IDLE_S
        singles = []
        for number in range(SINGLES):
            began = time.perf_counter()
            await asyncio.to_thread(_change, [serials[number]])
            await waits[number]
            singles.append((time.perf_counter() - began) * 1000)
        began = time.perf_counter()
        await asyncio.to_thread(_change, serials[SINGLES:])
        committed = time.perf_counter()
        answers = await asyncio.gather(*waits)
        everybody = time.perf_counter() - committed
    assert {answer.status_code for answer in answers} == {200}
    one = statistics.median(singles)
    sys.stdout.write(
        f"{METERS} meters wait: {full_mb:.0f} MB ({empty_mb:.0f} MB with none), "
        f"{(full_mb - empty_mb) * 1024 / METERS:.0f} kB each, {idle:.1%} of a core\n"
        f"one plan changes: told after {one:.0f} ms in the middle, {max(singles):.0f} ms at most "
        f"(with the transaction)\n"
        f"{METERS - SINGLES} plans change at once: written in {committed - began:.1f} s, all told "
        f"{everybody:.1f} s later\n"
        f"goals: {GOAL_ONE_MS} ms, {GOAL_ALL_S} s, {GOAL_MB} MB\n"
    )
    return int(one > GOAL_ONE_MS or everybody > GOAL_ALL_S or full_mb > GOAL_MB)


def _all_wait(
    client: httpx.AsyncClient, address: str, serials: list[str], keys: list[Any], *, revision: int
) -> list[asyncio.Task[httpx.Response]]:
    from parking.signatures import new_nonce, sign

    async def one(serial: str, key: Any) -> httpx.Response:
        path = f"/edge/v1/meters/{serial}/plan"
        signature = sign(
            key=key, method="GET", path=path, body=b"", timestamp=int(time.time()),
            nonce=new_nonce(),
        )  # fmt: skip
        headers = {**signature, "If-None-Match": f'"{revision}"'}
        return await client.get(f"{address}{path}?wait=60", headers=headers)

    return [
        asyncio.create_task(one(serial, key)) for serial, key in zip(serials, keys, strict=True)
    ]


def _a_street() -> tuple[list[str], list[Any]]:
    from django.utils import timezone

    from parking import lights, meter_keys
    from parking.models import Meter, MeterKey, Spot
    from tests import cast

    zone = cast.a_zone()
    meters = [cast.a_meter(zone, f"M-{number:04}", edge_url="") for number in range(METERS)]
    Spot.objects.bulk_create(
        Spot(zone=zone, number=meter.serial, location=meter.location, meter=meter, position=1)
        for meter in meters
    )
    meter_keys.create_keys([meter.pk for meter in meters])
    while lights.look(now=timezone.now()):
        pass
    rows = {row.meter_id: row for row in MeterKey.objects.all()}
    keys = [meter_keys.key_from_row(rows[meter.pk]) for meter in meters]
    assert not Meter.objects.exclude(plan_revision=1).exists()
    return [meter.serial for meter in meters], keys


def _change(serials: list[str]) -> None:
    """Close the spots of these meters: their plans change."""
    from django.db import transaction
    from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
    from django.utils import timezone

    from parking import lights
    from parking.models import Closure, Meter, Spot

    now = timezone.now()
    with transaction.atomic():
        spots = Spot.objects.filter(meter__serial__in=serials)
        period = DateTimeTZRange(now, now + timedelta(hours=9))
        Closure.objects.bulk_create(
            Closure(zone_id=spot.zone_id, spot=spot, period=period, reason="x") for spot in spots
        )
        ids = Meter.objects.filter(serial__in=serials).values_list("pk", flat=True)
        lights.replan(meter_ids=list(ids), now=now)


def _memory_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / HERTZ


if __name__ == "__main__":
    sys.exit(main())
