"""Do the books hold? The walk over the chain, the documents beside it, the heads that left.

What an entry says is under its hash; what hangs on the entries is made again from them and
compared: the numbers of receipts, the manifests of files and the heads that they took along.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat
from typing import Any

from django.db import connection

from payments.models import LedgerCheck, LedgerHead

_STRETCH = 20_000  # entries
_AT_ONCE = 2  # stretches of a whole walk
MOST_AT_ONCE = 20_000  # entries that a page walks itself, beyond the last whole walk


@dataclass(frozen=True)
class Broken:
    """The first broken place of the books: the entry's number, and what is wrong with it."""

    number: int
    problem: str


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What is known of the chain: up to where it was walked, and when as a whole.

    `checked` is the last whole walk; `number` is how far the chain was seen to hold now.
    """

    checked: LedgerCheck | None
    number: int
    head: int
    broken: Broken | None


def first_broken() -> Broken | None:
    """Walk the whole chain; return its first broken place, or None if it holds."""
    return _walk(0)[2]


def first_missing_document() -> str | None:
    """Return the first receipt or credit note that is not there as the entries ask for it."""
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_WRONG_DOCUMENT)
        row = cursor.fetchone()
    return row[0] if row else None


def holds(head: Mapping[str, Any]) -> bool:
    """Return whether the chain still runs through a head that left in a manifest."""
    if not head["number"]:
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT encode(hash, 'hex') FROM payments_ledgerentry WHERE number = %s",
            [head["number"]],
        )
        row = cursor.fetchone()
    return row is not None and row[0] == head["sha256"]


def check(*, now: datetime) -> LedgerCheck:
    """Walk everything and keep what was found."""
    began = time.perf_counter()
    number, hash_, broken = _walk(0)
    return LedgerCheck.objects.create(
        at=now,
        number=number,
        hash=hash_,
        took_ms=round(1000 * (time.perf_counter() - began)),
        broken_number=broken.number if broken else None,
        problem=broken.problem if broken else "",
    )


def standing() -> Standing:
    """Return what is known of the chain; what was sealed since the last whole walk is walked."""
    checked = LedgerCheck.objects.first()
    head = LedgerHead.objects.first()
    last = head.number if head else 0
    if checked is not None and checked.problem:
        broken: Broken | None = Broken(checked.broken_number or 0, checked.problem)
        return Standing(checked=checked, number=checked.number, head=last, broken=broken)
    after = checked.number if checked else 0
    if checked is not None and not holds({"number": after, "sha256": bytes(checked.hash).hex()}):
        broken = Broken(after, "is not what it was when the chain was last walked")
        return Standing(checked=checked, number=after, head=last, broken=broken)
    number, _hash, broken = _walk(after, until=after + MOST_AT_ONCE)
    return Standing(checked=checked, number=number, head=last, broken=broken)


def _walk(after: int, *, until: int | None = None) -> tuple[int, bytes, Broken | None]:
    """Walk the entries behind `after`; return how far the chain holds, its hash, what is broken."""
    with connection.cursor() as cursor:
        cursor.execute(_ENDS)  # as they were at one moment: sealing goes on while we walk
        first, last, head, head_hash = cursor.fetchone()
    if first < 1:
        return 0, b"", Broken(first, "has a number that no seal gives")
    end = last if until is None else min(last, until)
    reached, hash_ = after, b""
    for begun, (reached, hash_, number, problem) in _walked(after, end):
        if number is not None:
            return number - 1, hash_, Broken(number, problem)
        if reached < min(begun + _STRETCH, end):
            return reached, hash_, Broken(reached + 1, "is missing")
    if end < last:
        return reached, hash_, None
    if head is None:
        return reached, hash_, Broken(last + 1, "the head is missing") if last else None
    if head > last:
        return reached, hash_, Broken(last + 1, "is missing")
    if head < last or bytes(head_hash) != bytes(hash_):
        return reached, hash_, Broken(last + 1, "the head does not agree")
    return reached, hash_, None


_ENDS = """
SELECT (SELECT coalesce(min(number), 1) FROM payments_ledgerentry),
       (SELECT coalesce(max(number), 0) FROM payments_ledgerentry), head.number, head.hash
