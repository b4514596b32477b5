"""How the editor lays a tariff's texts out: a box for each key, in groups that people know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.translation import gettext_lazy as _

from parking.admin.tariffs.sheet import Sheet
from parking.pricing.parts import DAYS

Problems = Mapping[str, list[str]]
Spec = tuple[Any, ...]  # key, label, kind, help

_MODES = [("", "—"), ("started", _("up")), ("completed", _("down")), ("nearest", _("nearest"))]
_CHOICES: dict[str, list[tuple[str, Any]]] = {
    "progression_reset": [
        ("", _("Never within a stay")),
        ("session", _("Never within a stay")),
        ("local_day", _("At midnight")),
        ("band", _("When the band changes")),
    ],
    "holiday_behaves_like": [
        ("", _("Like any other day")),
        *((name, WEEKDAYS[number]) for number, name in enumerate(DAYS)),
    ],
    "increment.mode": _MODES,
    "rounding.mode": [("", "—"), ("up", _("up")), ("down", _("down")), ("nearest", _("nearest"))],
    "tax.included": [
        ("", "—"),
        ("yes", _("inside the prices")),
        ("no", _("on top of the prices")),
    ],
    "applies_if": [
        ("covers_whole", _("the stay covers all of it")),
        ("touches", _("the stay touches it")),
    ],
}
_GROUPS: list[tuple[Any, list[Spec]]] = [
    (
        _("Free minutes and steps of time"),
        [
            ("free_first_min", _("First minutes free"), "whole", _("Of every stay, in minutes.")),
            (
                "free_if_leq_min",
                _("Short stays free, up to"),
                "whole",
                _("In minutes. A longer stay pays for everything."),
            ),
            ("increment.minutes", _("Sold in steps of"), "whole", _("In minutes; 1 if empty.")),
            ("increment.mode", _("Counted"), "choice", _("What a step that is not full becomes.")),
            (
                "progression_reset",
                _("Rates begin again"),
                "choice",
                _("For bands whose rate changes with the length of the stay."),
            ),
        ],
    ),
    (
        _("Limits, fee and rounding"),
        [
            (
                "min_charge",
                _("Lowest charge of a stay"),
                "money",
                _("Stays that are free stay so."),
            ),
            ("max_charge", _("Highest charge of a stay"), "money", _("Empty: no limit.")),
            ("cap_per_local_day", _("Highest charge per day"), "money", _("Empty: no limit.")),
            ("fixed_fee", _("Fee for each stay"), "money", _("Added to whatever is charged.")),
            ("rounding.unit", _("Rounded to"), "money", _("Such as 0.05. Empty: not rounded.")),
            ("rounding.mode", _("Rounded"), "choice", _("Once, at the end.")),
        ],
    ),
    (
        _("Tax"),
        [
            ("tax.code", _("Code"), "text", _("As the city's books name it.")),
            ("tax.rate_bp", _("Rate, %"), "decimal", _("Such as 25.5.")),
            ("tax.included", _("The tax is"), "choice", ""),
        ],
    ),
    (
        _("Public holidays"),
        [
            ("holiday_behaves_like", _("Priced"), "choice", ""),
            (
                "holidays",
                _("Dates"),
                "lines",
                _("One a line: the date, a space, the name. 2026-12-25 Christmas Day"),
            ),
        ],
    ),
]
_ROWS: list[tuple[str, Any, Any, list[Spec]]] = [
    (
        "ladder",
        _("Prices by length of stay"),
        _(
            "The total for a stay up to so many minutes. With such steps the rates above are not "
            "used: bands only say when there is a charge."
        ),
        [
            ("upto_min", _("Up to, minutes"), "whole", ""),
            ("total", _("In all"), "money", ""),
        ],
    ),
    (
        "window_flats",
        _("One price for certain hours"),
        _("Such as a night at one price, whatever its length. It holds on every day."),
        [
            ("from", _("From"), "time", ""),
            ("to", _("To"), "time", ""),
            ("amount", _("Price"), "money", ""),
            ("applies_if", _("When"), "choice", ""),
        ],
    ),
    (
        "vehicle_classes",
        _("Vehicle classes"),
        _("What share of the price a class pays: 0 is free, 50 is half."),
        [
            ("name", _("Class"), "text", ""),
            ("percent", _("Pays, %"), "whole", ""),
        ],
    ),
]


@dataclass
class Box:
    """One input, its label, and what is wrong with it."""

    path: str
    name: str
    label: Any
    kind: str
    value: str = ""
    help: Any = ""
    choices: list[tuple[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Return an id that is safe in HTML and CSS."""
        return "".join(sign if sign.isalnum() or sign == "_" else "-" for sign in f"id_{self.name}")


