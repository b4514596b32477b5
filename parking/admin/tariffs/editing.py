"""The editor of a tariff document: its fields, its JSON, and the form field that joins them.

What is posted says which of the two the person wrote. With the fields, the JSON that came along is
the document as it was before, whose wording is kept wherever nothing changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from parking import tariff_versions
from parking.admin.tariffs import boxes
from parking.admin.tariffs.files import NotReadable, read_json
from parking.admin.tariffs.sheet import Sheet, document_of, sheet_of, sheet_posted
from parking.admin.tariffs.week import week_of
from parking.pricing import Tariff, TariffError

_KEYS = (
    "currency",
    "time_zone",
    "bands",
    "ladder",
    "window_flats",
    "progression_reset",
    "free_first_min",
    "free_if_leq_min",
    "increment",
    "min_charge",
    "max_charge",
    "cap_per_local_day",
    "fixed_fee",
    "vehicle_classes",
    "tax",
    "rounding",
    "holiday_behaves_like",
    "holidays",
)


class Edited:
    """A document in the editor: as texts, as JSON, and with what is wrong by path."""

    def __init__(self, *, author: str, sheet: Sheet, text: str) -> None:
        self.author, self.sheet, self.text = author, sheet, text
        self.document: Any = None
        self.readable = True
        self.problems: dict[str, list[str]] = {}

    @classmethod
    def of(cls, document: Mapping[str, Any] | None) -> Edited:
        """Open a stored document; one that the engine refuses can be mended as JSON."""
        if not document:
            return cls(author="fields", sheet=sheet_posted({}, "-"), text="")
        try:
            Tariff.parse(document)
        except TariffError:
            found = cls(author="json", sheet=sheet_posted({}, "-"), text=written(document))
        else:
            found = cls(author="fields", sheet=sheet_of(document), text=written(document))
        found.document = document
        return found

    @classmethod
    def posted(cls, data: Any, name: str) -> Edited:
        """Read what came with a form, and check it."""
        author = "fields" if data.get(f"{name}:author") == "fields" else "json"
        found = cls(author=author, sheet=sheet_posted(data, f"{name}:"), text=data.get(name, ""))
        if author == "fields":
            found._read_fields()
        else:
            found._read_text()
        if found.readable:
            unread = set(found.problems)
            for problem in tariff_versions.problems(found.document):
                path, colon, message = problem.partition(": ")
                if path not in unread:  # what could not be read is not checked as well
                    found._note(path if colon else "", message or problem)
        if not found.problems:
            blanks = found.sheet if author == "fields" else None
            found.sheet = blanks or sheet_of(found.document)
            found.text = written(found.document)
        return found

    @property
    def origins(self) -> list[str]:
        """Return the number on the page of each band's row."""
        return [str(band.get("origin", number)) for number, band in enumerate(self.sheet["bands"])]

    def on_page(self, path: str) -> str:
        """Return the path with the numbers that the rows have on the page."""

        def number(match: re.Match[str]) -> str:
            rows = self.sheet.get(match[1], [])
            return f"{match[1]}[{_origin(rows, int(match[2]))}]"

        outer = re.sub(r"^(\w+)\[(\d+)\]", number, path)
        inner = re.match(r"bands\[(\d+)\]\.tiers\[(\d+)\]", path)
        if inner and int(inner[1]) < len(self.sheet["bands"]):
            tiers = self.sheet["bands"][int(inner[1])]["tiers"]
            place = f".tiers[{_origin(tiers, int(inner[2]))}]"
            outer = re.sub(r"\.tiers\[\d+\]", place, outer, count=1)
        return outer

    def messages(self) -> list[str]:
        """Return what is wrong, each with its path."""
        return [
            f"{path}: {message}" if path else message
            for path, messages in self.problems.items()
            for message in messages
        ]

    def _note(self, path: str, message: str) -> None:
        if path.startswith("vehicle_classes."):
            name = path.removeprefix("vehicle_classes.")
            rows = self.sheet["vehicle_classes"]
            at = next((n for n, row in enumerate(rows) if _leads(name, row)), None)
            path = f"vehicle_classes[{at}]" if at is not None else "vehicle_classes"
            message = f"{name}: {message}" if at is None else message
        elif path.startswith("holidays."):
            path, message = "holidays", f"{path.removeprefix('holidays.')}: {message}"
        self.problems.setdefault(path, []).append(message)

    def _read_text(self) -> None:
        try:
            self.document = read_json(self.text)
        except NotReadable as error:
            self.readable = False
            self._note("", str(error))

    def _read_fields(self) -> None:
        try:
            base = read_json(self.text) if self.text.strip() else {}
        except NotReadable:
            base = {}
        self.document, wrong = document_of(
            self.sheet,
            base=base if isinstance(base, dict) else {},
            currency=settings.CITY_CURRENCY,
            time_zone=settings.CITY_TIME_ZONE,
        )
        for path, message in wrong.items():
            self._note(path, message)


class TariffEditor(forms.Widget):
    """The week, the tables and fields, and the JSON of one document."""

    template_name = "admin/parking/tariffversion/editor.html"

    class Media:
        css = {"all": ["css/tariff-week.css", "css/tariff-editor.css"]}
        js = [
            forms.Script("js/tariff-editor.js", defer=True),
            forms.Script("js/tariff-week.js", defer=True),
        ]

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Edited:
        """Return what was posted, read and checked."""
        return Edited.posted(data, name)

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Say whether the form came without the editor."""
        return name not in data

    def id_for_label(self, id_: str) -> str:
        """Name no single box: the editor labels its own."""
        return ""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Lay the fields out, each with what is wrong at its key."""
        edited = value if isinstance(value, Edited) else Edited.of(value)
        context = super().get_context(name, None, attrs)
        document = edited.document if isinstance(edited.document, dict) else {}
        return {
            **context,
            "edited": edited,
            "week": week_of(document or {"currency": settings.CITY_CURRENCY}),
            "page": boxes.lay_out(edited.sheet, name=name, problems=edited.problems),
            "currency": document.get("currency") or settings.CITY_CURRENCY,
        }


class DocumentField(forms.Field):
    """A tariff document, from its fields or from its JSON."""

    widget = TariffEditor

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Document"))
        super().__init__(**kwargs)

    def clean(self, value: Any) -> Any:
        """Refuse a document that the price engine refuses, naming each key."""
        edited = value if isinstance(value, Edited) else Edited.of(value)
        if wrong := edited.messages():
            raise ValidationError(wrong)
        return edited.document

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare documents, whichever way they were written."""
        return bool(initial != (data.document if isinstance(data, Edited) else data))


def written(document: Any) -> str:
    """Write a document with its keys in the order in which people explain a tariff.

    The database keeps no order.
    """
    if isinstance(document, dict):
        known = {name: document[name] for name in _KEYS if name in document}
        document = {**known, **document}
    return json.dumps(document, indent=2, ensure_ascii=False)


def _origin(rows: Any, number: int) -> str:
    known = isinstance(rows, list) and number < len(rows)
    return str(rows[number].get("origin", number)) if known else str(number)


def _leads(path: str, row: Mapping[str, Any]) -> bool:
    name = row.get("name") or ""
    return bool(name) and (path == name or path == f"{name}.percent")
