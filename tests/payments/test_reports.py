"""The auditor's report says what the ledger says, and its files say the same."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client

from parking.models import Spot, Zone
from payments import cancel, ledger, refunds
from payments.models import ExportLog, LedgerEntry, LedgerLine
from payments.reports import Range, report
from tests import cast
from tests.payments.processor import Processor
from tests.payments.situations import a_paid_booking

MARCH = {"first_on": "2026-03-01", "last_on": "2026-03-31"}


@pytest.fixture
def auditor(db: None) -> User:
    person = cast.a_person("auditor")
    person.user_permissions.add(Permission.objects.get(codename="view_audit"))
    return person


@pytest.fixture
def desk(auditor: User) -> Client:
    client = Client()
    client.force_login(auditor)
    return client


@pytest.fixture
def march(spot: Spot, processor: Processor) -> Zone:
    """Two paid bookings in two zones, one of them half refunded."""
    a_paid_booking(spot, processor, minutes=90)  # 3.00
    elsewhere = cast.a_spot(cast.a_zone("toolo"), "T-1")
    payment = a_paid_booking(elsewhere, processor, minutes=60)  # 2.00
    now = cast.at(30)
    processor.stand_at(now)
    cancel.cancel_booking(
        reference=payment.slot.booking.reference, now=now, actor="citizen", reason="ill"
    )
    for refund in payment.refunds.all():
        refunds.submit(refund_id=refund.pk, now=now)
    ledger.seal()
    return spot.zone


def sums_on(prefix: str) -> int:
    lines = LedgerLine.objects.filter(account__startswith=prefix)
    return sum(lines.values_list("amount", flat=True))


def test_totals_equal_the_ledger_account_by_account(march: Zone) -> None:
    figures = report(Range(first_on=date(2026, 3, 1), last_on=date(2026, 3, 31)))

    assert figures.total.revenue == -sums_on("parking_revenue:") == 400
    assert figures.total.clearing == sums_on("psp_clearing")
    assert figures.total.fees == sums_on("psp_fees") > 0
    assert figures.total.entries == LedgerEntry.objects.count()
    total = figures.total
    assert total.clearing + total.fees == total.revenue + total.tax + total.other


def test_every_grouping_sums_to_the_same_total(march: Zone) -> None:
    figures = report(Range(first_on=date(2026, 3, 1), last_on=date(2026, 3, 31)))
    for groups in (figures.by_kind(), figures.by_zone(), figures.by_day()):
        assert len(groups) > 0
        first, *rest = groups.values()
        for sums in rest:
            first += sums
        assert first == figures.total
    assert set(figures.by_zone()) == {"Kamppi", "Toolo"}


def test_a_zone_filter_shows_that_zone_alone(march: Zone) -> None:
    figures = report(Range(first_on=date(2026, 3, 1), last_on=date(2026, 3, 31), zone=march))
    assert figures.total.revenue == 300
    assert set(figures.by_zone()) == {"Kamppi"}


def test_closing_of_one_range_is_the_opening_of_the_next(march: Zone) -> None:
    first = report(Range(first_on=date(2026, 3, 1), last_on=date(2026, 3, 3)))
    after = report(Range(first_on=date(2026, 3, 4), last_on=date(2026, 3, 31)))
    assert first.clearing.opening == 0
    assert first.clearing.closing == sums_on("psp_clearing") != 0
    assert after.clearing.opening == first.clearing.closing == after.clearing.closing
    assert after.total.entries == 0


def read(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode())))


def test_the_csv_file_has_a_line_for_each_entry_and_the_same_totals(
    desk: Client, march: Zone
) -> None:
    answer = desk.get("/audit/files/lines.csv", MARCH)
    assert answer.status_code == 200
    assert "curblight-lines-2026-03-01-2026-03-31.csv" in answer["Content-Disposition"]
    rows = read(answer.getvalue())

    assert [int(row["number"]) for row in rows] == list(range(1, LedgerEntry.objects.count() + 1))
    assert sum(float(row["revenue"]) for row in rows) == 4.0
    capture = rows[0]
    assert (capture["kind"], capture["zone"]) == ("capture", "kamppi")
    assert (capture["gross"], capture["net_after_fee"]) == ("3.00", "3.00")
    assert capture["document"] == "R-2026-000001"
    assert capture["minutes"] == "90"
    assert capture["card_last4"] == "4242"
    assert capture["stay_from_local"] == "2026-03-03 10:00:00"
    refund = next(row for row in rows if row["kind"] == "refund")
    assert (refund["net_after_fee"], refund["reverses"]) == ("-1.00", "R-2026-000002")


def test_no_plate_and_no_address_of_a_citizen_is_in_the_file(desk: Client, march: Zone) -> None:
    body = desk.get("/audit/files/lines.csv", MARCH).getvalue()
    assert b"ABC123" not in body
    assert b"guest@example.org" not in body


@transaction.atomic
def an_adjustment(text: str) -> None:
    """Book an adjustment whose words are chosen by a person."""
    entry = LedgerEntry.objects.create(
        key=f"adjustment:{text}",
        kind="adjustment",
        actor=text,
        reason=text,
        approver=text,
        occurred_at=cast.NOW,
        posted_at=cast.NOW,
        business_on=cast.NOW.date(),
    )
    for position, amount in ((1, 5), (2, -5)):
        LedgerLine.objects.create(
            entry=entry, position=position, account="suspense", amount=amount, currency="EUR"
        )


def test_text_that_looks_like_a_formula_is_harmless(desk: Client, march: Zone) -> None:
    dangerous = ["=1+1", "+1", "-1+cmd", "@SUM(A1)", "\t=1", "\r=1", "\n=1"]
    for text in [*dangerous, "as agreed: 1+1=2"]:
        an_adjustment(text)
    asked = {**MARCH, "kind": "adjustment"}
    rows = read(desk.get("/audit/files/lines.csv", asked).getvalue())
    for name in ("reason", "actor", "approver"):
        written = [row[name] for row in rows]
        assert written == [*(f"'{text}" for text in dangerous), "as agreed: 1+1=2"]
    body = desk.get("/audit/files/lines.xlsx", asked).getvalue()
    sheet = openpyxl.load_workbook(io.BytesIO(body)).active
    names, *lines = sheet.values
    read_back = [line[names.index("reason")] for line in lines]
    assert [text[:2] for text in read_back[:4]] == ["'=", "'+", "'-", "'@"]
    assert all(text.startswith("'") for text in read_back[:7])
    assert not any(cell.data_type == "f" for row in sheet.rows for cell in row)
    with zipfile.ZipFile(io.BytesIO(body)) as parts:
        assert b"<f>" not in parts.read("xl/worksheets/sheet1.xml")


def test_the_workbook_says_the_same_as_the_csv_file(desk: Client, march: Zone) -> None:
    rows = read(desk.get("/audit/files/lines.csv", MARCH).getvalue())
    body = desk.get("/audit/files/lines.xlsx", MARCH).getvalue()
    workbook = openpyxl.load_workbook(io.BytesIO(body))
    names, *lines = workbook.active.values
    assert list(names) == list(rows[0])
    assert len(lines) == len(rows)
    money = names.index("net_after_fee")
    assert [float(line[money]) for line in lines] == [float(row["net_after_fee"]) for row in rows]


def test_every_file_is_logged_with_a_manifest_that_can_be_verified(
    desk: Client, march: Zone, tmp_path: Path
) -> None:
    files = []
    for number in range(2):
        body = desk.get("/audit/files/lines.csv", MARCH).getvalue()
        log = ExportLog.objects.latest("id")
        manifest = desk.get(f"/audit/exports/{log.pk}/manifest.json").content
        files.append((tmp_path / f"{number}.csv", tmp_path / f"{number}.json"))
        files[-1][0].write_bytes(body)
        files[-1][1].write_bytes(manifest)
    told = json.loads(files[1][1].read_text())
    assert told["rows"] == LedgerEntry.objects.count()
    assert told["totals"]["revenue"] == 400
    assert told["ledger_head"]["number"] == LedgerEntry.objects.count()

    call_command("verify_export", *map(str, files[1]), verbosity=0)
    call_command("verify_export", *map(str, files[0]), "--offline")
    files[1][0].write_bytes(files[1][0].read_bytes().replace(b"3.00", b"9.00"))
    with pytest.raises(CommandError, match="not the file of this manifest"):
        call_command("verify_export", *map(str, files[1]))


def test_the_export_log_cannot_be_rewritten(auditor: User) -> None:
    log = ExportLog.objects.create(user=auditor, at=cast.NOW, name="x", parameters={})
    log.name = "y"
    with pytest.raises(Exception, match="append-only"):
        log.save()


def test_the_page_shows_figures_for_people(desk: Client, march: Zone) -> None:
    page = desk.get("/audit/", MARCH).content.decode()
    assert "4.00\N{NO-BREAK SPACE}€" in page
    assert "The chain of the whole ledger holds" in page


def test_the_page_says_where_the_chain_is_broken(desk: Client, march: Zone) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "UPDATE payments_ledgerline SET amount = amount * 2 WHERE entry_id ="
            " (SELECT id FROM payments_ledgerentry WHERE number = 2)"
        )
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
    page = desk.get("/audit/", MARCH).content.decode()
    assert "entry 2 was changed" in page


def test_an_empty_database_has_an_empty_report(desk: Client) -> None:
    answer = desk.get("/audit/")
    assert answer.status_code == 200
    assert b"No money moved" in answer.content