FROM (VALUES (1)) one (id) LEFT JOIN payments_ledgerhead head USING (id)
"""

# How far it holds, the hash there, and the first broken entry with what is wrong, if there is one.
_Stretch = tuple[int, bytes, int | None, str]


def _walked(after: int, end: int) -> Iterator[tuple[int, _Stretch]]:
    """Yield where each stretch begins, in order, and what was found on it.

    Each begins at the stored hash of the entry before it, which the stretch before it verifies, so
    that several can be walked at once. Only this connection sees what its open transaction wrote.
    """
    starts = range(after, max(end, after + 1), _STRETCH)
    if len(starts) == 1 or connection.in_atomic_block:
        yield from ((start, _stretch(start, end)) for start in starts)
        return
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        try:
            yield from zip(starts, pool.map(_stretch_beside, starts, repeat(end)), strict=True)
        finally:
            pool.shutdown(cancel_futures=True)


def _stretch_beside(start: int, end: int) -> _Stretch:
    try:
        return _stretch(start, end)
    finally:
        connection.close()  # of this thread


def _stretch(start: int, end: int) -> _Stretch:
    with connection.cursor() as cursor:
        at_most = max(0, min(_STRETCH, end - start))
        cursor.execute("SELECT * FROM payments_ledger_verify(%s, %s)", [start, at_most])
        found: _Stretch = cursor.fetchone()
    return found


# Documents are numbered in the order of the entries, so that all of them follow from the chain.
_FIRST_WRONG_DOCUMENT = """
WITH issued AS (
  SELECT id, number AS entry_number, payment_id, refund_id,
         CASE kind WHEN 'capture' THEN 'receipt' WHEN 'refund' THEN 'credit_note'
                   ELSE 'reversal' END AS kind,
         extract(year FROM business_on)::int AS year
  FROM payments_ledgerentry
  WHERE kind IN ('capture', 'refund', 'refund_failed') AND number IS NOT NULL
), wanted AS (
  SELECT issued.*, row_number() OVER (PARTITION BY kind, year ORDER BY entry_number) AS number
  FROM issued
), reversed AS (
  SELECT wanted.*, document.id AS document_id, document.reverses_id, other.id AS reversed_id
  FROM wanted
  LEFT JOIN payments_document document ON document.entry_id = wanted.id
    AND document.kind = wanted.kind AND document.year = wanted.year
    AND document.number = wanted.number
  LEFT JOIN payments_ledgerentry capture ON wanted.kind = 'credit_note'
    AND capture.kind = 'capture' AND capture.payment_id = wanted.payment_id
  LEFT JOIN payments_ledgerentry refund ON wanted.kind = 'reversal'
    AND refund.kind = 'refund' AND refund.refund_id = wanted.refund_id
  LEFT JOIN payments_document other ON other.entry_id = coalesce(capture.id, refund.id)
), wrong AS (
  SELECT year, kind, number,
         CASE WHEN document_id IS NULL THEN 'is missing' ELSE 'reverses another one' END AS problem
  FROM reversed
  WHERE document_id IS NULL OR reverses_id IS DISTINCT FROM reversed_id
  UNION ALL
  SELECT document.year, document.kind, document.number, 'belongs to no entry'
  FROM payments_document document
  WHERE NOT EXISTS (SELECT FROM issued WHERE issued.id = document.entry_id)
  UNION ALL
  SELECT series.year, series.kind, series.last_number, 'is not the last of its series'
  FROM payments_documentseries series
  WHERE series.last_number <> (SELECT count(*) FROM wanted
                               WHERE wanted.kind = series.kind AND wanted.year = series.year)
)
SELECT kind || ' ' || year || ' number ' || number || ' ' || problem
FROM wrong ORDER BY year, kind, number, problem LIMIT 1
"""
