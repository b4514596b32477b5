"""The books refuse what accountants refuse, and show what was done to them."""

import threading
from io import StringIO
from itertools import pairwise
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from parking.models import Spot
from payments import ledger, proof
from payments.models import Document, ExportLog, LedgerEntry, LedgerHead, LedgerKind, LedgerLine
from tests import cast
from tests.payments.processor import Processor
from tests.payments.situations import a_paid_booking, check_books


def an_entry(key: str, *lines: tuple[str, int, str], kind: str = "adjustment") -> LedgerEntry:
    entry = LedgerEntry.objects.create(
        key=key,
        kind=kind,
        actor="test",
        occurred_at=cast.NOW,
        posted_at=cast.NOW,
        business_on=cast.NOW.date(),
    )
    for position, (account, amount, currency) in enumerate(lines, 1):
        LedgerLine.objects.create(
            entry=entry, position=position, account=account, amount=amount, currency=currency
        )
    return entry


def balanced(key: str) -> LedgerEntry:
    return an_entry(key, ("bank", 5, "EUR"), ("suspense", -5, "EUR"))


def to_the_end(what: str, *params: Any) -> None:
    """Run the statement, and the deferred checks as the end of its transaction would."""
    check_books()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(what, params)
        check_books()


def refused(what: str, *params: Any) -> str:
    """Return what PostgreSQL says against the statement."""
    with pytest.raises(DatabaseError) as error:
        to_the_end(what, *params)
    return str(error.value)


def tamper(*statements: str) -> None:
    """Do what only somebody with the keys of the database can do."""
    check_books()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("SET session_replication_role = origin")


def verify() -> str:
    out = StringIO()
    call_command("verify_ledger", stdout=out)
    return out.getvalue()


pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([("bank", 5, "EUR"), ("suspense", -4, "EUR")], "does not balance"),
        ([("bank", 5, "EUR"), ("suspense", -5, "USD")], "does not balance"),
        ([("bank", 5, "EUR")], "does not balance"),
        ([], "has no lines"),
    ],
)
def test_an_entry_that_does_not_balance_is_refused(lines: list, says: str) -> None:
    undone = transaction.savepoint()
    an_entry("x", *lines)
    with pytest.raises(DatabaseError, match=says):
        check_books()
    transaction.savepoint_rollback(undone)


def test_a_key_stands_in_the_books_once() -> None:
    balanced("x")
    with pytest.raises(DatabaseError, match="payments_ledgerentry_key"), transaction.atomic():
        balanced("x")


@pytest.mark.parametrize("is_sealed", [False, True])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE payments_ledgerentry SET reason = 'nicer'",
        "UPDATE payments_ledgerentry SET number = NULL, hash = NULL, previous_hash = NULL, id = -1",
        "DELETE FROM payments_ledgerentry",
        "TRUNCATE payments_ledgerentry CASCADE",
        "UPDATE payments_ledgerline SET amount = amount * 2",
        "DELETE FROM payments_ledgerline",
        "TRUNCATE payments_ledgerline",
    ],
)
def test_what_is_booked_cannot_be_changed_or_removed(statement: str, is_sealed: bool) -> None:
    balanced("x")
    if is_sealed:
        ledger.seal()
    assert "append-only" in refused(statement)
    assert LedgerLine.objects.count() == 2


def test_a_sealed_entry_takes_no_more_lines() -> None:
    entry = balanced("x")
    ledger.seal()
    said = refused(
        "INSERT INTO payments_ledgerline (entry_id, position, account, amount, currency)"
        " VALUES (%s, 3, 'bank', 1, 'EUR'), (%s, 4, 'suspense', -1, 'EUR')",
        entry.id,
        entry.id,
    )
    assert "is sealed" in said


def test_documents_and_the_export_log_cannot_be_rewritten(spot: Spot, processor: Processor) -> None:
    a_paid_booking(spot, processor)
    ledger.seal()
    assert "append-only" in refused("UPDATE payments_document SET number = 7")
    assert "append-only" in refused("DELETE FROM payments_document")
    assert "append-only" in refused("TRUNCATE payments_document CASCADE")
    auditor = cast.a_person("auditor")
    log = ExportLog.objects.create(user=auditor, at=cast.NOW, name="march.csv", parameters={})
    log.rows, log.manifest, log.sequence = 7, {}, 1
    log.save()
    assert "append-only" in refused("UPDATE payments_exportlog SET rows = 8")
    assert "append-only" in refused("DELETE FROM payments_exportlog")
    assert "append-only" in refused("TRUNCATE payments_exportlog CASCADE")


def test_seals_are_numbered_without_a_gap_and_chained() -> None:
    for n in range(5):
        balanced(f"a{n}")
    undone = transaction.savepoint()
    balanced("rolled back")
    transaction.savepoint_rollback(undone)
    assert ledger.seal() == 5
    for n in range(3):
        balanced(f"b{n}")
    assert ledger.seal() == 3
    assert ledger.seal() == 0
    sealed = list(LedgerEntry.objects.order_by("number"))
    assert [entry.number for entry in sealed] == list(range(1, 9))
    for before, after in pairwise(sealed):
        assert bytes(after.previous_hash) == bytes(before.hash)
    assert bytes(LedgerHead.objects.get().hash) == bytes(sealed[-1].hash)
    assert proof.first_broken() is None
    assert "8 entries" in verify()


def test_more_than_one_batch_is_sealed_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "_SEALED_AT_ONCE", 2)
    for n in range(5):
        balanced(f"a{n}")
    assert ledger.seal() == 5


