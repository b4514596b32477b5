"""What an import did, counted and row by row."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from django.utils.translation import gettext_lazy as _


class Kind(StrEnum):
    """What is said of a row or thing."""

    REFUSED = "refused"  # it cannot be imported
    SKIPPED = "skipped"  # the mapping leaves it out
    MISSING = "missing"  # it is in the city, and no longer in the file
    NOTE = "note"  # it was imported, and somebody should look


class Noun(StrEnum):
    """What an import makes."""

    ZONES = "zones"
    METERS = "meters"
    SPOTS = "spots"
    TARIFFS = "tariffs"
    STAY_RULES = "stay rules"


NOUN_LABELS = {
    Noun.ZONES: _("zones"),
    Noun.METERS: _("meters"),
    Noun.SPOTS: _("spots"),
    Noun.TARIFFS: _("tariffs"),
    Noun.STAY_RULES: _("stay rules"),
}


@dataclass(frozen=True)
class Remark:
    """One line of the report. `row` is None for what is said of no single row."""

    kind: Kind
    row: int | None
    subject: str
    text: str


@dataclass
class Count:
    """How many things of one kind were made, changed, or already right."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0


@dataclass
class Report:
    """The result of one import."""

    rows: int = 0
    retired: int = 0
    dry_run: bool = False
    counts: dict[Noun, Count] = field(default_factory=lambda: {noun: Count() for noun in Noun})
    remarks: list[Remark] = field(default_factory=list)

    def say(self, kind: Kind, row: int | None, subject: str, text: str) -> None:
        """Add a remark."""
        self.remarks.append(Remark(kind, row, subject, text))

    def of(self, kind: Kind) -> list[Remark]:
        """Return the remarks of one kind, by row."""
        return sorted(
            (remark for remark in self.remarks if remark.kind == kind),
            key=lambda remark: (remark.row is None, remark.row or 0),
        )

    @property
    def refused(self) -> list[Remark]:
        """The rows that were refused, with the reason."""
        return self.of(Kind.REFUSED)

    @property
    def changes(self) -> int:
        """How many things the import made or changed; none on a second run."""
        return self.retired + sum(c.created + c.changed for c in self.counts.values())

    def skipped_by_reason(self) -> Counter[str]:
        """Count the rows that the mapping leaves out, by reason."""
        return Counter(remark.text for remark in self.of(Kind.SKIPPED))

    def write_csv(self, path: Path) -> None:
        """Write every remark as a row of a CSV file.

        Raises:
            OSError: the file cannot be written.
        """
        with path.open("w", newline="", encoding="utf-8-sig") as file:
            writer = csv.writer(file)
            writer.writerow(("row", "kind", "subject", "text"))
            writer.writerows(_lines(self.remarks))


def _lines(remarks: Iterable[Remark]) -> Iterable[tuple[str, str, str, str]]:
    ordered = sorted(remarks, key=lambda remark: (remark.row is None, remark.row or 0))
    for remark in ordered:
        row = "" if remark.row is None else str(remark.row)
        yield row, remark.kind.value, _plain(remark.subject), _plain(remark.text)


def _plain(text: str) -> str:
    # A spreadsheet runs a cell that begins like this as a formula; the file's texts are strangers'.
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
