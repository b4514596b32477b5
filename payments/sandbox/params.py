"""Reading what a client sent: nested form fields or JSON, with errors that name the field."""

import re
import urllib.parse
from collections.abc import Iterable, Mapping
from typing import Any

from payments.sandbox.errors import ApiError, Json

MAX_FIELDS = 1000
MAX_DEPTH = 8
MAX_INTEGER_DIGITS = 15
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")
_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")


def decode_form(text: str) -> Json:
    """Decode ``a[b][0][c]=1`` into ``{"a": {"b": {"0": {"c": "1"}}}}``.

    Raises ApiError 400 for a name that cannot be read, names that contradict each other, too many
    fields, or bytes that are not UTF-8.
    """
    try:
        pairs = urllib.parse.parse_qsl(
            text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"
        )
    except ValueError as error:
        raise ApiError("The form could not be decoded: too many fields, or not UTF-8.") from error
    fields: Json = {}
    for name, value in pairs:
        _put(fields, name, value)
    return fields


def _put(fields: Json, name: str, value: str) -> None:
    match = _NAME.fullmatch(name)
    if match is None:
        raise ApiError(f"Invalid parameter name: {name[:80]!r}.")
    keys = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]
    if len(keys) > MAX_DEPTH:
        raise ApiError(f"Parameter nested too deeply: {name[:80]!r}.")
    inner = fields
    for key in keys[:-1]:
        found = inner.setdefault(key or str(len(inner)), {})
        if not isinstance(found, dict):
            raise ApiError(f"Parameter given both as a value and as an object: {name[:80]!r}.")
        inner = found
    last = keys[-1] or str(len(inner))
    if isinstance(inner.get(last), dict):
        raise ApiError(f"Parameter given both as a value and as an object: {name[:80]!r}.")
    inner[last] = value


def from_json(value: Any) -> Any:
    """Return parsed JSON in the shape of a decoded form: a list becomes ``{"0": …}``."""
    if isinstance(value, list):
        return {str(number): from_json(item) for number, item in enumerate(value)}
    if isinstance(value, dict):
        return {str(key): from_json(item) for key, item in value.items()}
    return value