def test_an_empty_ledger_holds() -> None:
    assert proof.first_broken() is None
    ledger.seal()
    assert "0 entries" in verify()


LINE = "payments_ledgerline"
ENTRY = "payments_ledgerentry"


@pytest.mark.parametrize("stretch", [20_000, 3, 1])
@pytest.mark.parametrize(
    ("statement", "number", "problem"),
    [
        (f"UPDATE {LINE} SET amount = amount * 2 WHERE entry_id = {{3}}", 3, "changed"),
        (f"UPDATE {LINE} SET amount = 6 WHERE entry_id = {{3}} AND position = 1", 3, "balance"),
        (f"UPDATE {LINE} SET account = 'me' WHERE entry_id = {{4}} AND position = 1", 4, "changed"),
        (f"UPDATE {ENTRY} SET reason = 'x' WHERE number = 5", 5, "changed"),
        (f"UPDATE {ENTRY} SET posted_at = posted_at + '1 us'::interval WHERE number = 2", 2, "ch"),
        (f"UPDATE {ENTRY} SET hash = sha256('x') WHERE number = 6", 6, "changed"),
        (f"UPDATE {ENTRY} SET previous_hash = sha256('x') WHERE number = 6", 6, "changed"),
        (f"DELETE FROM {ENTRY} WHERE number = 4", 4, "is missing"),
        (f"DELETE FROM {ENTRY} WHERE number = 8", 8, "is missing"),
        (f"DELETE FROM {ENTRY} WHERE number = 1", 1, "is missing"),
        ("UPDATE payments_ledgerhead SET hash = sha256('x')", 9, "the head does not agree"),
        ("DELETE FROM payments_ledgerhead", 9, "the head is missing"),
    ],
)
def test_tampering_with_the_triggers_off_is_found(
    statement: str, number: int, problem: str, stretch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "_STRETCH", stretch)
    ids = [balanced(f"a{n}").id for n in range(1, 9)]
    ledger.seal()
    orphaned = f"DELETE FROM {LINE} WHERE entry_id NOT IN (SELECT id FROM {ENTRY})"
    tamper(statement.format(None, *ids), orphaned)
    broken = proof.first_broken()
    assert broken is not None
    assert broken.number == number
    assert problem in broken.problem
    with pytest.raises(CommandError, match=f"entry {number} "):
        verify()


def test_the_first_of_several_broken_places_is_named() -> None:
    for n in range(1, 9):
        balanced(f"a{n}")
    ledger.seal()
    tamper("UPDATE payments_ledgerentry SET reason = 'x' WHERE number IN (7, 3, 5)")
    with pytest.raises(CommandError, match=r"entry 3 was changed. It is a3, posted 2026-03-03"):
        verify()


@pytest.mark.django_db(transaction=True)
def test_stretches_that_are_walked_beside_each_other_find_the_first_broken_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(proof, "_STRETCH", 2)
    with transaction.atomic():
        for n in range(1, 10):
            balanced(f"a{n}")
    ledger.seal()
    walkers = set()
    walk = proof._stretch

    def watched(start: int, end: int) -> object:
        walkers.add(threading.current_thread())
        return walk(start, end)

    monkeypatch.setattr(proof, "_stretch", watched)
    assert proof.first_broken() is None
    assert walkers
    assert threading.current_thread() not in walkers, "not beside each other"
    tamper("UPDATE payments_ledgerentry SET reason = 'x' WHERE number IN (8, 5, 6)")
    assert proof.first_broken() == proof.Broken(5, "was changed")


def test_what_is_sealed_during_a_walk_is_left_to_the_next_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for n in range(3):
        balanced(f"a{n}")
    ledger.seal()
    walk = proof._stretch

    def sealed_meanwhile(start: int, end: int) -> object:
        balanced("meanwhile")
        ledger.seal()
        return walk(start, end)

    monkeypatch.setattr(proof, "_stretch", sealed_meanwhile)
    assert proof.first_broken() is None
    monkeypatch.undo()
    assert proof.first_broken() is None


def test_sealing_refuses_to_begin_a_new_chain_over_an_old_one() -> None:
    balanced("a")
    ledger.seal()
    tamper("DELETE FROM payments_ledgerhead")
    with pytest.raises(DatabaseError, match="no head"), transaction.atomic():
        ledger.seal()


def test_receipts_are_numbered_without_a_gap_per_year(spot: Spot, processor: Processor) -> None:
    a_paid_booking(spot, processor)
    a_paid_booking(spot, processor, start=cast.at(60))
    ledger.seal()
    assert [str(row) for row in Document.objects.all()] == ["R-2026-000001", "R-2026-000002"]
    assert LedgerEntry.objects.filter(kind=LedgerKind.FEE, document=None).count() == 2
    assert proof.first_missing_document() is None
    tamper("DELETE FROM payments_document WHERE number = 1")
    assert proof.first_missing_document() == "receipt 2026 number 1 is missing"
    with pytest.raises(CommandError, match="receipt 2026 number 1 is missing"):
        verify()


def test_a_text_cannot_pass_for_two() -> None:
    one = an_entry("a", ("bank", 5, "EUR"), ("suspense", -5, "EUR"))
    ledger.seal()
    tamper(
        f"UPDATE payments_ledgerentry SET actor = 'te', reason = 'st' WHERE id = {one.id}",
    )
    assert proof.first_broken() is not None
