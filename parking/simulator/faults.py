"""What goes wrong on a street, when, with which meters, and how often."""

from __future__ import annotations

import json
import random
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

# Each kind with its parameters and their defaults. Of a condition, `probability` is the share of
# meters that have it; of an incident, the share of messages that it befalls.
CONDITIONS: dict[str, dict[str, Any]] = {
    "offline": {},  # answers nobody and calls nobody
    "clock_off": {"offset_s": 120.0, "drift_s_per_hour": 0.0},
    "stuck_light": {"light": "off", "pattern": "none", "honest": True, "lamp": 0},  # 0: all
    "nobody_comes": {},  # whoever has booked does not park
    "false_sensor": {},  # says the opposite
    "stuck_sensor": {"occupied": False, "lamp": 0},  # 0: all
    "no_sensor": {},
    "dying_battery": {"percent_per_hour": 60.0},
    "ignores_not_after": {},
    "maintenance": {},
    "light_fault": {},
}
INCIDENTS: dict[str, dict[str, Any]] = {
    "latency": {"median_ms": 50.0, "sigma": 0.5},
    "drop": {"hold_s": 10.0},  # takes the request and never answers
    "ack_lost": {},  # applies the plan; neither answer nor acknowledgement arrives
    "error": {"status": 503},
    "busy": {"retry_after_s": 2},
    "reset": {},  # breaks off in the middle of the answer
    "reboot": {},  # with each heartbeat; forgets its plan
    "duplicate": {},
    "reorder": {"delay_s": 3.0},
    "replay": {},
    "bad_signature": {},
}
KINDS = {**CONDITIONS, **INCIDENTS}
_COMMON = {"kind", "meters", "probability", "from_s", "to_s"}


class FaultsRefused(ValueError):
    """A list of faults is wrong; the message says where and what."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that goes wrong in `[from_s, to_s)`, seconds after it was set."""

    kind: str
    meters: str = "*"
    probability: float = 1.0
    from_s: float = 0.0
    to_s: float | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the fault as it is written in a file."""
        return {
            "kind": self.kind,
            "meters": self.meters,
            "probability": self.probability,
            "from_s": self.from_s,
            **({} if self.to_s is None else {"to_s": self.to_s}),
            **self.parameters,
        }


def parse_faults(document: object) -> list[Fault]:
    """Read `{"fault": [{"kind": …}, …]}`.

    Raises:
        FaultsRefused: naming the entry and the key.
    """
    if not isinstance(document, dict) or set(document) - {"fault"}:
        raise FaultsRefused('must be {"fault": [ … ]} and nothing else')
    entries = document.get("fault", [])
    if not isinstance(entries, list):
        raise FaultsRefused("fault must be a list of tables")
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
    except (OSError, ValueError) as error:
        raise FaultsRefused(f"{path}: {error}") from error


def _parse(entry: object, here: str) -> Fault:
    if not isinstance(entry, dict):
        raise FaultsRefused(f"{here} must be a table")
    kind = entry.get("kind")
    if kind not in KINDS:
        raise FaultsRefused(f"{here}.kind: {kind!r} is none of {', '.join(sorted(KINDS))}")
    if unknown := set(entry) - _COMMON - set(KINDS[kind]):
        raise FaultsRefused(f"{here}: {kind} knows no {', '.join(sorted(unknown))}")
    meters = entry.get("meters", "*")
    if not isinstance(meters, str):
        raise FaultsRefused(f"{here}.meters must be a pattern such as MTR-00*")
    to_s = entry.get("to_s")
    fault = Fault(
        kind=kind,
        meters=meters,
        probability=_number(entry, "probability", 1.0, here),
        from_s=_number(entry, "from_s", 0.0, here),
        to_s=None if to_s is None else _number(entry, "to_s", 0.0, here),
        parameters={
            name: _like(entry.get(name, default), default, f"{here}.{name}")
            for name, default in KINDS[kind].items()
        },
    )
    if not 0 <= fault.probability <= 1:
        raise FaultsRefused(f"{here}.probability must lie between 0 and 1")
    if fault.from_s < 0 or (fault.to_s is not None and fault.to_s <= fault.from_s):
        raise FaultsRefused(f"{here}: to_s must lie after from_s, and both after 0")
    return fault


def _number(entry: dict[str, Any], name: str, default: float, here: str) -> float:
    return float(_like(entry.get(name, default), default, f"{here}.{name}"))


def _like(value: Any, default: Any, here: str) -> Any:
    wanted: tuple[type, ...] = (int, float) if isinstance(default, float) else (type(default),)
    if isinstance(value, bool) != isinstance(default, bool) or not isinstance(value, wanted):
        raise FaultsRefused(f"{here} must be like {json.dumps(default)}")
    return value


class FaultBook:
    """The faults of a run. The same seed and the same calls give the same misfortunes."""

    def __init__(self, seed: int, faults: Sequence[Fault] = (), *, at: float = 0.0) -> None:
        self.seed = seed
        self._dice: dict[tuple[str, str], random.Random] = {}
        self.faults: list[tuple[float, Fault]] = []
        self.add(faults, at=at)

    def add(self, faults: Sequence[Fault], *, at: float) -> None:
        """Set more faults; their windows count from `at`, in seconds."""
        self.faults += [(at, fault) for fault in faults]

    def clear(self) -> None:
        """End all faults."""
        self.faults.clear()

    def edges(self) -> list[float]:
        """Return the moments at which windows open and close, in seconds."""
        return [
            since + edge
            for since, fault in self.faults
            for edge in (fault.from_s, fault.to_s)
            if edge is not None
        ]

    def has(self, kind: str, serial: str, at: float) -> Fault | None:
        """Return the condition of that kind that the meter has now."""
        for index, fault in self._active(kind, serial, at):
            share = random.Random(f"{self.seed}/{serial}/{kind}/{index}").random()  # noqa: S311
            if share < fault.probability:
                return fault
        return None

    def strikes(self, kind: str, serial: str, at: float) -> Fault | None:
        """Roll the dice: the incident of that kind that befalls this message."""
        for _index, fault in self._active(kind, serial, at):
            dice = self.dice(serial, kind)
            if dice.random() < fault.probability:
                return fault
        return None

    def dice(self, serial: str, kind: str) -> random.Random:
        """Return the meter's own dice for a kind of misfortune."""
        if (serial, kind) not in self._dice:
            self._dice[serial, kind] = random.Random(f"{self.seed}/{serial}/{kind}")  # noqa: S311
        return self._dice[serial, kind]

    def _active(self, kind: str, serial: str, at: float) -> list[tuple[int, Fault]]:
        return [
            (index, fault)
            for index, (since, fault) in enumerate(self.faults)
            if fault.kind == kind
            and since + fault.from_s <= at
            and (fault.to_s is None or at < since + fault.to_s)
            and fnmatchcase(serial, fault.meters)
        ]

    def since(self, fault: Fault) -> float:
        """Return when the fault's window opened, in seconds."""
        return next(at + fault.from_s for at, other in self.faults if other is fault)
