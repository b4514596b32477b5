"""`manage.py verify_ledger`: walk the books from the first entry to the last."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from payments import ledger
from payments.models import LedgerEntry, LedgerHead


class Command(BaseCommand):
    """Recompute every hash, and name the first entry that is not what it was."""

    help = "Verify the ledger: numbers without a gap, the chain of hashes, balance, documents."

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit with an error at the first broken place."""
        begun = time.perf_counter()
        broken = ledger.first_broken()
        took = time.perf_counter() - begun
        if broken is not None:
            raise CommandError(
                f"The ledger is broken: entry {broken.number} {broken.problem}."
                + self._named(broken.number)
            )
        missing = ledger.first_missing_document()
        if missing is not None:
            raise CommandError(f"The ledger is broken: {missing} is missing.")
        head = LedgerHead.objects.filter(id=1).first()
        number, hash_ = (head.number, bytes(head.hash).hex()) if head else (0, "-")
        waiting = LedgerEntry.objects.filter(number=None).count()
        self.stdout.write(
            f"The ledger holds: {number} entries in {took:.2f} s, head {hash_}; "
            f"{waiting} not sealed yet.",
            self.style.SUCCESS,
        )

    def _named(self, number: int) -> str:
        entry = LedgerEntry.objects.filter(number=number).first()
        return f" It is {entry.key}, posted {entry.posted_at:%Y-%m-%d %H:%M:%S}." if entry else ""