class _Layout:
    def __init__(self, name: str, problems: Problems) -> None:
        self.prefix, self.problems = f"{name}:", problems

    def box(self, spec: Spec, value: Any, row: str = "") -> Box:
        key, label, kind, text = spec
        path = f"{row}.{key}" if row else key
        choices = _CHOICES.get(key, [])
        if key == "progression_reset" and not value:
            choices = [one for one in choices if one[0] != "session"]
        elif key == "progression_reset":
            choices = choices[1:]
        return Box(
            path=path,
            name=self.prefix + path,
            label=label,
            kind=kind,
            value=value or "",
            help=text,
            choices=choices,
            problems=list(self.problems.get(path, ())),
        )

    def row(self, kind: str, number: str, specs: list[Spec], texts: Mapping[str, Any]) -> Any:
        path = f"{kind}[{number}]"
        return {
            "path": path,
            "problems": self.problems.get(path, []),
            "boxes": [self.box(spec, texts.get(spec[0]), path) for spec in specs],
            "remove": f"{self.prefix}{path}.remove",
        }

    def tier(self, band: str, number: str, texts: Mapping[str, Any]) -> Any:
        first = number == "0"
        specs: list[Spec] = [
            ("per_hour", _("Price an hour"), "money", ""),
            ("upto_min", _("until minute"), "whole", _("Empty: to the end.") if first else ""),
        ]
        return self.row(f"{band}.tiers", number, specs, texts)

    def band(self, number: str, texts: Mapping[str, Any]) -> Any:
        specs: list[Spec] = [
            ("from", _("From"), "time", ""),
            ("to", _("To"), "time", ""),
            ("priority", _("Priority"), "whole", _("Where bands overlap, the lower holds.")),
        ]
        row = self.row("bands", number, specs, texts)
        days = texts.get("days") or []
        tiers = texts.get("tiers") or [{}]
        return {
            **row,
            "number": number,
            "days_name": f"{self.prefix}{row['path']}.days",
            "days": [
                (name, WEEKDAYS_ABBR[n], WEEKDAYS[n], name in days) for n, name in enumerate(DAYS)
            ],
            "days_problems": self.problems.get(f"{row['path']}.days", []),
            "tiers": [self.tier(row["path"], str(n), tier) for n, tier in enumerate(tiers)],
            "tiers_problems": self.problems.get(f"{row['path']}.tiers", []),
            "tier_template": self.tier(row["path"], "__tier__", {}),
        }


def lay_out(sheet: Sheet, *, name: str, problems: Problems) -> dict[str, Any]:
    """Return the editor's bands, tables and groups for the template."""
    layout = _Layout(name, problems)

    def value(key: str) -> Any:
        part, dot, inner = key.partition(".")
        return sheet.get(part, {}).get(inner) if dot else sheet.get(key)

    return {
        "bands": [layout.band(str(n), band) for n, band in enumerate(sheet["bands"])],
        "band_template": layout.band("__row__", {}),
        "bands_problems": problems.get("bands", []),
        "tables": [
            {
                "kind": kind,
                "title": title,
                "help": text,
                "specs": specs,
                "problems": problems.get(kind, []),
                "rows": [layout.row(kind, str(n), specs, row) for n, row in enumerate(sheet[kind])],
                "template": layout.row(kind, "__row__", specs, {}),
            }
            for kind, title, text, specs in _ROWS
        ],
        "groups": [
            (title, [layout.box(spec, value(spec[0])) for spec in specs])
            for title, specs in _GROUPS
        ],
        "general": problems.get("", []),
    }
