"""The lines of the ledger as a CSV file over HTTP, beside `psql \\copy` of the same query.

`make bench ARGS=exports`, or `python -m tests.benchmarks.exports ROWS`. Both read the whole file,
in turns; the memory is that of the server's worker that sent it.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit

from tests.benchmarks.server import site

ROWS, TURNS = 5_000_000, 3
GOAL = 0.8  # of psql's speed
MOST_MIB = 64
_READ = 1 << 20


def main(rows: int) -> int:
    """Measure, print, and fail where a goal is missed."""
    os.environ["EXPORT_DIRECT_ROWS"] = str(rows)
    with site("curblight_bench_exports") as address:
        from datetime import date

        from django.contrib.auth.models import User
        from django.db import connection
        from django.test import Client

        from payments.audit_tables import LINES
        from payments.reports import Range
        from tests.benchmarks import books

        books.build(rows=rows, chained=False)
        client = Client()
        client.force_login(User.objects.create_superuser("root", "root@example.org", "x"))
        cookie = f"sessionid={client.cookies['sessionid'].value}"
        covered = Range(first_on=date(2026, 1, 1), last_on=date(2026, 12, 31))
        query, values = LINES.query(covered)
        copied = connection.ops.compose_sql(query, values)  # type: ignore[attr-defined]
        psql = [
            *("psql", "-X", "-q", os.environ["DATABASE_URL"].replace("postgis:", "postgresql:")),
            *("-c", f"\\copy ({' '.join(copied.split())}) to stdout (format csv, header)"),
        ]
        connection.close()
        path = f"/audit/files/lines.csv?first_on={covered.first_on}&last_on={covered.last_on}"
        for _ in range(10):  # every worker has started and answered
            _over_http(address, path.replace("2026-12-31", "2026-01-02"), cookie)
        before = {pid: _begin_peak(pid) for pid in _servers()}
        times: dict[str, list[float]] = {"psql \\copy": [], "over HTTP": []}
        hashes = set()
        for _ in range(TURNS):
            took, digest, size = _by_psql(psql)
            times["psql \\copy"].append(took)
            hashes.add(digest)
            took, digest, size = _over_http(address, path, cookie)
            times["over HTTP"].append(took)
            hashes.add(digest)
        grown = max(_peak(pid) - start for pid, start in before.items())
    assert len(hashes) == 1, "not the same bytes"
    sys.stdout.write(f"{rows:,} rows, {size / 1e6:,.0f} MB\n")
    for name, all_s in times.items():
        sys.stdout.write(f"{name:12}{min(all_s):>8.2f} s{rows / min(all_s):>12,.0f} rows/s\n")
    ratio = min(times["psql \\copy"]) / min(times["over HTTP"])
    sys.stdout.write(
        f"ratio {ratio:.2f} (goal {GOAL}); memory grew by {grown:.0f} MiB (at most {MOST_MIB})\n"
    )
    return int(ratio < GOAL or grown > MOST_MIB)


def _by_psql(command: list[str]) -> tuple[float, str, int]:
    began = perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        read = _read(process.stdout)
    assert process.returncode == 0
    return perf_counter() - began, *read


def _over_http(address: str, path: str, cookie: str) -> tuple[float, str, int]:
    client = http.client.HTTPConnection(urlsplit(address).netloc, timeout=600)
    began = perf_counter()
    client.request("GET", path, headers={"Cookie": cookie})
    answer = client.getresponse()
    assert answer.status == 200, answer.status
    read = _read(answer)
    took = perf_counter() - began
    client.close()
    return took, *read


def _read(stream: object) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while chunk := stream.read(_READ):  # type: ignore[attr-defined]
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


def _servers() -> list[int]:
    """Return the processes that were started from here, and theirs."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents[int(status.parent.name)] = int(fields[1])
    found, generation = [], [os.getpid()]
    while generation:
        generation = [pid for pid, parent in parents.items() if parent in generation]
        found += generation
    return found


def _begin_peak(pid: int) -> float:
    """Let the peak begin at what is resident now, and return that."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return _peak(pid)


def _peak(pid: int) -> float:
    """Return the most memory that a process has had resident, in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS))
