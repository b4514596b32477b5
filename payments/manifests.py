"""What goes with every file that leaves: what it holds, its hash, and the manifest before it.

A manifest names the ledger's head, so the chain is published outside the database with every file.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction

from payments.models import ExportLog, LedgerHead
from payments.reports import Range, Report

_ONE_AT_A_TIME = 0x43757262  # an advisory lock of our own


def begin(*, user: User, covered: Range, name: str, now: datetime) -> ExportLog:
    """Enter a file in the log before its first byte leaves."""
    return ExportLog.objects.create(user=user, at=now, name=name, parameters=covered.parameters())


def head() -> dict[str, Any]:
    """Return the ledger's head as it is in this transaction: last number, its hash in hex."""
    found = LedgerHead.objects.first()
    return {
        "number": found.number if found else 0,
        "sha256": bytes(found.hash).hex() if found else "",
    }


def complete(
    *, log: ExportLog, rows: int, sha256: str, figures: Report, ledger_head: dict[str, Any]
) -> None:
    """Write the manifest of a file that was sent whole."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ONE_AT_A_TIME])
        before = ExportLog.objects.filter(manifest__isnull=False).order_by("-id").first()
        total = figures.total
        log.rows = rows
        log.manifest = {
            "schema": 1,
            "export": log.pk,
            "file": log.name,
            "made_at": log.at.isoformat(),
            "made_by": f"user:{log.user_id}",
            "parameters": log.parameters,
            "rows": rows,
            "sha256": sha256,
            "totals": {
                "entries": total.entries,
                "clearing": total.clearing,
                "revenue": total.revenue,
                "tax": total.tax,
                "fees": total.fees,
                "other": total.other,
            },
            "clearing": {
                "opening": figures.clearing.opening,
                "movements": figures.clearing.movements,
                "closing": figures.clearing.closing,
            },
            "ledger_head": ledger_head,
            "previous_manifest_sha256": digest(before.manifest) if before else "",
        }
        log.save(update_fields=["rows", "manifest"])


def digest(manifest: Any) -> str:
    """Return the hash of a manifest, whatever the order and spacing of its keys."""
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
