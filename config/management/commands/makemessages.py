"""Write the texts of the sources into the catalogues, or say where a catalogue lags behind."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import makemessages


class Command(makemessages.Command):
    """Django's command, with files but no lines as references, and no guesses."""

    help = __doc__
    msgmerge_options = [*makemessages.Command.msgmerge_options, "--no-fuzzy-matching"]
    msgattrib_options = [*makemessages.Command.msgattrib_options, "--no-obsolete"]

    def add_arguments(self, parser: CommandParser) -> None:
        """Add `--check`; without other choice, take all catalogues."""
        super().add_arguments(parser)
        parser.add_argument("--check", action="store_true", help="Change nothing; compare.")
        parser.set_defaults(
            all=True,
            add_location="file",
            no_obsolete=True,
            ignore_patterns=["tests/*", ".venv/*", ".local/*", "node_modules/*"],
        )

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        """Write, or compare."""
        self._is_check = check
        self._behind: list[str] = []
        super().handle(*args, **options)
        if self._behind:
            raise CommandError("\n".join([*self._behind, "`make messages` brings them together."]))

    def build_potfiles(self) -> list[str]:
        """Leave out the date: a catalogue changes only where a text does."""
        found = list(dict.fromkeys(super().build_potfiles()))
        for name in found:
            template = Path(name)
            template.write_text(re.sub(r'"POT-Creation-Date: .*\n', "", template.read_text()))
        return found

    def write_po_file(self, potfile: str, locale: str) -> None:
        """Merge the texts into a catalogue, or note which it lacks and which nobody uses."""
        if not self._is_check:
            super().write_po_file(potfile, locale)
            return
        catalogue = Path(potfile).parent / locale / "LC_MESSAGES" / "django.po"
        used = subprocess.run(  # noqa: S603
            ["msgattrib", "--no-obsolete", str(catalogue)],  # noqa: S607
            capture_output=True,
            check=True,
        )
        only_in_one = subprocess.run(  # noqa: S603
            ["msgcomm", "--unique", "--no-location", "-", potfile],  # noqa: S607
            input=used.stdout,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        _header, _, difference = only_in_one.stdout.decode().partition("\n\n")
        if difference.strip():
            self._behind.append(f"{locale} and the sources differ in:\n{difference}")
