"""Read single values of a row, or refuse the row with the value's key in the mapping."""

from __future__ import annotations

import re
from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from parking.imports.errors import RowRefused
from parking.imports.mapping import Filter, Value
from parking.imports.rows import Row
from parking.imports.wishes import longest
from parking.models import Meter, Spot, Zone

_YES = frozenset({"1", "true", "yes", "y"})
_NO = frozenset({"0", "false", "no", "n"})
_WHOLE = re.compile(r"-?\d+(?:\.0+)?")


def zone_code(text: str) -> str:
    """Return the code of a zone: the text itself where it can stand in an address.

    Raises:
        RowRefused: nothing of it can.
    """
    try:
        validate_slug(text)
        code = text
    except ValidationError:
        code = slugify(text)
    if not code:
        raise RowRefused(
            _("the zone “%(text)s” gives no code of a–z, 0–9, - and _; use a map") % {"text": text}
        )
    fits(code, Zone, "code", "zone.code")
    return code


def meets(condition: Filter, values: Mapping[str, str]) -> bool:
    """Say whether a row meets a filter's condition."""
    text = values[condition.column]
    if condition.values is not None:
        return text in condition.values
    if condition.pattern is not None:
        return condition.pattern.search(text) is not None
    return bool(text) == condition.present


def needed(value: Value, row: Row) -> str:
    """Return a value that may not be empty."""
    text = value.of(row.values)
    if not text:
        raise RowRefused(_("%(key)s is empty") % {"key": value.path})
    return text


def whole(value: Value, row: Row) -> int:
    """Return a value that must be a whole number."""
    text = needed(value, row)
    if not _WHOLE.fullmatch(text):
        raise RowRefused(
            _("%(key)s: “%(text)s” is no whole number") % {"key": value.path, "text": text}
        )
    return int(text.partition(".")[0])


def yes_or_no(value: Value | None, row: Row) -> bool | None:
    """Return what a row says to yes or no; None where it says nothing."""
    text = value.of(row.values).casefold() if value is not None else ""
    if value is None or not text:
        return None
    if text not in _YES | _NO:
        raise RowRefused(
            _("%(key)s: “%(text)s” is neither yes nor no; use a map")
            % {"key": value.path, "text": text}
        )
    return text in _YES


def fits(text: str, model: type[Zone | Spot | Meter], field: str, key: str) -> None:
    """Refuse a text that is too long for its field; `key` is where the mapping has it."""
    most = longest(model, field)
    if len(text) > most:
        raise RowRefused(
            ngettext(
                "%(key)s: “%(text)s…” is longer than %(most)s sign",
                "%(key)s: “%(text)s…” is longer than %(most)s signs",
                most,
            )
            % {"key": key, "text": text[:20], "most": most}
        )
