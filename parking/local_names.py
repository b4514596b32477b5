"""Names of places in the reader's language, where the city has told them; else its own."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import get_language


def name_in(names: Mapping[str, str], name: str) -> str:
    """Return the name for the reader of this page; `names` are by language."""
    return names.get(get_language() or "") or name


def column(names: str, name: str) -> str:
    """Return SQL that does the same with two columns; it wants `language` as a parameter."""
    return f"coalesce(nullif({names} ->> %(language)s::text, ''), {name})"
