"""A tariff document as the texts that people type, and back again.

A field of the editor is named like the path of its key: `document:bands[0].tiers[1].per_hour`. What
the price engine says about a path thereby belongs to a field. Money is typed in major units.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext as _

from parking.money import UnknownCurrency, exponent, plain_amount
from parking.pricing import TariffError
from parking.pricing.document import Terms, read_document

Sheet = dict[str, Any]
MONEY: Final = ("min_charge", "max_charge", "cap_per_local_day", "fixed_fee")
MINUTES: Final = ("free_first_min", "free_if_leq_min")
CHOICES: Final = ("progression_reset", "holiday_behaves_like")
PARTS: Final[dict[str, tuple[str, ...]]] = {
    "increment": ("minutes", "mode"),
    "tax": ("code", "rate_bp", "included"),
    "rounding": ("unit", "mode"),
}
LISTS: Final[dict[str, tuple[str, ...]]] = {
    "bands": ("from", "to", "priority"),
    "ladder": ("upto_min", "total"),
    "window_flats": ("from", "to", "amount"),
    "vehicle_classes": ("name", "percent"),
    "tiers": ("upto_min", "per_hour"),
}
_NAME: Final = re.compile(
    r"(\w+)(?:\[(\d{1,4})\]\.(\w+)(?:\[(\d{1,4})\]\.(\w+))?|\.(\w+))?", re.ASCII
)
_MINOR: Final = frozenset({"per_hour", "total", "amount", "unit", *MONEY})


def sheet_of(document: Mapping[str, Any]) -> Sheet:
    """Write a valid document as texts; a key that it leaves out is an empty text."""
    currency = document["currency"]

    def text(key: str, value: Any) -> str:
        if value is None:
            return ""
        if key in _MINOR:
            return plain_amount(value, currency)
        if key == "rate_bp":
            return f"{Decimal(value).scaleb(-2).normalize():f}"
        if isinstance(value, bool):
            return "yes" if value else "no"
        return str(value)

    def row(kind: str, item: Mapping[str, Any]) -> dict[str, Any]:
        return {key: text(key, item.get(key)) for key in LISTS[kind]}

    sheet: Sheet = {key: text(key, document.get(key)) for key in (*MONEY, *MINUTES, *CHOICES)} | {
        part: {key: text(key, (document.get(part) or {}).get(key)) for key in keys}
        for part, keys in PARTS.items()
    }
    sheet["bands"] = [
        row("bands", band)
        | {
            "days": list(band["days"]),
            "tiers": [row("tiers", tier) for tier in band.get("tiers", ())],
        }
        for band in document.get("bands") or ()
    ]
    sheet["ladder"] = [row("ladder", step) for step in document.get("ladder") or ()]
    sheet["window_flats"] = [
        row("window_flats", flat) | {"applies_if": flat["applies_if"]}
        for flat in document.get("window_flats") or ()
    ]
    sheet["vehicle_classes"] = [
        {"name": name, "percent": str(rule["percent"])}
        for name, rule in (document.get("vehicle_classes") or {}).items()
    ]
    holidays = document.get("holidays") or {}
    sheet["holidays"] = "\n".join(f"{day} {holidays[day]}" for day in sorted(holidays))
    return sheet


def sheet_posted(data: Any, prefix: str) -> Sheet:
    """Gather the posted texts; rows that are empty or to be removed are left out.

    `origin` of a row is the number that it has on the page. A row asked for by `add` is empty.
    """
    sheet: Sheet = {part: {} for part in PARTS}
    lists: dict[str, dict[int, dict[str, Any]]] = {}
    for name in data:
        if not name.startswith(prefix) or not (match := _NAME.fullmatch(name[len(prefix) :])):
            continue
        key, number, inner, tier, rate, part = match.groups()
        value = data.get(name)
        if number is None and part is None:
            sheet[key] = value
        elif number is None:
            sheet.setdefault(key, {})[part] = value
        else:
            rows = lists.setdefault(key, {})
            row = rows.setdefault(int(number), {"origin": number, "days": [], "tiers": {}})
            if tier is not None:
                row["tiers"].setdefault(int(tier), {"origin": tier})[rate] = value
            else:
                row[inner] = data.getlist(name) if inner == "days" else value
    for key in ("bands", "ladder", "window_flats", "vehicle_classes"):
        rows_by_number = lists.get(key, {})
        for row in rows_by_number.values():
            row["tiers"] = _kept(row["tiers"], "tiers")
        sheet[key] = _kept(rows_by_number, key)
    _add_row(sheet, data.get(f"{prefix}add", ""))
    return sheet


def _kept(rows: dict[int, dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [
        row
        for _number, row in sorted(rows.items())
        if not row.get("remove")
        and (
            any(row.get(key, "").strip() for key in LISTS[kind])
            or row.get("days")
            or row.get("tiers")
        )
    ]


def _add_row(sheet: Sheet, wanted: str) -> None:
    if wanted in LISTS and wanted != "tiers":
        sheet[wanted].append({"blank": True, "days": [], "tiers": []})
    elif match := re.fullmatch(r"bands\[(\d{1,4})\]\.tiers", wanted, re.ASCII):
        for band in sheet["bands"]:
            if band.get("origin") == match[1]:
                band["tiers"].append({"blank": True})


def document_of(
    sheet: Sheet, *, base: Mapping[str, Any], currency: str, time_zone: str
) -> tuple[dict[str, Any], dict[str, str]]:
    """Compose the document that the texts say, and what cannot be read, by path.

    Whatever means the same as in `base` keeps the wording of `base`, so that a document that
    nobody touched stays the same to the letter.
    """
    read = _Reader(str(base.get("currency") or currency))
    document: dict[str, Any] = {
        "currency": base.get("currency") or currency,
        "time_zone": base.get("time_zone") or time_zone,
    }
    bands = [_band(read, row, f"bands[{n}]") for n, row in enumerate(_filled(sheet["bands"]))]
    steps = _rows(read, sheet, "ladder")
    if bands:
        document["bands"] = bands
    if steps:
        document["ladder"] = steps
    if flats := _rows(read, sheet, "window_flats", extra="applies_if"):
        document["window_flats"] = flats
    document |= read.keys(sheet, (*MONEY, *MINUTES, *CHOICES), "")
    for part, keys in PARTS.items():
        if given := read.keys(sheet[part], keys, f"{part}."):
            document[part] = given
    if classes := _classes(read, _filled(sheet["vehicle_classes"])):
        document["vehicle_classes"] = classes
    if holidays := _holidays(read, sheet.get("holidays", "")):
        document["holidays"] = holidays
    return document if read.wrong else keep_wording(base, document), read.wrong


def keep_wording(base: Mapping[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """Take each key from `base` where it means the same; leave out what only says the usual."""
    try:
        new = read_document(document)
    except TariffError:
        return document
    needed = ("currency", "time_zone", "bands", "ladder")
    try:
        old: Terms = read_document(base)
    except TariffError:
        base = {key: document[key] for key in needed if key in document}
        old = read_document(base)
    kept = {}
    for key in Terms.__dataclass_fields__:
        source = base if getattr(old, key) == getattr(new, key) else document
        if key in source:
            kept[key] = source[key]
    try:
        read_document(kept)
    except TariffError:
        return document
    return kept


class _Reader:
    """Read typed texts; note by path what cannot be read."""

    def __init__(self, currency: str) -> None:
        self.wrong: dict[str, str] = {}
        try:
            self.decimals = exponent(currency)
        except UnknownCurrency:
            self.decimals = 0

    def keys(self, texts: Mapping[str, Any], keys: tuple[str, ...], path: str) -> dict[str, Any]:
        """Return the value of every text that is not empty."""
        found = {}
        for key in keys:
            text = texts.get(key) or ""
            if text.strip():
                found[key] = self.value(key, text, path + key)
        return found

    def value(self, key: str, text: str, path: str) -> Any:
        """Return what the text of this key means in the document."""
        if key in _MINOR:
            return self.decimal(text, path, self.decimals)
        if key == "rate_bp":
            return self.decimal(text, path, 2)
        if key in {"upto_min", "minutes", "priority", "percent", *MINUTES}:
            return self.whole(text, path)
        if key == "included":
            return text == "yes"
        return text if key in {"name", "code"} else text.strip()

    def whole(self, text: str, path: str) -> int:
        """Read a whole number of up to 18 digits."""
        plain = "".join(text.split()).replace("−", "-")
        if not re.fullmatch(r"[+-]?\d{1,18}", plain):
            self.wrong[path] = _("Write a whole number, such as 60.")
            return 0
        return int(plain)

    def decimal(self, text: str, path: str, decimals: int) -> int:
        """Read major units as minor ones, without a float; comma and point both divide."""
        match = re.fullmatch(r"(\d{1,15})(?:[.,](\d+))?", "".join(text.split()))
        if not match or len(match[2] or "") > decimals:
            example = f"4.{'5'.ljust(decimals, '0')}" if decimals else "4000"
            self.wrong[path] = _("Write an amount such as %(example)s.") % {"example": example}
            return 0
        return int(match[1] + (match[2] or "").ljust(decimals, "0"))


def _filled(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if not row.get("blank")]


def _rows(read: _Reader, sheet: Sheet, kind: str, extra: str = "") -> list[dict[str, Any]]:
    keys = (*LISTS[kind], extra) if extra else LISTS[kind]
    return [
        read.keys(row, keys, f"{kind}[{number}].")
        for number, row in enumerate(_filled(sheet[kind]))
    ]


def _band(read: _Reader, row: dict[str, Any], path: str) -> dict[str, Any]:
    band = {"days": list(row["days"]), **read.keys(row, LISTS["bands"], f"{path}.")}
    tiers = [
        read.keys(tier, LISTS["tiers"], f"{path}.tiers[{number}].")
        for number, tier in enumerate(_filled(row["tiers"]))
    ]
    return {**band, "tiers": tiers} if tiers else band


def _classes(read: _Reader, rows: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, row in enumerate(rows):
        path, name = f"vehicle_classes[{number}]", row.get("name") or ""
        if not name.strip():
            read.wrong[f"{path}.name"] = _("Name the vehicle class.")
        elif name in found:
            read.wrong[f"{path}.name"] = _("This vehicle class is named twice.")
        else:
            found[name] = read.keys(row, ("percent",), f"{path}.")
    return found


def _holidays(read: _Reader, text: str) -> dict[str, str]:
    """Read a date and a name from every line; the engine checks both."""
    found: dict[str, str] = {}
    for line in filter(str.strip, re.split(r"\r?\n", text)):
        day, _space, name = line.partition(" ")
        if day in found:
            read.wrong["holidays"] = _("%(day)s stands there twice.") % {"day": day}
        found[day] = name
    return found
