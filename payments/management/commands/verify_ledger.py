"""`manage.py verify_ledger`: walk the books from the first entry to the last."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from payments import manifests, proof
from payments.models import LedgerEntry, LedgerHead


class Command(BaseCommand):
    """Recompute every hash, and name the first entry that is not what it was."""

    help = (
        "Verify the ledger: numbers without a gap, the chain of hashes, balance, documents, and"
        " that the chain still runs through every head that left in a manifest."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take manifests that were kept outside."""
        parser.add_argument(
            "--manifest",
            type=Path,
            action="append",
            default=[],
            help="a manifest whose head of the ledger must still stand in the chain; repeatable",
        )

    def handle(self, *args: Any, manifest: list[Path], **options: Any) -> None:
        """Exit with an error at the first broken place.

        Raises:
            CommandError: with what is broken.
        """
        begun = time.perf_counter()
        broken = proof.first_broken()
        took = time.perf_counter() - begun
        if broken is not None:
            raise CommandError(
                f"The ledger is broken: entry {broken.number} {broken.problem}."
                + self._named(broken.number)
            )
        wrong = proof.first_missing_document() or manifests.first_broken()
        if wrong is not None:
            raise CommandError(f"The ledger is broken: {wrong}.")
        for path in manifest:
            self._still_runs_through(path)
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

    def _still_runs_through(self, path: Path) -> None:
        try:
            head = json.loads(path.read_text())["ledger_head"]
            held = proof.holds(head)
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise CommandError(f"{path} is no manifest of an export") from error
        if not held:
            raise CommandError(
                f"The ledger is broken: entry {head['number']} is not what {path} says of it."
            )
