"""Faults that can be set for requests: slowness, refusals, lost requests, lost answers."""

import fnmatch
import random
import secrets
from dataclasses import asdict, dataclass

from payments.sandbox.errors import Json
from payments.sandbox.params import Params
from payments.sandbox.store import Store

KINDS = ("latency", "error", "lost_request", "lost_answer")
METHODS = ("*", "GET", "POST", "DELETE")


@dataclass(frozen=True)
class Rule:
    """One fault: which requests it meets, and how often.

    `latency` waits `seconds` first; `error` answers `status` without executing; `lost_request`
    closes the connection without executing; `lost_answer` executes, then closes the connection.
    `times` counts down to nothing; None means until it is removed.
    """

    id: str
    kind: str
    method: str
    path: str
    probability: float
    times: int | None
    seconds: float
    status: int

    def meets(self, method: str, path: str) -> bool:
        """Tell whether the rule is about this request."""
        return self.method in ("*", method) and fnmatch.fnmatchcase(path, self.path)


@dataclass(frozen=True)
class Plan:
    """What goes wrong with one request."""

    delay: float = 0.0
    status: int | None = None
    lose_request: bool = False
    lose_answer: bool = False


class Faults:
    """The rules, kept over a restart."""

    def __init__(self, store: Store, rng: random.Random) -> None:
        self._store = store
        self._rng = rng
        self._rules: list[Rule] = []
        self.recall()

    def recall(self) -> None:
        """Read the rules that the state file holds."""
        self._rules = [Rule(**row) for row in self._store.setting("faults") or []]

    def rules(self) -> list[Json]:
        """Return the rules as JSON."""
        return [asdict(rule) for rule in self._rules]

    def add(self, params: Params) -> Json:
        """Add a rule; refuse one that makes no sense."""
        params.required_text("kind")
        rule = Rule(
            id="fault_" + secrets.token_hex(4),
            kind=params.choice("kind", KINDS) or "",
            method=params.choice("method", METHODS, "*") or "*",
            path=params.text("path", max_length=200) or "/v1/*",
            probability=_or(params.number("probability", minimum=0, maximum=1), 1.0),
            times=params.integer("times", minimum=1),
            seconds=_or(params.number("seconds", minimum=0, maximum=120), 1.0),
            status=int(_or(params.number("status", minimum=400, maximum=599), 500)),
        )
        params.refuse_unread()
        with self._store.exclusively():
            self._replace([*self._rules, rule])
        return asdict(rule)

    def remove(self, rule_id: str) -> bool:
        """Remove a rule; tell whether it was there."""
        with self._store.exclusively():
            kept = [rule for rule in self._rules if rule.id != rule_id]
            found = len(kept) < len(self._rules)
            self._replace(kept)
        return found

    def clear(self) -> None:
        """Remove every rule."""
        self._replace([])

    def _replace(self, rules: list[Rule]) -> None:
        with self._store.exclusively():
            self._rules = rules
            self._store.remember("faults", [asdict(rule) for rule in rules])

    def plan(self, method: str, path: str) -> Plan:
        """Decide what goes wrong with a request, and count the rules down."""
        if not self._rules:
            return Plan()
        with self._store.exclusively():
            met = [
                rule
                for rule in self._rules
                if rule.meets(method, path) and self._rng.random() < rule.probability
            ]
            if any(rule.times is not None for rule in met):
                self._count_down({rule.id for rule in met})
        return Plan(
            delay=sum(rule.seconds for rule in met if rule.kind == "latency"),
            status=next((rule.status for rule in met if rule.kind == "error"), None),
            lose_request=any(rule.kind == "lost_request" for rule in met),
            lose_answer=any(rule.kind == "lost_answer" for rule in met),
        )

    def _count_down(self, met: set[str]) -> None:
        rules = []
        for rule in self._rules:
            if rule.id in met and rule.times is not None:
                if rule.times > 1:
                    rules.append(Rule(**{**asdict(rule), "times": rule.times - 1}))
            else:
                rules.append(rule)
        self._rules = rules
        self._store.remember("faults", [asdict(rule) for rule in rules])


def _or(value: float | None, default: float) -> float:
    return default if value is None else value
