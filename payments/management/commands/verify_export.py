"""Check an exported file against its manifest. The file's hash needs no database."""

import hashlib
import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from payments import manifests, proof
from payments.models import ExportLog


class Command(BaseCommand):
    """Verify a file that an auditor has downloaded."""

    help = "Check an exported file against its manifest, and the manifest against the export log."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Name both files."""
        parser.add_argument("file", type=Path)
        parser.add_argument("manifest", type=Path)
        parser.add_argument(
            "--offline", action="store_true", help="check the file's hash only, without a database"
        )

    def handle(self, *args: Any, file: Path, manifest: Path, offline: bool, **_: Any) -> None:
        """Say that all agrees, or what does not.

        Raises:
            CommandError: with what does not agree.
        """
        try:
            told = json.loads(manifest.read_text())
            expected = told["sha256"]
            with file.open("rb") as data:
                found = hashlib.file_digest(data, "sha256").hexdigest()
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise CommandError(f"{manifest} is no manifest of an export") from error
        if found != expected:
            raise CommandError(
                f"{file} is not the file of this manifest: its sha256 is {found}, not {expected}"
            )
        self.stdout.write(f"{file}: sha256 agrees with the manifest")
        if offline:
            return
        log = ExportLog.objects.filter(id=told.get("export"), manifest__isnull=False).first()
        if log is None or manifests.digest(log.manifest) != manifests.digest(told):
            raise CommandError(f"{manifest} is not in the export log as it stands here")
        before = manifests.before(log)
        previous = manifests.digest(before.manifest) if before else ""
        if told["previous_manifest_sha256"] != previous:
            raise CommandError(f"the manifest before {manifest} was changed or removed")
        if not proof.holds(told["ledger_head"]):
            raise CommandError(
                f"the ledger is broken: entry {told['ledger_head']['number']} is not what"
                f" {manifest} says of it"
            )
        self.stdout.write(f"{manifest}: agrees with the export log and follows the one before")
