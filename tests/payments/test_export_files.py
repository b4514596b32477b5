"""A file says what the ledger says, the same every time, however large it is."""

from __future__ import annotations

import csv
import gzip
import io
import json
import multiprocessing
import time
from datetime import date, datetime, timedelta
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import User
from django.db import connection, connections, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from parking.models import Zone
from parking.roles import write_groups
from payments import audit_files, export_jobs, exports, ledger, manifests, tasks
from payments.audit_tables import TABLES
from payments.models import (
    ExportJob,
    ExportLog,
    ExportPart,
    ExportState,
    LedgerEntry,
    LedgerLine,
)
from payments.reports import Range, report
from tests import cast

YEAR = Range(first_on=date(2026, 1, 1), last_on=date(2026, 12, 31))
FEBRUARY = Range(first_on=date(2026, 2, 1), last_on=date(2026, 2, 28))
JANUARY_TO_MARCH = {"first_on": "2026-01-01", "last_on": "2026-03-31"}


@pytest.fixture
def auditor(db: None) -> User:
    write_groups()
    return cast.a_person("auditor", "auditor", is_staff=True)


@pytest.fixture
def desk(auditor: User) -> Client:
    client = Client()
    client.force_login(auditor)
    return client


def moved(n: int, entry: LedgerEntry) -> list[tuple[str, int]]:
    """Return the accounts of the n-th entry: a fee, or a capture with its tax."""
    if entry.kind == "fee":
        return [("psp_fees", 28), ("psp_clearing", -28)]
    amount, tax = 100 + n, n % 7
    return [
        ("psp_clearing", amount),
        (f"parking_revenue:{entry.zone_code}", tax - amount),
        ("tax_payable:standard", -tax),
    ]


@pytest.fixture
def year(zone: Zone) -> Zone:
    """A year of captures and fees in two zones, five entries a week, sealed."""
    zones = [zone, cast.a_zone("toolo")]
    days = [date(2026, 1, 1) + timedelta(days=n * 7 // 5) for n in range(260)]
    with transaction.atomic():
        entries = LedgerEntry.objects.bulk_create(
            LedgerEntry(
                key=f"entry:{n}",
                kind="fee" if n % 5 == 4 else "capture",
                zone=zones[n % 2],
                zone_code=zones[n % 2].code,
                actor="processor",
                occurred_at=cast.NOW.replace(month=day.month, day=day.day),
                posted_at=cast.NOW.replace(month=day.month, day=day.day),
                business_on=day,
            )
            for n, day in enumerate(days)
        )
        LedgerLine.objects.bulk_create(
            LedgerLine(
                entry=entry, position=position, account=account, amount=amount, currency="EUR"
            )
            for n, entry in enumerate(entries)
            for position, (account, amount) in enumerate(moved(n, entry), start=1)
            if amount
        )
    ledger.seal()
    return zone


def made(auditor: User, covered: Range, table: str = "lines", kind: str = "csv") -> bytes:
    return b"".join(
        audit_files.send(
            table=TABLES[table], kind=kind, covered=covered, user=auditor, now=timezone.now()
        )
    )


def read(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode(), newline="")))


def cents(rows: list[dict[str, str]], name: str) -> int:
    return sum(round(float(row[name]) * 100) for row in rows)


