"""Read faults from a TOML or JSON document; a mistake is refused with the path of its key."""

from __future__ import annotations

import json
import math
import tomllib
from pathlib import Path
from typing import Any

from parking.meter_protocol import LIGHTS, PATTERNS
from parking.simulator.faults import CARELESS, KINDS, Fault

_COMMON: dict[str, Any] = {"meters": "*", "probability": 1.0, "from_s": 0.0, "to_s": 0.0}
_WORDS = {"light": LIGHTS, "pattern": PATTERNS, "about": frozenset(CARELESS)}
_BOUNDS: dict[str, tuple[float, float]] = {
    "probability": (0, 1),
    "from_s": (0, 1e9),
    "to_s": (0, 1e9),
    "lamp": (0, 8),
    "offset_s": (-1e9, 1e9),
    "drift_s_per_hour": (-3600, 3600),
    "percent_per_hour": (0, 1e6),
    "median_ms": (0, 600_000),
    "sigma": (0, 5),
    "hold_s": (0, 3600),
    "status": (500, 599),
    "length": (1, 100_000),
    "retry_after_s": (0, 86_400),
    "delay_s": (0, 3600),
}
MOST = 200  # faults in a document


class FaultsRefused(ValueError):
    """A list of faults is wrong; the message begins with the path of the key that is."""


def parse_faults(document: object) -> list[Fault]:
    """Read `{"fault": [{"kind": …}, …]}`.

    Raises:
        FaultsRefused: naming the entry and the key.
    """
    if not isinstance(document, dict):
        raise FaultsRefused('the document must be {"fault": [ … ]}')
    if unknown := sorted(set(document) - {"fault"}):
        raise FaultsRefused(f'{unknown[0]}: unknown; the list is called "fault"')
    entries = document.get("fault", [])
    if not isinstance(entries, list):
        raise FaultsRefused("fault: must be a list of tables")
    if len(entries) > MOST:
        raise FaultsRefused(f"fault: at most {MOST}")
    return [_parse(entry, f"fault[{index}]") for index, entry in enumerate(entries)]


def read_faults(path: Path) -> list[Fault]:
    """Read a TOML or JSON file.

    Raises:
        FaultsRefused: naming the file and what is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        return parse_faults(document)
    except (OSError, ValueError, RecursionError) as error:
        raise FaultsRefused(f"{path}: {error}") from error


def _parse(entry: object, here: str) -> Fault:
    if not isinstance(entry, dict):
        raise FaultsRefused(f"{here}: must be a table")
    kind = entry.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise FaultsRefused(f"{here}.kind: {kind!r} is none of {', '.join(sorted(KINDS))}")
    known = {**_COMMON, **KINDS[kind]}
    if unknown := sorted(set(entry) - {"kind", *known}):
        raise FaultsRefused(
            f"{here}.{unknown[0]}: {kind} knows no such key, only {', '.join(sorted(known))}"
        )
    said = {
        name: _like(value, known[name], f"{here}.{name}")
        for name, value in entry.items()
        if name != "kind"
    }
    if "to_s" in said and said["to_s"] <= said.get("from_s", 0.0):
        raise FaultsRefused(f"{here}.to_s: must lie after from_s")
    return Fault(
        kind=kind,
        parameters={name: said.get(name, default) for name, default in KINDS[kind].items()},
        **{name: value for name, value in said.items() if name in _COMMON},
    )


def _like(value: Any, default: Any, here: str) -> Any:
    """Return the value if it is of the default's kind and within its bounds."""
    name = here.rpartition(".")[2]
    wanted: tuple[type, ...] = (int, float) if isinstance(default, float) else (type(default),)
    if isinstance(value, bool) != isinstance(default, bool) or not isinstance(value, wanted):
        raise FaultsRefused(f"{here}: must be like {json.dumps(default)}")
    if name in _WORDS and value not in _WORDS[name]:
        raise FaultsRefused(f"{here}: {value!r} is none of {', '.join(sorted(_WORDS[name]))}")
    if isinstance(default, bool | str):
        return value
    number: Any = value
    least, most = _BOUNDS[name]
    if not math.isfinite(number) or not least <= number <= most:
        raise FaultsRefused(f"{here}: must lie between {least:g} and {most:g}")
    return float(number) if isinstance(default, float) else number
