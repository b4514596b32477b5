"""A value of the mapping: from a column, a constant or a template to the text of one row."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext as _

from parking.imports.errors import RowRefused

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True)
class Part:
    """A piece of a value: text as it stands, a column of the file, or a word of the importer."""

    kind: Literal["text", "column", "word"]
    text: str


@dataclass(frozen=True, kw_only=True)
class Value:
    """How one value of a row comes about; `path` is its key in the mapping, for messages.

    The steps are: parts joined, pattern, choices (the mapping's `map`), default.
    """

    path: str
    parts: tuple[Part, ...]
    default: str | None = None
    pattern: re.Pattern[str] | None = None
    choices: Mapping[str, str] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the file that it reads."""
        return tuple(part.text for part in self.parts if part.kind == "column")

    def of(self, row: Mapping[str, str], **words: object) -> str:
        """Return the text for a row; empty where the row says nothing and no default stands in.

        Raises:
            RowRefused: the text does not fit `pattern` or `map`, and there is no default.
        """
        text = self._joined(row, words)
        if text and self.pattern is not None:
            found = self.pattern.search(text)
            if found is None:
                return self._otherwise(text, _("does not fit the pattern"))
            text = found[1 if self.pattern.groups else 0] or ""
        if self.choices is not None:
            chosen = self.choices.get(text)
            if chosen is None and text:
                return self._otherwise(text, _("is not in the map"))
            text = chosen or ""
        return text or self.default or ""

    def _joined(self, row: Mapping[str, str], words: Mapping[str, object]) -> str:
        columns = self.columns
        if columns and not any(row[name] for name in columns):
            return ""  # "Zone {NAME}" of a row without a name is no "Zone "
        return "".join(
            part.text
            if part.kind == "text"
            else row[part.text]
            if part.kind == "column"
            else str(words[part.text])
            for part in self.parts
        ).strip()

    def _otherwise(self, text: str, why: str) -> str:
        if self.default is None:
            raise RowRefused(f"{self.path}: “{text}” {why}")
        return self.default


def parts_of(template: str, words: Collection[str]) -> tuple[Part, ...]:
    """Split a template at its `{COLUMN}` and, where the word is known, `{@word}`."""
    parts = []
    for place, text in enumerate(_PLACEHOLDER.split(template)):
        if place % 2 and text[0] == "@" and text[1:] in words:
            parts.append(Part("word", text[1:]))
        elif text:
            parts.append(Part("column" if place % 2 else "text", text))
    return tuple(parts)


Names = tuple[tuple[str, Value], ...]  # of a place, by language
