"""What goes with every file that leaves: what it holds, its hash, and the manifest before it.

A manifest names the ledger's head, so the chain is published outside the database with every file.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction

from payments.models import ExportLog, LedgerHead
from payments.reports import Report

_ONE_AT_A_TIME = 0x43757262  # an advisory lock of our own


def begin(*, user: User, parameters: dict[str, Any], name: str, now: datetime) -> ExportLog:
    """Enter a file in the log before its first byte leaves."""
    return ExportLog.objects.create(user=user, at=now, name=name, parameters=parameters)


def head() -> dict[str, Any]:
    """Return the ledger's head as it is in this transaction: last number, its hash in hex."""
    found = LedgerHead.objects.first()
    return {
        "number": found.number if found else 0,
        "sha256": bytes(found.hash).hex() if found else "",
    }


def complete(
    *, log: ExportLog, rows: int, sha256: str, figures: Report | None, ledger_head: dict[str, Any]
) -> None:
    """Write the manifest of a file that was sent whole; `figures` where it is of the ledger."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ONE_AT_A_TIME])
        before = ExportLog.objects.filter(sequence__isnull=False).order_by("-sequence").first()
        log.rows, log.sequence = rows, (before.sequence or 0) + 1 if before else 1
        log.manifest = {
            "schema": 2,
            "export": log.pk,
            "sequence": log.sequence,
            "version": settings.VERSION,
            "file": log.name,
            "made_at": log.at.isoformat(),
            "made_by": f"user:{log.user_id}",
            "parameters": log.parameters,
            "rows": rows,
            "sha256": sha256,
            **_figures(figures),
            "ledger_head": ledger_head,
            "previous_manifest_sha256": digest(before.manifest) if before else "",
        }
        log.save(update_fields=["rows", "sequence", "manifest"])


def _figures(figures: Report | None) -> dict[str, Any]:
    if figures is None:
        return {}
    total, clearing = figures.total, figures.clearing
    is_whole = not (figures.range.kind or figures.range.booking)
    return {
        "totals": {
            "entries": total.entries,
            "clearing": total.clearing,
            "revenue": total.revenue,
            "tax": total.tax,
            "fees": total.fees,
            "other": total.other,
        },
        "clearing": {
            "opening": clearing.opening,
            "movements": clearing.movements,
            "closing": clearing.closing,
        }
        if is_whole
        else None,
        "numbers": {"first": figures.first_number, "last": figures.last_number},
    }


def digest(manifest: Any) -> str:
    """Return the hash of a manifest, whatever the order and spacing of its keys."""
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def before(log: ExportLog) -> ExportLog | None:
    """Return the export whose manifest came before this one's."""
    return ExportLog.objects.filter(sequence=(log.sequence or 0) - 1).first()


def first_broken() -> str | None:
    """Return what is wrong with the first manifest that does not fit, or None."""
    previous = ""
    logs = ExportLog.objects.filter(sequence__isnull=False).order_by("sequence")
    for number, log in enumerate(logs.iterator(chunk_size=500), start=1):
        if log.sequence != number:
            return f"the manifest {number} of the export log is missing"
        manifest: dict[str, Any] = log.manifest or {}
        if manifest["previous_manifest_sha256"] != previous:
            return f"the manifest before number {number} of the export log was changed"
        previous = digest(manifest)
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_LOST_HEAD)
        row = cursor.fetchone()
    return f"entry {row[1]} is not what manifest {row[0]} says of it" if row else None


_FIRST_LOST_HEAD = """
SELECT log.sequence, (log.manifest #>> '{ledger_head,number}')::bigint
FROM payments_exportlog log
LEFT JOIN payments_ledgerentry entry
  ON entry.number = (log.manifest #>> '{ledger_head,number}')::bigint
WHERE log.sequence IS NOT NULL AND (log.manifest #>> '{ledger_head,number}')::bigint > 0
  AND encode(entry.hash, 'hex') IS DISTINCT FROM log.manifest #>> '{ledger_head,sha256}'
ORDER BY log.sequence LIMIT 1
"""