@pytest.mark.django_db
class TestAgainstTheLedger:
    """Rows, totals and months."""

    def test_rows_are_the_entries_of_the_range_and_totals_are_those_of_sql(
        self, auditor: User, year: Zone
    ) -> None:
        for covered in (YEAR, FEBRUARY, Range(**{**vars(FEBRUARY), "zone": year})):
            rows = read(made(auditor, covered))
            entries = LedgerEntry.objects.filter(
                business_on__range=(covered.first_on, covered.last_on)
            )
            if covered.zone:
                entries = entries.filter(zone=covered.zone)
            assert [int(row["number"]) for row in rows] == list(
                entries.order_by("number").values_list("number", flat=True)
            )
            told = ExportLog.objects.latest("id").manifest
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT sum(amount) FILTER (WHERE account = 'psp_clearing'),"
                    " -sum(amount) FILTER (WHERE account LIKE 'parking_revenue:%%'),"
                    " -sum(amount) FILTER (WHERE account LIKE 'tax_payable:%%'),"
                    " sum(amount) FILTER (WHERE account = 'psp_fees')"
                    " FROM payments_ledgerline WHERE entry_id = ANY(%s)",
                    [list(entries.values_list("id", flat=True))],
                )
                sums = dict(
                    zip(("clearing", "revenue", "tax", "fees"), cursor.fetchone(), strict=True)
                )
            for name, column in (
                ("clearing", "net_after_fee"),
                ("revenue", "revenue"),
                ("tax", "tax"),
                ("fees", "processor_fee"),
            ):
                assert told["totals"][name] == sums[name] == cents(rows, column), name
            assert told["rows"] == told["totals"]["entries"] == len(rows) > 5

    def test_the_months_one_after_the_other_are_the_year(self, auditor: User, year: Zone) -> None:
        whole = made(auditor, YEAR)
        heading, *_ = whole.split(b"\n", 1)
        months = b""
        clearing = []
        for month in range(1, 13):
            first = date(2026, month, 1)
            last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
            covered = Range(first_on=first, last_on=last)
            head, _newline, rows = made(auditor, covered).partition(b"\n")
            assert head == heading
            months += rows
            clearing.append(report(covered).clearing)
        assert heading + b"\n" + months == whole
        assert [one.opening for one in clearing[1:]] == [one.closing for one in clearing[:-1]]

    @pytest.mark.parametrize("kind", list(exports.CONTENT_TYPES))
    def test_a_range_makes_the_same_bytes_every_time(
        self, auditor: User, year: Zone, kind: str
    ) -> None:
        first = made(auditor, FEBRUARY, kind=kind)
        LedgerEntry.objects.create(
            key="later",
            kind="fee",
            actor="processor",
            occurred_at=cast.NOW,
            posted_at=cast.NOW,
            business_on=date(2026, 12, 31),
        ).lines.bulk_create(
            LedgerLine(
                entry=LedgerEntry.objects.get(key="later"),
                position=position,
                account="suspense",
                amount=amount,
                currency="EUR",
            )
            for position, amount in ((1, 5), (2, -5))
        )
        assert made(auditor, FEBRUARY, kind=kind) == first
        assert made(auditor, YEAR, kind=kind) != first

    def test_every_table_comes_in_every_kind_and_says_the_same(
        self, auditor: User, year: Zone
    ) -> None:
        for name, table in TABLES.items():
            body = made(auditor, YEAR, name)
            rows = read(body)
            assert table.count(YEAR) == len(rows) or name == "files"
            if name != "files":  # a log that grows with each file
                assert gzip.decompress(made(auditor, YEAR, name, "csv.gz")) == body
            sheet = openpyxl.load_workbook(io.BytesIO(made(auditor, YEAR, name, "xlsx"))).active
            names, *lines = sheet.values
            assert list(names) == [column.name for column in table.columns]
            assert len(lines) >= len(rows)
            if rows:
                assert list(rows[0]) == list(names)
        totals = read(made(auditor, YEAR, "months"))
        assert cents(totals, "revenue") == report(YEAR).total.revenue
        accounts = read(made(auditor, YEAR, "accounts"))
        assert cents(accounts, "closing") == 0

    def test_a_reader_who_goes_away_leaves_a_line_without_a_manifest(
        self, auditor: User, year: Zone
    ) -> None:
        body: Any = audit_files.send(
            table=TABLES["lines"], kind="csv", covered=YEAR, user=auditor, now=timezone.now()
        )
        next(body)
        body.close()
        log = ExportLog.objects.get()
        assert (log.rows, log.manifest) == (None, None)
        assert manifests.first_broken() is None


def ask(desk: Client, kind: str = "csv") -> ExportJob:
    """Ask for the lines of three months, and be led to the job."""
    path = f"/audit/files/lines.{kind}?first_on=2026-01-01&last_on=2026-03-31"
    answer = desk.get(path)
    assert answer.status_code == 200
    assert "is made in the background" in answer.content.decode()
    assert not ExportJob.objects.exists(), "looking asks for nothing"
    answer = desk.post(path)
    job = ExportJob.objects.get()
    assert answer["Location"] == f"/audit/jobs/{job.pk}/"
    return job


def fresh(job: ExportJob) -> ExportJob:
    return ExportJob.objects.get(pk=job.pk)


def status(desk: Client, job: ExportJob) -> dict[str, Any]:
    return json.loads(desk.get(f"/audit/jobs/{job.pk}/status.json").content)


