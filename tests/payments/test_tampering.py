"""One byte flipped anywhere in the books, with the triggers off, is found and its row is named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models, transaction

from parking.models import Spot
from payments import cancel, ledger, manifests, proof, refunds
from payments.models import (
    Document,
    DocumentSeries,
    LedgerCheck,
    LedgerEntry,
    LedgerLine,
)
from payments.proof_words import broken_words
from payments.reports import Range, report
from tests import cast
from tests.payments.processor import Processor
from tests.payments.situations import a_paid_booking, check_books

pytestmark = pytest.mark.django_db

FLIPPED = {
    models.BigAutoField: "{0} + 1000",
    models.BigIntegerField: "{0} # 1",
    models.PositiveSmallIntegerField: "{0} + 100",
    models.PositiveIntegerField: "{0} + 100",
    models.CharField: "CASE {0} WHEN '' THEN 'x' ELSE chr(ascii({0}) # 1) || substr({0}, 2) END",
    models.DateTimeField: "{0} + interval '1 microsecond'",
    models.DateField: "{0} + 1",
    models.BinaryField: "set_byte({0}, 0, get_byte({0}, 0) # 1)",
    models.UUIDField: "(translate(left({0}::text, 1), '01', '10') || substr({0}::text, 2))::uuid",
}


def flip(field: models.Field) -> str:
    """Return an assignment that changes one byte of the column."""
    target = field.target_field if field.is_relation else field  # type: ignore[attr-defined]
    if field.name == "number" and field.model is LedgerEntry:
        return "number = number + 1000"  # the next one is another entry's, and unique
    kind = next(kind for kind in FLIPPED if isinstance(target, kind))
    return f"{field.column} = {FLIPPED[kind].format(field.column)}"


@contextmanager
def tampered(*statements: str) -> Iterator[None]:
    """Do what only somebody with the keys of the database can do, and undo it at the end."""
    undone = transaction.savepoint()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for statement in statements:
            cursor.execute(statement)
            assert cursor.rowcount > 0, statement
        cursor.execute("SET session_replication_role = origin")
    yield
    transaction.savepoint_rollback(undone)


def said() -> str:
    """Return what `verify_ledger` says against the books."""
    with pytest.raises(CommandError) as error:
        call_command("verify_ledger", stdout=StringIO())
    return str(error.value)


@pytest.fixture
def sealed(spot: Spot, processor: Processor) -> LedgerEntry:
    """Sealed books with every column filled; return the last entry, a refund's."""
    payment = a_paid_booking(spot, processor, minutes=90)
    for n in range(2):
        a_paid_booking(spot, processor, start=cast.at(120 + 90 * n))
    now = cast.at(30)
    processor.stand_at(now)
    cancel.cancel_booking(
        reference=payment.slot.booking.reference, now=now, actor="citizen", reason="ill"
    )
    refunds.submit(refund_id=payment.refunds.get().pk, now=now)
    check_books()
    ledger.seal()
    call_command("verify_ledger", stdout=StringIO())
    return LedgerEntry.objects.get(kind="refund")


def test_a_flipped_byte_in_any_column_of_an_entry_is_found_and_named(sealed: LedgerEntry) -> None:
    looked_at = 0
    for field in LedgerEntry._meta.concrete_fields:
        if getattr(sealed, field.attname) is None:
            pytest.fail(f"{field.name} is empty in this test")
        with tampered(
            f"UPDATE payments_ledgerentry SET {flip(field)} WHERE number = {sealed.number}"
        ):
            assert f"entry {sealed.number} " in said(), field.name
        looked_at += 1
    assert looked_at == len(LedgerEntry._meta.concrete_fields) > 15
    assert proof.first_broken() is None


def test_a_flipped_byte_in_any_column_of_a_line_is_found_and_named(sealed: LedgerEntry) -> None:
    line = sealed.lines.order_by("position")[0]
    for field in LedgerLine._meta.concrete_fields:
        if field.name == "id":
            continue  # no meaning of its own: the entry and the position name a line
        with tampered(f"UPDATE payments_ledgerline SET {flip(field)} WHERE id = {line.pk}"):
            assert f"entry {sealed.number} " in said(), field.name


def test_a_flipped_byte_in_any_column_of_a_document_is_found_and_named(sealed: LedgerEntry) -> None:
    note = Document.objects.get(entry=sealed)
    for name in ("kind", "year", "number", "entry", "reverses"):
        field = Document._meta.get_field(name)
        with tampered(f"UPDATE payments_document SET {flip(field)} WHERE id = {note.pk}"):
            assert "credit_note 2026 number 1 " in said(), name
    for name in ("year", "last_number"):
        field = DocumentSeries._meta.get_field(name)
        with tampered(
            f"UPDATE payments_documentseries SET {flip(field)} WHERE kind = 'credit_note'"
        ):
            assert "credit_note" in said(), name


ENTRY, LINE = "payments_ledgerentry", "payments_ledgerline"
OF_3 = f"WHERE entry_id = (SELECT id FROM {ENTRY} WHERE number = 3)"
TWO_MORE_LINES = f"""
INSERT INTO {LINE} (entry_id, position, account, amount, currency)
SELECT id, 9 + n, 'bank', 2 * n - 1, 'EUR' FROM {ENTRY}, generate_series(0, 1) n WHERE number = 3
"""


