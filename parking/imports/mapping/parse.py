"""From TOML to a typed mapping, or all its problems at once."""

from __future__ import annotations

import codecs
import re
import tomllib
from datetime import time
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from parking.imports.errors import ImportFailed, MappingError
from parking.imports.mapping.model import (
    FeatureRule,
    FileRules,
    Filter,
    GroupRules,
    ImportMapping,
    MeterRules,
    OutlineRules,
    PlaceRules,
    SpotRules,
    StayRulesRules,
    ZoneRules,
)
from parking.imports.mapping.prices import tariff_rules
from parking.imports.mapping.reading import Table
from parking.imports.mapping.values import Part, Value
from parking.models import LEAST_GRACE_MIN, MOST_CORRECTIONS, Feature

# GDAL before 3.9 cannot be kept from opening files and addresses that a spatial reference names.
_CRS = re.compile(r"(EPSG|ESRI):\d{3,7}")
_SOURCE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_STAY_CONSTANTS = {
    "shortest_stay_min": (1, 1440),
    "slot_step_min": (1, 60),
    "book_ahead_days": (0, 366),
    "grace_min": (LEAST_GRACE_MIN, 1440),
    "corrections": (0, MOST_CORRECTIONS),
    "release_after_min": (5, 120),
}


def read_mapping(path: Path) -> ImportMapping:
    """Read a mapping file; the format is described in docs/import.md.

    Raises:
        MappingError: with every problem, each with its key.
        ImportFailed: there is no such file, or it is no TOML.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ImportFailed(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ImportFailed(_("%(path)s: is not UTF-8") % {"path": path}) from error
    except tomllib.TOMLDecodeError as error:
        raise ImportFailed(f"{path}: {error}") from error
    problems: list[str] = []
    mapping = _mapping(path, Table(data, "", problems))
    if problems:
        raise MappingError(path, problems)
    return mapping


def _mapping(path: Path, top: Table) -> ImportMapping:
    source = top.text("source", required=True)
    if source and not _SOURCE.fullmatch(source):
        top.problem("source", _("must be 1 to 32 of a–z, 0–9 and -"))
    file = _file(top.table("file"))
    mapping = ImportMapping(
        path=path,
        source=source,
        file=file,
        place=_place(top.table("place"), file),
        filters=(
            *(_filter(table, keep=True) for table in top.tables("only")),
            *(_filter(table, keep=False) for table in top.tables("skip")),
        ),
        zone=_zone(top.table("zone"), path.parent),
        spot=_spot(top.table("spot")),
        meter=_meter(top.table("meter")) if "meter" in top else None,
        tariff=tariff_rules(top.table("tariff")) if "tariff" in top else None,
        stay_rules=_stay_rules(top.table("stay_rules")),
    )
    top.finish()
    return mapping


def _file(table: Table) -> FileRules:
    encoding = table.text("encoding")
    if encoding:
        try:
            codecs.lookup(encoding)
        except LookupError:
            table.problem("encoding", _("no such encoding: %(name)s") % {"name": encoding})
    delimiter = table.raw("delimiter") or ""
    if not isinstance(delimiter, str) or len(delimiter) > 1:
        table.problem("delimiter", _("must be one sign"))
    rules = FileRules(
        encoding=encoding,
        delimiter=delimiter,
        layer=table.text("layer"),
        crs=_crs(table),
    )
    table.finish()
    return rules


def _crs(table: Table) -> str:
    crs = table.text("crs").upper()
    if crs and not _CRS.fullmatch(crs):
        table.problem("crs", _("must be a code such as EPSG:25832"))
        return ""
    return crs


def _place(table: Table, file: FileRules) -> PlaceRules:
    longitude, latitude = table.value("longitude"), table.value("latitude")
    x, y, wkt = table.value("x"), table.value("y"), table.value("wkt")
    ways = [bool(longitude or latitude), bool(x or y), bool(wkt)]
    if sum(ways) > 1:
        table.problem("longitude", _("give one of longitude + latitude, x + y, wkt"))
    if (longitude is None) != (latitude is None):
        table.problem("latitude", _("longitude and latitude go together"))
    if (x is None) != (y is None):
        table.problem("y", _("x and y go together"))
    if x is not None and not file.crs:
        table.problem("x", _("x and y need file.crs, such as EPSG:25832"))
    if longitude is not None and file.crs:
        table.problem("longitude", _("are degrees; with file.crs name them x and y"))
    rules = PlaceRules(
        x=longitude or x,
        y=latitude or y,
        wkt=wkt,
        degrees=longitude is not None,
        within_km=table.number("within_km", 100, low=0.1, high=2_000),
    )
    table.finish()
    return rules


def _filter(table: Table, *, keep: bool) -> Filter:
    present = table.raw("present")
    if present is not None and not isinstance(present, bool):
        table.problem("present", _("must be true or false"))
    values = frozenset(table.texts("is")) if "is" in table else None
    pattern = table.regex("matches")
    if [values is None, pattern is None, present is None].count(False) != 1:
        table.problem("column", _("give exactly one of is, matches, present"))
    condition = Filter(
        path=table.path("column"),
        column=table.text("column", required=True),
        keep=keep,
        values=values,
        pattern=pattern,
        present=present,
        reason=table.text("reason"),
    )
    table.finish()
    return condition


def _zone(table: Table, folder: Path) -> ZoneRules:
    outlines = table.table("polygons")
    rules = ZoneRules(
        code=table.value("code", required="polygons" not in table),
        name=table.value("name", words=("zone",)),
        names=table.names("names"),
        margin_m=table.number("margin_m", 15, low=1, high=500),
        bridge_m=table.number("bridge_m", 80, low=0, high=1_000),
        outlines=_outlines(outlines, folder) if "polygons" in table else None,
    )
    if rules.code is not None and rules.outlines is not None:
        table.problem("code", _("give code, or polygons, not both"))
    table.finish()
    return rules


def _outlines(table: Table, folder: Path) -> OutlineRules:
    name = table.text("file", required=True)
    if Path(name).is_absolute() or ".." in Path(name).parts:
        table.problem("file", _("must stand beside the mapping or in a folder there"))
    rules = OutlineRules(
        path=folder / name,
        file=FileRules(encoding=table.text("encoding"), layer=table.text("layer"), crs=_crs(table)),
        code=_required(table, "code"),
        name=table.value("name", words=("zone",)),
        reach_m=table.number("reach_m", 10, low=0, high=1_000),
    )
    table.finish()
    return rules


def _spot(table: Table) -> SpotRules:
    key = _required(table, "key")
    number = table.value("number", words=("key", "n", "label"))
    rules = SpotRules(
        key=key,
        number=number or Value(path=table.path("number"), parts=(Part("word", "label"),)),
        street=table.value("street"),
        street_names=table.names("street_names"),
        bearing=table.value("bearing"),
        active=table.value("active"),
        count=table.value("count"),
        features=tuple(_feature(item) for item in table.tables("features")),
    )
    table.finish()
    return rules


def _required(table: Table, key: str) -> Value:
    # The stand-in is never used: what is missing is noted, and a mapping with notes is refused.
    return table.value(key, required=True) or Value(path=table.path(key), parts=())


def _feature(table: Table) -> FeatureRule:
    feature = table.text("feature", required=True)
    if feature and feature not in Feature.values:
        known = ", ".join(Feature.values)
        table.problem("feature", _("unknown; known: %(known)s") % {"known": known})
    rule = FeatureRule(
        feature=feature,
        column=table.text("column", required=True),
        pattern=table.regex("matches", required=True) or re.compile(""),
    )
    table.finish()
    return rule


def _meter(table: Table) -> MeterRules:
    group = table.table("group")
    rules = MeterRules(
        serial=table.value("serial", required="group" not in table),
        edge_url=table.text("edge_url"),
        group=_group(group) if "group" in table else None,
    )
    table.finish()
    return rules


def _group(table: Table) -> GroupRules:
    size = table.raw("size")
    if isinstance(size, int) and not isinstance(size, bool):
        value: Value | None = Value(path=table.path("size"), parts=(Part("text", str(size)),))
        if not 1 <= size <= 8:
            table.problem("size", _("a meter has 1 to 8 lamps"))
    else:
        value = table.value("size", required=True)
    rules = GroupRules(
        by=table.texts("by"),
        size=value or Value(path=table.path("size"), parts=()),
        max_gap_m=table.number("max_gap_m", 40, low=1, high=1_000),
        serial=table.value("serial", words=("key", "source", "zone"))
        or Value(
            path=table.path("serial"),
            parts=(Part("word", "source"), Part("text", "-"), Part("word", "key")),
        ),
    )
    table.finish()
    return rules


def _stay_rules(table: Table) -> StayRulesRules:
    constants: dict[str, Any] = {}
    for key, (low, high) in _STAY_CONSTANTS.items():
        if key in table:
            constants[key] = table.whole(key, low, low=low, high=high)
    for key in ("bookable_from", "bookable_to"):
        value = table.raw(key)
        if value is not None:
            constants[key] = value
            if not isinstance(value, time):
                table.problem(key, _("must be a time without quotes, such as 08:00:00"))
    if ("bookable_from" in table) != ("bookable_to" in table):
        table.problem("bookable_to", _("bookable_from and bookable_to go together"))
    if 60 % constants.get("slot_step_min", 5):
        table.problem("slot_step_min", _("must divide an hour"))
    refund = table.raw("refund_unused")
    if refund is not None:
        constants["refund_unused"] = refund
        if not isinstance(refund, bool):
            table.problem("refund_unused", _("must be true or false"))
    longest = table.raw("longest_stay_min")
    if isinstance(longest, int | float):
        constants["longest_stay_min"] = table.whole("longest_stay_min", 1, low=1, high=527_040)
        longest = None
    table.finish()
    return StayRulesRules(
        longest=None if longest is None else table.value("longest_stay_min"), constants=constants
    )
