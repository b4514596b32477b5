"""How fast the books are sealed, and verified from the first entry to the last.

`make bench ARGS=ledger`, or `python -m tests.benchmarks.ledger ROWS`.
"""

from __future__ import annotations

import os
import sys
from time import perf_counter

from tests.benchmarks.server import own_database

ROWS = 200_000
GOAL = 50_000  # rows verified a second


def main(rows: int) -> int:
    """Measure, print, and fail where the goal is missed."""
    os.environ["DATABASE_URL"] = own_database("curblight_bench_ledger")
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.settings"
    os.environ["DEBUG"] = "0"
    os.environ["LOG_LEVEL"] = "ERROR"
    import django

    django.setup()
    from django.db import connection

    from payments import ledger, proof
    from tests.benchmarks import books

    books.build(rows=rows, chained=True)
    began = perf_counter()
    assert ledger.seal() == rows
    sealed = perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    times = []
    for _ in range(3):
        began = perf_counter()
        assert proof.first_broken() is None
        times.append(perf_counter() - began)
    began = perf_counter()
    assert proof.first_missing_document() is None
    documents = perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE payments_ledgerline SET account = 'psp_feez'"
            " WHERE entry_id = %s AND position = 1",
            [rows - 2],
        )
    broken = proof.first_broken()
    assert broken is not None
    assert broken.number == rows - 2
    speed = rows / min(times)
    sys.stdout.write(
        f"{rows:,} entries, {rows * 5 // 2:,} lines\n"
        f"sealed with documents {sealed:>8.2f} s{rows / sealed:>12,.0f} rows/s\n"
        f"verified              {min(times):>8.2f} s{speed:>12,.0f} rows/s (goal {GOAL:,})\n"
        f"documents verified    {documents:>8.2f} s\n"
        "one changed byte near the end: found and named\n"
    )
    connection.close()
    return int(speed < GOAL)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS))