@pytest.mark.django_db(transaction=True)
class TestLargeFiles:
    """More rows than a page should wait for: a worker makes the file."""

    @pytest.fixture(autouse=True)
    def _small_pieces(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        settings.EXPORT_DIRECT_ROWS = 20
        monkeypatch.setattr(export_jobs, "_PIECE", 1000)
        monkeypatch.setattr(exports, "_CHUNK", 500)
        monkeypatch.setattr(tasks, "TELL_EVERY_S", 0.0)

    def test_the_file_of_a_worker_is_the_file_that_would_have_been_sent(
        self, desk: Client, auditor: User, year: Zone, settings: Settings
    ) -> None:
        job = ask(desk)
        assert status(desk, job)["text"] == "It starts in a moment."
        assert b"<progress" in desk.get(f"/audit/jobs/{job.pk}/").content
        assert desk.get(f"/audit/jobs/{job.pk}/file").status_code == 404

        assert tasks.make_files() == 1
        done = fresh(job)
        assert (done.state, done.done) == (ExportState.DONE, done.total)
        assert done.parts.count() > 3
        body = desk.get(f"/audit/jobs/{job.pk}/file").getvalue()
        told = json.loads(desk.get(f"/audit/exports/{job.log_id}/manifest.json").content)
        assert told["rows"] == len(read(body)) == done.total
        settings.EXPORT_DIRECT_ROWS = 10_000
        assert desk.get("/audit/files/lines.csv", JANUARY_TO_MARCH).getvalue() == body
        assert ExportLog.objects.latest("id").manifest["sha256"] == told["sha256"]
        assert "Download the file" in desk.get(f"/audit/jobs/{job.pk}/").content.decode()

        assert export_jobs.forget(now=timezone.now()) == 0
        assert export_jobs.forget(now=timezone.now() + timedelta(days=8)) == 1
        assert not ExportPart.objects.exists()
        assert desk.get(f"/audit/jobs/{job.pk}/file").status_code == 404
        assert "removed after its time" in desk.get(f"/audit/jobs/{job.pk}/").content.decode()

    def test_another_worker_takes_over_what_a_killed_one_left(
        self, desk: Client, year: Zone, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = ask(desk, "csv.gz")
        processes = multiprocessing.get_context("fork")
        in_the_middle = processes.Event()

        def work() -> None:
            told = export_jobs.Pieces.tell

            def tell_and_wait(pieces: export_jobs.Pieces, rows: int, now: datetime) -> None:
                told(pieces, rows, now)
                pieces.lay()
                if rows > 20:
                    in_the_middle.set()
                    time.sleep(60)

            export_jobs.Pieces.tell = tell_and_wait
            tasks.make_files()

        connections.close_all()
        worker = processes.Process(target=work)
        worker.start()
        assert in_the_middle.wait(30)
        worker.kill()
        worker.join()
        left = fresh(job)
        assert (left.state, left.attempts) == (ExportState.RUNNING, 1)
        assert left.done > 20
        assert left.parts.exists()

        assert tasks.make_files() == 0, "it may be alive"
        monkeypatch.setattr(export_jobs, "SILENT", timedelta(0))
        assert tasks.make_files() == 1
        body = desk.get(f"/audit/jobs/{job.pk}/file").getvalue()
        assert len(read(gzip.decompress(body))) == fresh(job).total
        assert not ExportPart.objects.exclude(attempt=2).exists()

    def test_a_worker_that_was_given_up_writes_nothing_more(
        self, desk: Client, year: Zone, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = ask(desk)
        slow = export_jobs.claim(now=timezone.now())
        assert slow is not None
        monkeypatch.setattr(export_jobs, "SILENT", timedelta(0))
        assert tasks.make_files() == 1
        body = desk.get(f"/audit/jobs/{job.pk}/file").getvalue()
        with export_jobs.Pieces(slow) as pieces:
            pieces.add(b"half of a file")
            pieces.lay()
            with pytest.raises(export_jobs.Lost):
                pieces.tell(7, timezone.now())
        making = audit_files.Making(table=slow.table, kind="csv", covered=slow.covered)
        with pytest.raises(export_jobs.Lost):
            export_jobs.finish(run=slow, making=making, now=timezone.now())
        export_jobs.give_back(run=slow, why="x", now=timezone.now())
        assert fresh(job).state == ExportState.DONE
        assert desk.get(f"/audit/jobs/{job.pk}/file").getvalue() == body

    def test_a_file_that_kills_its_workers_is_given_up(
        self, desk: Client, year: Zone, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = ask(desk)
        monkeypatch.setattr(export_jobs, "SILENT", timedelta(0))
        for _ in range(export_jobs.MOST_ATTEMPTS):
            assert export_jobs.claim(now=timezone.now()) is not None
        assert tasks.make_files() == 0
        assert fresh(job).state == ExportState.FAILED
        assert "could not be made" in desk.get(f"/audit/jobs/{job.pk}/").content.decode()
        assert fresh(job).log.manifest is None

    def test_more_rows_than_a_workbook_holds_are_refused(
        self, desk: Client, year: Zone, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(exports, "MOST_XLSX_ROWS", 30)
        job = ask(desk, "xlsx")
        assert tasks.make_files() == 1
        assert fresh(job).state == ExportState.FAILED
        assert "more rows than a workbook holds" in fresh(job).failure
        assert not ExportPart.objects.exists()
