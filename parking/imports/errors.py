"""The two ways in which an import says no: to a whole file, or to one row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class ImportFailed(Exception):
    """The file cannot be imported, and nothing was written. The text is for people."""


class MappingError(ImportFailed):
    """The mapping is wrong; every problem is named with its key."""

    def __init__(self, path: Path, problems: Sequence[str]) -> None:
        super().__init__("\n".join(f"{path}: {problem}" for problem in problems))
        self.problems = tuple(problems)


class RowRefused(Exception):
    """One row cannot be imported; the others can. The text is the reason, for people."""
