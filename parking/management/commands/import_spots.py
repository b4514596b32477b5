"""Bring the city's spots up to a file; see docs/import.md."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from tqdm import tqdm

from parking.formatting import number
from parking.imports import ImportFailed, Kind, Remark, Report, import_file, read_mapping
from parking.imports.report import NOUN_LABELS
from parking.imports.rows import Row

_ON_SCREEN = 20


class Command(BaseCommand):
    """Import zones, meters, spots and tariffs from a city's file."""

    help = "Bring zones, meters, spots and tariffs up to a GeoJSON, CSV, Shapefile or GeoPackage."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("file", type=Path, help="the city's file, or a .zip that holds it")
        parser.add_argument("--mapping", type=Path, required=True, help="TOML: what columns mean")
        parser.add_argument("--layer", default="", help="the layer of a file with several")
        parser.add_argument("--dry-run", action="store_true", help="report, and write nothing")
        parser.add_argument("--report", type=Path, help="write every remark to this CSV file")
        parser.add_argument(
            "--tariffs",
            choices=("keep", "replace"),
            default="keep",
            help="tariffs and stay rules that zones already have (default: keep)",
        )
        parser.add_argument(
            "--retire-missing",
            action="store_true",
            help="take spots that the file no longer has out of use",
        )

    def handle(self, **options: Any) -> None:
        """Run one import and say what it did."""
        began = time.perf_counter()
        try:
            mapping = read_mapping(options["mapping"])
            if options["layer"]:
                mapping = replace(mapping, file=replace(mapping.file, layer=options["layer"]))
            report = import_file(
                path=options["file"],
                mapping=mapping,
                now=timezone.now(),
                dry_run=options["dry_run"],
                replace_terms=options["tariffs"] == "replace",
                retire_missing=options["retire_missing"],
                progress=_bar,
            )
        except ImportFailed as error:
            raise CommandError(str(error)) from error
        self._print(report, time.perf_counter() - began)
        if options["report"]:
            try:
                report.write_csv(options["report"])
            except OSError as error:
                text = _("the import is done, but %(file)s cannot be written: %(why)s")
                values = {"file": options["report"], "why": error.strerror}
                raise CommandError(text % values) from error

    def _print(self, report: Report, seconds: float) -> None:
        text = ngettext(
            "%(n)s row read in %(seconds)s s.", "%(n)s rows read in %(seconds)s s.", report.rows
        )
        values = {"n": number(report.rows), "seconds": number(Decimal(f"{seconds:.1f}"))}
        self.stdout.write(text % values)
        if report.dry_run:
            self.stdout.write(_("A dry run: nothing was written."))
        heads = ("", _("created"), _("changed"), _("unchanged"))
        self.stdout.write("{:<12}{:>12}{:>12}{:>12}".format(*heads))
        for noun, count in report.counts.items():
            figures = (count.created, count.changed, count.unchanged)
            cells = "".join(f"{number(figure):>12}" for figure in figures)
            self.stdout.write(f"{NOUN_LABELS[noun]!s:<12}{cells}")
        refused, notes = report.refused, report.of(Kind.NOTE)
        title = ngettext("%(n)s refused row:", "%(n)s refused rows:", len(refused))
        self._print_remarks(title, refused, self.style.ERROR)
        skipped = report.skipped_by_reason()
        if skipped:
            text = ngettext(
                "%(n)s row left out by the mapping:",
                "%(n)s rows left out by the mapping:",
                skipped.total(),
            )
            self.stdout.write(text % {"n": number(skipped.total())})
            for reason, rows in skipped.most_common(_ON_SCREEN):
                self.stdout.write(f"  {rows:>6}  {reason}")
        missing = report.of(Kind.MISSING)
        title = ngettext(
            "%(n)s spot is no longer in the file:",
            "%(n)s spots are no longer in the file:",
            len(missing),
        )
        self._print_remarks(title, missing, self.style.WARNING)
        if report.retired:
            text = ngettext(
                "%(n)s spot taken out of use.", "%(n)s spots taken out of use.", report.retired
            )
            self.stdout.write(text % {"n": number(report.retired)})
        title = ngettext("%(n)s note:", "%(n)s notes:", len(notes))
        self._print_remarks(title, notes, self.style.NOTICE)

    def _print_remarks(self, title: str, remarks: list[Remark], style: Any) -> None:
        if not remarks:
            return
        self.stdout.write(style(title % {"n": number(len(remarks))}))
        for remark in remarks[:_ON_SCREEN]:
            row = "" if remark.row is None else _("row %(row)d") % {"row": remark.row}
            words = [word for word in (row, remark.subject) if word]
            self.stdout.write(
                f"  {', '.join(words)}: {remark.text}" if words else f"  {remark.text}"
            )
        more = len(remarks) - _ON_SCREEN
        if more > 0:
            text = ngettext("%(n)s more; --report has all", "%(n)s more; --report has all", more)
            self.stdout.write(f"  … {text % {'n': number(more)}}")


def _bar(rows: Iterable[Row], total: int | None) -> Iterable[Row]:
    # disable=None: no bar where nobody watches
    return tqdm(rows, total=total, unit=" rows", disable=None, leave=False)
