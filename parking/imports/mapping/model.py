"""What a mapping says, typed. Lengths in metres, times in minutes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from parking.imports.mapping.values import Names, Value


@dataclass(frozen=True, kw_only=True)
class FileRules:
    """How the file is read; empty: found out from the file."""

    encoding: str = ""
    delimiter: str = ""
    layer: str = ""
    crs: str = ""


@dataclass(frozen=True, kw_only=True)
class PlaceRules:
    """Where a row stands: two columns, a WKT column, or the file's own geometry."""

    x: Value | None
    y: Value | None
    wkt: Value | None
    degrees: bool  # x and y are longitude and latitude
    within_km: float


@dataclass(frozen=True, kw_only=True)
class Filter:
    """One condition on a column; `keep` says whether rows that meet it stay or go."""

    path: str
    column: str
    keep: bool
    values: frozenset[str] | None
    pattern: re.Pattern[str] | None
    present: bool | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class OutlineRules:
    """Polygons of a file that bound the zones; a spot outside all of them joins one in reach."""

    path: Path
    file: FileRules
    code: Value
    name: Value | None
    reach_m: float


@dataclass(frozen=True, kw_only=True)
class ZoneRules:
    """Which zone a row belongs to, and how a boundary is drawn around its spots."""

    code: Value | None
    name: Value | None
    names: Names
    margin_m: float
    bridge_m: float
    outlines: OutlineRules | None


@dataclass(frozen=True, kw_only=True)
class FeatureRule:
    """Spots whose column matches have the feature."""

    feature: str
    column: str
    pattern: re.Pattern[str]


@dataclass(frozen=True, kw_only=True)
class SpotRules:
    """What a spot is."""

    key: Value
    number: Value
    street: Value | None
    street_names: Names
    bearing: Value | None
    active: Value | None
    count: Value | None
    features: tuple[FeatureRule, ...]


@dataclass(frozen=True, kw_only=True)
class GroupRules:
    """Neighbours along a street that share a new meter."""

    by: tuple[str, ...]
    size: Value
    max_gap_m: float
    serial: Value


@dataclass(frozen=True, kw_only=True)
class MeterRules:
    """Which meter lights a spot."""

    serial: Value | None
    edge_url: str
    group: GroupRules | None


@dataclass(frozen=True, kw_only=True)
class TariffRules:
    """What a zone costs: bands from the rows' hours, the rest from `document`."""

    currency: str
    in_force: datetime | None
    rate: Value | None
    rate_unit_min: int
    hours: Value | None
    pattern: re.Pattern[str] | None
    ignore: re.Pattern[str] | None
    days: Mapping[str, tuple[str, ...]]
    document: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class StayRulesRules:
    """How long a spot may be had: a value for the longest stay, constants for the rest."""

    longest: Value | None
    constants: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ImportMapping:
    """A whole mapping."""

    path: Path
    source: str
    file: FileRules
    place: PlaceRules
    filters: tuple[Filter, ...]
    zone: ZoneRules
    spot: SpotRules
    meter: MeterRules | None
    tariff: TariffRules | None
    stay_rules: StayRulesRules

    def columns(self) -> dict[str, str]:
        """Return each column that the file must have → the first key that names it."""
        named: dict[str, str] = {}
        for path, column in _columns(self, ""):
            named.setdefault(column, path)
        return named


def _columns(node: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, OutlineRules):
        return  # the columns of another file
    if isinstance(node, Value):
        yield from ((node.path, name) for name in node.columns)
    elif isinstance(node, Filter):
        yield node.path, node.column
    elif isinstance(node, FeatureRule):
        yield path, node.column
    elif isinstance(node, tuple):
        for item in node:
            yield from _columns(item, path)
    elif is_dataclass(node):
        if isinstance(node, GroupRules):
            yield from ((f"{path}.by", name) for name in node.by)
        for field in fields(node):
            inner = f"{path}.{field.name}" if path else field.name
            yield from _columns(getattr(node, field.name), inner)
