"""The auditor's desk: who gets in, what each page says, and that it costs the same at any size."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from parking.models import Spot, Zone
from parking.roles import ROLES, write_groups
from payments import cancel, exception_list, ledger, refunds
from payments.audit_tables import DIFFERENCES, LINES, comparison
from payments.models import (
    ExportLog,
    LedgerEntry,
    LedgerKind,
    LedgerLine,
    MoneyException,
    Payment,
    Reconciliation,
    Refund,
)
from payments.reports import Range
from tests import cast
from tests.payments.processor import Processor
from tests.payments.situations import a_paid_booking, check_books

pytestmark = pytest.mark.django_db

PAGES = [
    "/audit/",
    "/audit/lines/",
    "/audit/totals/",
    "/audit/comparison/",
    "/audit/chain/",
    "/audit/files/",
]
FILES = ["/audit/files/lines.csv", "/audit/files/accounts.xlsx", "/audit/files/days.csv.gz"]
OTHERS = [
    "/audit/exports/1/manifest.json",
    "/audit/jobs/1/",
    "/audit/jobs/1/status.json",
    "/audit/jobs/1/file",
]
MARCH = {"first_on": "2026-03-01", "last_on": "2026-03-31"}
ALL_OF_MARCH = Range(
    first_on=cast.NOW.date().replace(day=1), last_on=cast.NOW.date().replace(day=31)
)


@pytest.fixture
def auditor(db: None) -> User:
    write_groups()
    return cast.a_person("auditor", "auditor", is_staff=True)


@pytest.fixture
def desk(auditor: User) -> Client:
    client = Client()
    client.force_login(auditor)
    return client


@pytest.fixture
def march(spot: Spot, processor: Processor) -> Payment:
    """A stay paid and given back in half; return its payment."""
    a_paid_booking(spot, processor, start=cast.at(240), minutes=60)
    payment = a_paid_booking(spot, processor, minutes=60)
    now = cast.at(30)
    processor.stand_at(now)
    cancel.cancel_booking(
        reference=payment.slot.booking.reference, now=now, actor="citizen", reason="ill"
    )
    refunds.submit(refund_id=payment.refunds.get().pk, now=now)
    ledger.seal()
    return payment


def words(client: Client, path: str, asked: dict[str, Any] = MARCH) -> str:
    """Return the text of a page, without its marks."""
    answer = client.get(path, asked)
    assert answer.status_code == 200, path
    assert "no-store" in answer["Cache-Control"]
    text = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split())


class TestWhoGetsIn:
    """Every page × every role."""

    @pytest.mark.parametrize("role", ["stranger", "citizen", *ROLES, "superuser"])
    def test_auditors_read_and_who_closes_the_books_does_too(
        self, client: Client, zone: Zone, role: str
    ) -> None:
        write_groups()
        if role != "stranger":
            groups = [role] if role in ROLES else []
            person = cast.a_person(
                role, *groups, is_staff=role in ROLES, is_superuser=role == "superuser"
            )
            client.force_login(person)
        for path in PAGES + FILES + OTHERS:
            answer = client.get(path)
            if role == "stranger":
                assert answer["Location"].startswith("/accounts/login/"), path
            elif role in {"auditor", "finance", "superuser"}:
                assert answer.status_code == (404 if path in OTHERS else 200), path
            else:
                assert answer.status_code == 403, path

    def test_pages_take_no_orders(self, desk: Client, zone: Zone) -> None:
        for path in PAGES + OTHERS:
            for order in (desk.post, desk.put, desk.delete):
                assert order(path).status_code == 405, path
            assert desk.head(path).status_code in {200, 404}, path

    def test_a_link_leads_to_each_page_and_keeps_the_days(self, desk: Client, zone: Zone) -> None:
        page = desk.get("/audit/totals/", {**MARCH, "zone": zone.code}).content.decode()
        for path in PAGES:
            assert f'href="{path}?first_on=2026-03-01&amp;last_on=2026-03-31&amp;zone=' in page
        assert page.count('aria-current="page"') == 1

    def test_a_bad_range_is_said_at_its_field(self, desk: Client, zone: Zone) -> None:
        for path in PAGES + FILES:
            for asked in (
                {"first_on": "2026-03-31", "last_on": "2026-03-01"},
                {"first_on": "yesterday", "last_on": "2026-03-01"},
                {"first_on": "1900-01-01", "last_on": "2026-03-01"},
                {"first_on": "2026-03-31"},
                {**MARCH, "zone": "atlantis"},
            ):
                answer = desk.get(path, asked)
                assert answer.status_code == 400, path
                assert b"field__error" in answer.content, path
        assert not ExportLog.objects.exists()

    @pytest.mark.parametrize("path", ["/audit/files/people.csv", "/audit/files/lines.exe"])
    def test_there_are_no_other_files(self, desk: Client, zone: Zone, path: str) -> None:
        assert desk.get(path, MARCH).status_code == 404


class TestLines:
    """Everything that an auditor asks of a line."""

    def test_a_line_says_all_there_is_to_say(
        self, desk: Client, march: Payment, spot: Spot
    ) -> None:
        Spot.objects.update(number="renamed")
        Zone.objects.update(code="renamed")
        refund = Refund.objects.get()
        entry = LedgerEntry.objects.get(kind=LedgerKind.REFUND)
        row = LINES.rows(ALL_OF_MARCH, limit=10)[entry.number - 1]
        assert row["number"] == entry.number
        assert row["hash"] == bytes(entry.hash).hex()
        assert row["posted_at_utc"] == entry.posted_at
        assert row["occurred_at_utc"] == entry.occurred_at
        assert row["business_day"] == entry.business_on
        assert (row["kind"], row["reason"]) == ("refund", "unused_time")
        assert (row["document"], row["reverses"]) == ("C-2026-000001", "R-2026-000002")
        assert row["booking"] == march.slot.booking.reference
        assert (row["zone"], row["spot"]) == ("kamppi", "K-1"), "as it was when it was posted"
        assert row["stay_from_local"] == march.slot.period.lower
        assert row["minutes"] == 60
        assert row["tariff_version"] == 1
        assert (row["gross"], row["tax"], row["net"]) == (-100, 0, -100)
        assert (row["tax_code"], row["tax_rate_percent"]) == ("outside_scope", 0)
        assert (row["processor_fee"], row["net_after_fee"]) == (0, -100)
        assert row["currency"] == "EUR"
        assert (row["card"], row["card_last4"]) == ("visa", "4242")
        assert row["payment_intent"] == march.intent_id
        assert row["charge"] == Payment.objects.get(id=march.id).charge_id
        assert row["refund"] == refund.refund_id
        assert row["balance_transaction"] == refund.balance_transaction_id != ""
        assert row["actor"] == "citizen"
        assert row["reconciled"] == "no"
        capture = LINES.rows(ALL_OF_MARCH, limit=1)[0]
        assert capture["fee_of_payment"] > 0
        assert capture["payment_after_fee"] == 200 - capture["fee_of_payment"]

    def test_the_page_shows_it_without_names_mail_or_plates(
        self, desk: Client, march: Payment
    ) -> None:
        said = words(desk, "/audit/lines/")
        for part in (
            "C-2026-000001",
            "reverses R-2026-000002",
            march.slot.booking.reference,
            "kamppi , K-1",
            "1 h",
            "tariff version 1",
            "−1.00 €",
            "outside_scope 0 %",
            "visa •••• 4242",
            march.intent_id,
            "unused_time",
            "citizen",
            "not yet",
            "2026-03-03T08:30:00Z",
        ):
            assert part in said, part
        assert "guest@example.org" not in said
        assert "ABC123" not in said

    def test_kind_and_booking_choose(self, desk: Client, march: Payment) -> None:
        assert "5 entries" in words(desk, "/audit/lines/")
        assert "1 entry" in words(desk, "/audit/lines/", {**MARCH, "kind": "refund"})
        reference = march.slot.booking.reference
        asked = {**MARCH, "booking": reference.lower()}
        assert "3 entries" in words(desk, "/audit/lines/", asked)
        assert desk.get("/audit/lines/", {**MARCH, "kind": "bribe"}).status_code == 400

    def test_it_is_reconciled_once_the_processors_balance_was_compared(
        self, desk: Client, march: Payment
    ) -> None:
        run = {"kind": "balance", "started_at": cast.at(60)}
        Reconciliation.objects.create(**run)
        assert LINES.rows(ALL_OF_MARCH, limit=1)[0]["reconciled"] == "no", "it broke off"
        Reconciliation.objects.create(**run, reached_at=cast.at(60))
        rows = LINES.rows(ALL_OF_MARCH, limit=9)
        assert {row["reconciled"] for row in rows} == {"yes"}
        trouble = MoneyException.objects.create(
            kind="dispute",
            key="x",
            detail="x",
            payment=march,
            opened_at=cast.at(90),
            concerns_on=date(2026, 3, 3),
        )
        rows = LINES.rows(ALL_OF_MARCH, limit=9)
        assert [row["exception"] for row in rows].count(trouble.pk) == 3
        assert {row["reconciled"] for row in rows if row["exception"]} == {"no"}

    def test_pages_follow_each_other_without_a_gap(
        self, desk: Client, march: Payment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("payments.views.audit.PER_PAGE", 2)
        seen = []
        for number in (1, 2, 3):
            page = desk.get("/audit/lines/", {**MARCH, "page": number}).content.decode()
            assert f"Page {number} of 3" in page
            seen += re.findall(r'<th scope="row">\s+(\d+)', page)
        assert seen == ["1", "2", "3", "4", "5"]
        for strange in ("0", "99", "x", "-1", "²"):
            assert desk.get("/audit/lines/", {**MARCH, "page": strange}).status_code == 200


class TestTotals:
    """Everything ties."""

    def test_opening_and_movements_are_the_closing_and_no_number_is_missing(
        self, desk: Client, march: Payment
    ) -> None:
        said = words(desk, "/audit/totals/")
        assert "First number 1, last number 5. No gaps in the ledger." in said
        held = sum(
            LedgerLine.objects.filter(account="psp_clearing").values_list("amount", flat=True)
        )
        assert f"Closing {held / 100:.2f} €" in said
        assert "Kind, zone and month" in said
        assert "parking_revenue:kamppi" in said
        april = {"first_on": "2026-04-01", "last_on": "2026-04-30"}
        assert f"Opening {held / 100:.2f} €" in words(desk, "/audit/totals/", april)

    def test_a_missing_number_is_said(self, desk: Client, march: Payment) -> None:
        check_books()
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(
                "DELETE FROM payments_ledgerline WHERE entry_id ="
                " (SELECT id FROM payments_ledgerentry WHERE number = 2)"
            )
            cursor.execute("DELETE FROM payments_ledgerentry WHERE number = 2")
            cursor.execute("SET LOCAL session_replication_role = DEFAULT")
        assert "1 number is missing in the ledger" in words(desk, "/audit/totals/")
        assert "The ledger's chain is broken: entry 2" in words(desk, "/audit/chain/").replace(
            "&#x27;", "'"
        )

    def test_another_currency_is_in_no_sum_and_is_said(self, desk: Client, march: Payment) -> None:
        entry = LedgerEntry.objects.create(
            key="x",
            kind="adjustment",
            actor="x",
            occurred_at=cast.NOW,
            posted_at=cast.NOW,
            business_on=cast.NOW.date(),
        )
        for position, amount in ((1, 900), (2, -900)):
            LedgerLine.objects.create(
                entry=entry,
                position=position,
                account=["", "psp_clearing", "suspense"][position],
                amount=amount,
                currency="SEK",
            )
        before = comparison.compare(ALL_OF_MARCH)
        said = words(desk, "/audit/totals/")
        assert "1 entry moved another currency" in said
        assert "9.00 SEK" in said
        assert comparison.compare(ALL_OF_MARCH) == before


class TestComparison:
    """Bookings, ledger, processor: one by one, never netted."""

    def test_what_agrees_is_not_listed(self, desk: Client, march: Payment) -> None:
        sums = comparison.compare(ALL_OF_MARCH)
        assert (sums.compared, sums.different) == (2, 0)
        assert sums.priced == sums.books == sums.processor == 300
        assert "All of them agree, one by one." in words(desk, "/audit/comparison/")

    def test_two_differences_that_would_cancel_out_are_both_listed(
        self, desk: Client, march: Payment
    ) -> None:
        one, other = Payment.objects.order_by("paid_at", "id")
        Payment.objects.filter(id=one.id).update(captured=210)
        Payment.objects.filter(id=other.id).update(captured=190)
        sums = comparison.compare(ALL_OF_MARCH)
        assert sums.books == sums.processor, "netted, nothing would show"
        assert (sums.different, sums.processor_over, sums.processor_short) == (2, 10, 10)
        rows = DIFFERENCES.rows(ALL_OF_MARCH, limit=9)
        assert sorted(row["processor_less_books"] for row in rows) == [-10, 10]
        assert "2 differ." in words(desk, "/audit/comparison/")

    def test_a_refund_made_behind_our_back_differs_from_the_booking(
        self, march: Payment, processor: Processor
    ) -> None:
        Refund.objects.update(state="external")
        (row,) = DIFFERENCES.rows(ALL_OF_MARCH, limit=9)
        assert (row["priced"], row["books"], row["processor"]) == (200, 100, 100)
        assert row["books_less_bookings"] == -100

    def test_a_refund_on_its_way_is_listed_as_that(self, spot: Spot, processor: Processor) -> None:
        payment = a_paid_booking(spot, processor, minutes=60)
        cancel.cancel_booking(
            reference=payment.slot.booking.reference, now=cast.at(30), actor="citizen", reason=""
        )
        (row,) = DIFFERENCES.rows(ALL_OF_MARCH, limit=9)
        assert (row["priced"], row["books"], row["on_its_way"]) == (100, 200, 100)

    def test_a_confirmed_stay_that_nobody_paid_is_listed(self, march: Payment) -> None:
        before = DIFFERENCES.count(ALL_OF_MARCH)
        slot = cast.a_hold(cast.a_spot(march.slot.spot.zone, "K-9"))
        type(slot).objects.filter(pk=slot.pk).update(state="confirmed", confirmed_at=cast.NOW)
        rows = DIFFERENCES.rows(ALL_OF_MARCH, limit=9)
        assert len(rows) == before + 1
        assert [(row["priced"], row["books"]) for row in rows if row["slot"] == slot.pk] == [
            (200, 0)
        ]

    def test_money_for_a_slot_that_was_given_up_is_listed_until_it_is_back(
        self, spot: Spot, processor: Processor
    ) -> None:
        payment = a_paid_booking(spot, processor, minutes=60)
        type(payment.slot).objects.filter(pk=payment.slot_id).update(state="released")
        (row,) = DIFFERENCES.rows(ALL_OF_MARCH, limit=9)
        assert (row["priced"], row["books"], row["processor"]) == (0, 200, 200)


def queries(client: Client, path: str) -> int:
    client.get(path, MARCH)
    with CaptureQueriesContext(connection) as caught:
        assert client.get(path, MARCH).status_code == 200
    return len(caught)


def test_a_page_asks_the_same_number_of_questions_at_any_size(
    desk: Client, spot: Spot, processor: Processor
) -> None:
    a_paid_booking(spot, processor)
    ledger.seal()
    few = {path: queries(desk, path) for path in PAGES}
    elsewhere = cast.a_spot(cast.a_zone("toolo"), "T-1")
    for n in range(4):
        payment = a_paid_booking(elsewhere, processor, start=cast.at(120 * n))
        Payment.objects.filter(id=payment.id).update(captured=1)
    ledger.seal()
    assert {path: queries(desk, path) for path in PAGES} == few


def test_the_overview_says_what_waits_and_draws_what_was_earned(
    desk: Client, march: Payment
) -> None:
    exception_list.put(kind=MoneyException.Kind.DISPUTE, key="x", detail="x", now=timezone.now())
    page = desk.get("/audit/", MARCH).content.decode()
    assert "1 exception waits" in page
    assert page.count('class="report-chart__more"') == 1
    assert 'role="img"' in page
    long = {"first_on": "2024-03-01", "last_on": "2026-03-31"}
    assert "Revenue by month" in words(desk, "/audit/", long)