class Params:
    """The parameters of one request; remembers what was read, so that the rest can be refused."""

    def __init__(self, fields: Mapping[str, Any], prefix: str = "") -> None:
        self._fields = dict(fields)
        self._prefix = prefix
        self._unread = set(self._fields)
        self._children: list[Params] = []

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def path(self, name: str) -> str:
        """Return the full name of a field, as the client wrote it."""
        return f"{self._prefix}[{name}]" if self._prefix else name

    def refuse_unread(self) -> None:
        """Refuse fields that nobody read: silently ignoring them would hide a mistake."""
        for name in sorted(self._unread):
            path = self.path(name)
            raise ApiError(
                f"Received unknown parameter: {path}", code="parameter_unknown", param=path
            )
        for child in self._children:
            child.refuse_unread()

    def accept(self, names: Iterable[str]) -> None:
        """Accept fields that change nothing here."""
        self._unread.difference_update(names)

    def _take(self, name: str, *, required: bool) -> Any:
        self._unread.discard(name)
        value = self._fields.get(name)
        if value is None and required:
            path = self.path(name)
            raise ApiError(f"Missing required param: {path}.", code="parameter_missing", param=path)
        return value

    def text(self, name: str, *, max_length: int = 5000) -> str | None:
        """Return a text, or None when it was not sent."""
        value = self._take(name, required=False)
        if value is None:
            return None
        path = self.path(name)
        if not isinstance(value, str):
            raise ApiError(f"Invalid string: {path}", param=path)
        if value == "":
            raise ApiError(
                f"You passed an empty string for '{path}'.",
                code="parameter_invalid_empty",
                param=path,
            )
        if len(value) > max_length:
            raise ApiError(
                f"Invalid string: {path} must be at most {max_length} characters.", param=path
            )
        return value

    def required_text(self, name: str, *, max_length: int = 5000) -> str:
        """Return a text that must be there."""
        self._take(name, required=True)
        return self.text(name, max_length=max_length) or ""

    def choice(self, name: str, allowed: Iterable[str], default: str | None = None) -> str | None:
        """Return one of the allowed words, or the default when it was not sent."""
        value = self.text(name)
        if value is None:
            return default
        words = list(allowed)
        if value not in words:
            raise ApiError(
                f"Invalid {self.path(name)}: must be one of {', '.join(words)}",
                param=self.path(name),
            )
        return value

    def url(self, name: str) -> str | None:
        """Return an absolute http(s) address, or None when it was not sent."""
        value = self.text(name)
        if value is None:
            return None
        try:
            parts = urllib.parse.urlsplit(value)
            good = parts.scheme in ("http", "https") and parts.port != 0
            # ASCII, as it stands in headers: a foreign name is written in its xn-- form.
            good = good and bool(_HOST.fullmatch(parts.hostname or ""))
        except ValueError:
            good = False
        if not good or not value.isprintable() or " " in value:
            raise ApiError("Not a valid URL", code="url_invalid", param=self.path(name))
        return value

    def integer(self, name: str, *, minimum: int | None = None) -> int | None:
        """Return a whole number, or None when it was not sent."""
        value = self._take(name, required=False)
        if value is None:
            return None
        path = self.path(name)
        written = str(value) if isinstance(value, (str, int)) else ""
        if (
            isinstance(value, bool)
            or not re.fullmatch(r"-?[0-9]+", written)
            or len(written) > MAX_INTEGER_DIGITS
        ):
            raise ApiError(f"Invalid integer: {path}", code="parameter_invalid_integer", param=path)
        number = int(written)
        if minimum is not None and number < minimum:
            raise ApiError(
                f"This value must be greater than or equal to {minimum}.",
                code="parameter_invalid_integer",
                param=path,
            )
        return number

    def required_integer(self, name: str, *, minimum: int | None = None) -> int:
        """Return a whole number that must be there."""
        self._take(name, required=True)
        number = self.integer(name, minimum=minimum)
        return 0 if number is None else number

    def number(self, name: str, *, minimum: float, maximum: float) -> float | None:
        """Return a number in a range, or None when it was not sent."""
        value = self._take(name, required=False)
        if value is None:
            return None
        path = self.path(name)
        try:
            if isinstance(value, (bool, dict)):
                raise ValueError("not a number")
            number = float(value)
        except (ValueError, TypeError, OverflowError) as error:
            raise ApiError(f"Invalid number: {path}", param=path) from error
        if not minimum <= number <= maximum:
            raise ApiError(
                f"Invalid {path}: must be between {minimum:g} and {maximum:g}.", param=path
            )
        return number

    def flag(self, name: str) -> bool | None:
        """Return a truth value, or None when it was not sent."""
        value = self._take(name, required=False)
        if value is None or isinstance(value, bool):
            return value
        words = {"true": True, "false": False}
        if value not in words:
            path = self.path(name)
            raise ApiError(f"Invalid boolean: {path}", param=path)
        return words[value]

    def group(self, name: str) -> "Params":
        """Return the fields of a nested object; an empty one when it was not sent."""
        value = self._take(name, required=False)
        path = self.path(name)
        if value is None:
            value = {}
        if not isinstance(value, dict):
            raise ApiError(f"Invalid object: {path}", param=path)
        child = Params(value, path)
        self._children.append(child)
        return child

    def required_group(self, name: str) -> "Params":
        """Return the fields of a nested object that must be there."""
        self._take(name, required=True)
        return self.group(name)

    def groups(self, name: str, *, required: bool = False) -> list["Params"]:
        """Return the nested objects of a list, in order."""
        rows = self.required_group(name) if required else self.group(name)
        return [rows.group(key) for key in rows.list_keys()]

    def texts(self, name: str, *, required: bool = False) -> list[str]:
        """Return a list of texts; an empty one when it was not sent."""
        rows = self.required_group(name) if required else self.group(name)
        return [rows.text(key) or "" for key in rows.list_keys()]

    def list_keys(self) -> list[str]:
        """Return the keys of fields that are the items of a list, in order."""
        if not all(re.fullmatch(r"[0-9]{1,6}", key) for key in self._fields):
            raise ApiError(f"Invalid array: {self._prefix}", param=self._prefix)
        return sorted(self._fields, key=int)

    def items(self) -> list[tuple[str, Any]]:
        """Return every field with its value, all of them read."""
        self.accept(list(self._fields))
        return list(self._fields.items())

    def is_group(self, name: str) -> bool:
        """Tell whether the field was sent as a nested object."""
        return isinstance(self._fields.get(name), dict)

    def metadata(self, current: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the object's metadata after this request: an empty value removes a key."""
        rows = dict(current or {})
        if self._fields.get("metadata") == "":
            self._unread.discard("metadata")
            return {}
        sent = self.group("metadata")
        for key, value in sent.items():
            path = sent.path(key)
            if not isinstance(value, str):
                raise ApiError(f"Invalid string: {path}", param=path)
            if len(key) > 40 or len(value) > 500:
                raise ApiError(
                    "Metadata keys can be up to 40 characters long and values up to 500.",
                    param=path,
                )
            if value:
                rows[key] = value
            else:
                rows.pop(key, None)
        if len(rows) > 50:
            raise ApiError("Metadata can have up to 50 keys.", param=self.path("metadata"))
        return rows
