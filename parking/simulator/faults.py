"""What goes wrong on a street, when, with which meters, and how often."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

# Each kind with its parameters and their defaults. Of a condition, `probability` is the share of
# meters that have it; of an incident, the share of messages that it befalls.
CONDITIONS: dict[str, dict[str, Any]] = {
    "offline": {},  # answers nobody and calls nobody
    "gateway_cut": {},  # the same for all meters behind a gateway: `probability` is its share
    "stampede": {},  # who comes back from a cut calls at once, with all others
    "clock_off": {"offset_s": 120.0, "drift_s_per_hour": 0.0},
    "stuck_light": {"light": "off", "pattern": "none", "honest": True, "lamp": 0},  # 0: all
    "nobody_comes": {},  # whoever has booked does not park
    "false_sensor": {},  # says the opposite
    "stuck_sensor": {"occupied": False, "lamp": 0},  # 0: all
    "no_sensor": {},
    "dying_battery": {"percent_per_hour": 60.0},
    "ignores_not_after": {},
    "careless": {"about": "signature"},  # firmware that breaks a rule of the protocol
    "maintenance": {},
    "light_fault": {},
}
INCIDENTS: dict[str, dict[str, Any]] = {
    "latency": {"median_ms": 50.0, "sigma": 0.5},
    "drop": {"hold_s": 10.0},  # takes the request and never answers
    "ack_lost": {},  # applies the plan; neither answer nor acknowledgement arrives
    "error": {"status": 503, "length": 1},  # so many messages in a row
    "busy": {"retry_after_s": 2},
    "reset": {},  # breaks off in the middle of the answer
    "reboot": {},  # with each heartbeat; forgets its plan
    "duplicate": {},
    "reorder": {"delay_s": 3.0},
    "replay": {},
    "bad_signature": {},
}
KINDS = {**CONDITIONS, **INCIDENTS}
CUTS = frozenset({"offline", "gateway_cut"})

# What careless firmware does not heed.
CARELESS = {
    "signature": "takes a plan that nobody signed",
    "skew": "takes a signature of any time",
    "nonce": "takes a message twice",
    "second_key": "knows only its newest key",
    "time": "refuses a wrong time without saying its own",
    "problem": "refuses without a problem document",
    "malformed": "says yes to what it cannot read",
    "owner": "takes a plan for another meter",
    "revision": "takes a plan that is older than its own",
    "repeat": "applies and acknowledges the same revision again",
    "ack": "says rejected after applied",
    "silence": "takes a plan and never acknowledges it",
    "undo": "goes back to the plan before with its second report",
    "switching": "shows what it was given and never looks at its clock",
    "exhausted": "shows red when its plan has ended",
    "contact": "forgets its plan when nobody answers",
    "seq": "numbers all its reports alike",
    "report": "reports a light that does not exist",
    "heartbeat": "reports only when something changes",
}


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


class FaultBook:
    """The faults of a run. The same seed and the same calls give the same misfortunes."""

    def __init__(self, seed: int, faults: Sequence[Fault] = (), *, at: float = 0.0) -> None:
        self.seed = seed
        self._rolled: Counter[tuple[str, str]] = Counter()
        self._in_a_row: dict[tuple[str, str], tuple[Fault, int]] = {}
        self.faults: list[tuple[float, Fault]] = []
        self.add(faults, at=at)

    def add(self, faults: Sequence[Fault], *, at: float) -> None:
        """Set more faults; their windows count from `at`, in seconds."""
        self.faults += [(at, fault) for fault in faults]

    def clear(self) -> None:
        """End all faults."""
        self.faults.clear()
        self._in_a_row.clear()

    def edges(self) -> list[float]:
        """Return the moments at which windows open and close, in seconds."""
        return [
            since + edge
            for since, fault in self.faults
            for edge in (fault.from_s, fault.to_s)
            if edge is not None
        ]

    def knows(self, kind: str) -> bool:
        """Say whether the kind may come at all."""
        return any(fault.kind == kind for _since, fault in self.faults)

    def has(
        self, kind: str, serial: str, at: float, *, about: str | None = None, gateway: str = ""
    ) -> Fault | None:
        """Return the condition of that kind that the meter has now.

        What befalls a whole `gateway` befalls its meters together.
        """
        who = f"gateway {gateway}" if kind == "gateway_cut" else serial
        for index, fault in self._active(kind, serial, at):
            if about is not None and fault.parameters["about"] != about:
                continue
            if fault.probability >= 1:
                return fault
            share = random.Random(f"{self.seed}/{who}/{kind}/{index}").random()  # noqa: S311
            if share < fault.probability:
                return fault
        return None

    def is_cut(self, serial: str, gateway: str, at: float) -> bool:
        """Say whether nothing reaches the meter, and nothing leaves it."""
        return any(self.has(kind, serial, at, gateway=gateway) for kind in CUTS)

    def strikes(self, kind: str, serial: str, at: float) -> Fault | None:
        """Roll the dice: the incident of that kind that befalls this message."""
        fault, left = self._in_a_row.get((serial, kind), (None, 0))
        if fault is not None and left:
            self._in_a_row[serial, kind] = (fault, left - 1)
            return fault
        for _index, fault in self._active(kind, serial, at):
            if self.dice(serial, kind).random() < fault.probability:
                if (length := fault.parameters.get("length", 1)) > 1:
                    self._in_a_row[serial, kind] = (fault, length - 1)
                return fault
        return None

    def dice(self, serial: str, kind: str) -> random.Random:
        """Return the next throw of the meter's own dice for a kind of misfortune.

        Ten thousand meters with a generator for each kind would not fit into memory.
        """
        self._rolled[serial, kind] += 1
        return random.Random(f"{self.seed}/{serial}/{kind}#{self._rolled[serial, kind]}")  # noqa: S311

    def since(self, fault: Fault) -> float:
        """Return when the fault's window opened, in seconds."""
        return next(at + fault.from_s for at, other in self.faults if other is fault)

    def _active(self, kind: str, serial: str, at: float) -> list[tuple[int, Fault]]:
        return [
            (index, fault)
            for index, (since, fault) in enumerate(self.faults)
            if fault.kind == kind
            and since + fault.from_s <= at
            and (fault.to_s is None or at < since + fault.to_s)
            and fnmatchcase(serial, fault.meters)
        ]
