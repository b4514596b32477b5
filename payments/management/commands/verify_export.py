"""Check an exported file against its manifest. The file's hash needs no database."""

import hashlib
import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from payments.manifests import digest
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
        if log is None or digest(log.manifest) != digest(told):
            raise CommandError(f"{manifest} is not in the export log as it stands here")
        before = (
            ExportLog.objects.filter(id__lt=log.pk, manifest__isnull=False).order_by("-id").first()
        )
        if told["previous_manifest_sha256"] != (digest(before.manifest) if before else ""):
            raise CommandError(f"the manifest before {manifest} was changed or removed")
        self.stdout.write(f"{manifest}: agrees with the export log and follows the one before")