@pytest.mark.parametrize(
    ("statements", "number", "problem"),
    [
        ([f"DELETE FROM {ENTRY} WHERE number = 3"], 3, "is missing"),
        ([f"DELETE FROM {LINE} {OF_3}"], 3, "has lost its lines"),
        (  # two numbers change places
            [
                f"UPDATE {ENTRY} SET number = -number WHERE number IN (4, 6)",
                f"UPDATE {ENTRY} SET number = 10 + number WHERE number < 0",
            ],
            4,
            "was changed",
        ),
        (  # two rows change places, with their hashes
            [
                f"UPDATE {ENTRY} SET number = -number WHERE number IN (4, 5)",
                f"UPDATE {ENTRY} SET number = 9 + number WHERE number < 0",
            ],
            4,
            "was changed",
        ),
        ([f"UPDATE {LINE} SET amount = amount * 2 {OF_3}"], 3, "was changed"),
        ([f"UPDATE {LINE} SET amount = amount + 1 {OF_3} AND position = 1"], 3, "not balance"),
        ([f"UPDATE {LINE} SET currency = 'SEK' {OF_3}"], 3, "was changed"),
        ([f"UPDATE {LINE} SET account = 'parking_revenue:toolo' {OF_3}"], 3, "was changed"),
        ([f"UPDATE {LINE} SET position = position + 5 {OF_3}"], 3, "was changed"),
        ([TWO_MORE_LINES], 3, "was changed"),
        ([f"UPDATE {ENTRY} SET number = 0 WHERE number = 1"], 0, "no seal"),
    ],
)
def test_a_row_deleted_swapped_or_rewritten_is_found_and_named(
    sealed: LedgerEntry, statements: list[str], number: int, problem: str
) -> None:
    with tampered(*statements):
        broken = proof.first_broken()
        assert broken is not None
        assert broken.number == number
        assert problem in broken.problem
        assert f"broken: entry {number} {broken.problem}." in broken_words(broken)
    assert proof.first_broken() is None


def test_a_chain_made_anew_from_the_start_is_betrayed_by_a_manifest_that_left(
    sealed: LedgerEntry, tmp_path: Path
) -> None:
    auditor = cast.a_person("auditor")
    covered = Range(first_on=cast.NOW.date(), last_on=cast.NOW.date())
    log = manifests.begin(user=auditor, parameters={}, name="march.csv", now=cast.NOW)
    manifests.complete(
        log=log, rows=1, sha256="", figures=report(covered), ledger_head=manifests.head()
    )
    call_command("verify_ledger", stdout=StringIO())
    with tampered(
        f"UPDATE {ENTRY} SET reason = 'nicer' WHERE number = 1",
        f"UPDATE {ENTRY} SET number = NULL, hash = NULL, previous_hash = NULL",
        "DELETE FROM payments_ledgerhead",
        "DELETE FROM payments_document",
        "DELETE FROM payments_documentseries",
        "SELECT payments_ledger_seal(1000)",
    ):
        assert proof.first_broken() is None, "the new chain is a good one"
        last = LedgerEntry.objects.count()
        assert f"entry {last} is not what manifest 1 says of it" in said()
        kept = tmp_path / "manifest.json"
        kept.write_text(json.dumps(log.manifest))
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("DELETE FROM payments_exportlog")
            cursor.execute("SET session_replication_role = origin")
        with pytest.raises(CommandError, match="is not what"):
            call_command("verify_ledger", "--manifest", str(kept), stdout=StringIO())


def test_a_manifest_that_was_rewritten_or_removed_is_found(sealed: LedgerEntry) -> None:
    auditor = cast.a_person("auditor")
    covered = Range(first_on=cast.NOW.date(), last_on=cast.NOW.date())
    for name in ("a", "b", "c"):
        log = manifests.begin(user=auditor, parameters={}, name=name, now=cast.NOW)
        manifests.complete(
            log=log, rows=1, sha256="", figures=report(covered), ledger_head=manifests.head()
        )
    rewritten = "UPDATE payments_exportlog SET manifest = manifest || '{\"rows\": 2}'"
    with tampered(f"{rewritten} WHERE sequence = 2"):
        assert "the manifest before number 3 of the export log was changed" in said()
    with tampered("DELETE FROM payments_exportlog WHERE sequence = 2"):
        assert "the manifest 2 of the export log is missing" in said()


def test_manifests_follow_the_order_in_which_files_were_sent_whole(sealed: LedgerEntry) -> None:
    auditor = cast.a_person("auditor")
    covered = Range(first_on=cast.NOW.date(), last_on=cast.NOW.date())
    slow, quick = (
        manifests.begin(user=auditor, parameters={}, name=name, now=cast.NOW)
        for name in ("slow", "quick")
    )
    for log in (quick, slow):
        manifests.complete(
            log=log, rows=1, sha256="", figures=report(covered), ledger_head=manifests.head()
        )
    assert slow.manifest["previous_manifest_sha256"] == manifests.digest(quick.manifest)
    assert manifests.before(slow) == quick
    assert manifests.first_broken() is None


def test_a_page_walks_only_what_was_sealed_since_the_last_whole_walk(sealed: LedgerEntry) -> None:
    checked = proof.check(now=cast.NOW)
    assert (checked.number, checked.problem) == (sealed.number, "")
    with tampered(f"UPDATE {ENTRY} SET reason = 'nicer' WHERE number = 2"):
        assert proof.standing().broken is None, "a whole walk finds it, a page does not look"
        found = proof.check(now=cast.NOW)
        assert (found.broken_number, found.problem) == (2, "was changed")
        assert proof.standing().broken == proof.Broken(2, "was changed")
    with tampered(f"UPDATE {ENTRY} SET hash = sha256('x') WHERE number = {checked.number}"):
        broken = proof.standing().broken
        assert broken is not None
        assert broken.number == checked.number
    with pytest.raises(Exception, match="append-only"), transaction.atomic():
        LedgerCheck.objects.update(problem="")
