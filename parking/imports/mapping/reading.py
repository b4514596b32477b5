"""Read a TOML table key by key, and note every problem with its path instead of stopping."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from parking.imports.mapping.values import Names, Part, Value, parts_of

_VALUE_KEYS = {"column", "constant", "template", "default", "pattern", "map"}


class Table:
    """One table of the mapping. Ask for every key that may stand in it, then call `finish`."""

    def __init__(self, data: Mapping[str, Any], path: str, problems: list[str]) -> None:
        self._data = data
        self._path = path
        self._problems = problems
        self._asked: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self._data

    def __bool__(self) -> bool:
        return bool(self._data)

    def path(self, key: str) -> str:
        """Return where a key stands, such as `spot.number`."""
        return f"{self._path}.{key}" if self._path else key

    def problem(self, key: str, text: str) -> None:
        """Note what is wrong with a key."""
        self._problems.append(f"{self.path(key)}: {text}")

    def finish(self) -> None:
        """Note every key that nobody asked for."""
        for key in self._data:
            if key not in self._asked:
                near = difflib.get_close_matches(key, self._asked, n=1)
                text = _("unknown key")
                if near:
                    text = _("unknown key; did you mean “%(key)s”?") % {"key": near[0]}
                self.problem(key, text)

    def raw(self, key: str) -> Any:
        """Return what stands at a key, or None."""
        self._asked.add(key)
        return self._data.get(key)

    def text(self, key: str, default: str = "", *, required: bool = False) -> str:
        """Return a text."""
        value = self.raw(key)
        if value is None:
            if required:
                self.problem(key, _("is missing"))
            return default
        if not isinstance(value, str) or not value.strip():
            self.problem(key, _("must be a text in quotes"))
            return default
        return value.strip()

    def number(self, key: str, default: float, *, low: float, high: float) -> float:
        """Return a number within `low` and `high`."""
        value = self.raw(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.problem(key, _("must be a number"))
            return default
        if not low <= value <= high:
            self.problem(
                key, _("must lie between %(low)g and %(high)g") % {"low": low, "high": high}
            )
            return default
        return value

    def whole(self, key: str, default: int, *, low: int, high: int) -> int:
        """Return a whole number within `low` and `high`."""
        value = self.number(key, default, low=low, high=high)
        if isinstance(value, float) and not value.is_integer():
            self.problem(key, _("must be a whole number"))
            return default
        return int(value)

    def regex(self, key: str, *, required: bool = False) -> re.Pattern[str] | None:
        """Return a regular expression."""
        text = self.raw(key)
        if text is None:
            if required:
                self.problem(key, _("is missing"))
            return None
        if not isinstance(text, str):
            self.problem(key, _("must be a text in quotes"))
            return None
        try:
            return re.compile(text)
        except re.error as error:
            self.problem(key, _("is no regular expression: %(why)s") % {"why": error})
            return None

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self.raw(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.problem(key, _('must be a list of texts, such as ["a", "b"]'))
            return ()
        return tuple(value)

    def table(self, key: str) -> Table:
        """Return a table, empty where the key is missing."""
        value = self.raw(key)
        if value is not None and not isinstance(value, dict):
            self.problem(key, _("must be a table"))
            value = None
        return Table(value or {}, self.path(key), self._problems)

    def tables(self, key: str) -> list[Table]:
        """Return a list of tables, as `[[key]]` writes it."""
        value = self.raw(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.problem(key, _("must be a list of tables: [[%(key)s]]") % {"key": self.path(key)})
            return []
        return [
            Table(item, f"{self.path(key)}[{place}]", self._problems)
            for place, item in enumerate(value)
        ]

    def value(
        self, key: str, *, required: bool = False, words: Collection[str] = ()
    ) -> Value | None:
        """Return a value: a column's name, or a table with column, constant or template.

        `words` are the importer's own (without @) that a template may use here.
        """
        raw = self.raw(key)
        if raw is None:
            if required:
                self.problem(key, _("is missing"))
            return None
        if isinstance(raw, str) and raw.strip():
            return Value(path=self.path(key), parts=(Part("column", raw),))
        if not isinstance(raw, dict):
            self.problem(
                key, _("must be a column's name, or a table with column, constant or template")
            )
            return None
        return Table(raw, self.path(key), self._problems).as_value(words)

    def names(self, key: str) -> Names:
        """Return values by language, of the languages that the site has."""
        table = self.table(key)
        found = ((code, table.value(code)) for code, _name in settings.LANGUAGES)
        names = tuple((code, value) for code, value in found if value is not None)
        table.finish()
        return names

    def as_value(self, words: Collection[str] = ()) -> Value:
        """Return what this table, with column, constant or template, stands for."""
        ways: list[tuple[Part, ...]] = []
        if "column" in self:
            ways.append((Part("column", self.text("column")),))
        if "constant" in self:
            ways.append((Part("text", self._scalar("constant")),))
        if "template" in self:
            ways.append(parts_of(self.text("template"), words))
        if len(ways) != 1:
            why = _("give exactly one of column, constant, template")
            self._problems.append(f"{self._path}: {why}")
        value = Value(
            path=self._path,
            parts=ways[0] if ways else (),
            default=self._scalar("default") if "default" in self else None,
            pattern=self.regex("pattern"),
            choices=self._choices() if "map" in self else None,
        )
        self._asked |= _VALUE_KEYS
        self.finish()
        return value

    def _scalar(self, key: str) -> str:
        value = self.raw(key)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            self.problem(key, _("must be a text or a number"))
            return ""
        return str(value)

    def _choices(self) -> dict[str, str] | None:
        value = self.raw("map")
        if not isinstance(value, dict) or not all(
            isinstance(item, str | int | float) and not isinstance(item, bool)
            for item in value.values()
        ):
            self.problem("map", _('must be a table of texts, such as { "A" = "1" }'))
            return None
        return {str(key): str(item) for key, item in value.items()}
