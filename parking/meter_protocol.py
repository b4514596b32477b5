"""The words of the meter protocol, for both ends of the wire. Pure: no clock, database, network."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote

SCHEMA = 1
MAX_BODY = 262_144  # bytes, either way
LARGEST_REVISION = 2**53 - 1  # the largest integer that every JSON reader keeps
LIGHTS = frozenset({"off", "green", "red", "amber"})
PATTERNS = frozenset({"none", "steady", "slow_blink", "fast_blink", "blink", "double_blink"})
STAGES = frozenset({"delivered", "applied", "rejected"})
UNQUOTED = ":@&+$,-_.!~*'()"  # what stays as it is in a signed path
PROBLEM = "application/problem+json"

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")


class Show(NamedTuple):
    """What a lamp shows."""

    light: str
    pattern: str


OFF = Show("off", "none")
UNKNOWN = Show("amber", "double_blink")  # a meter that knows no plan


class Entry(NamedTuple):
    """What a lamp shows in `[start, end)`, aware; outside all entries it is off."""

    start: datetime
    end: datetime
    show: Show
    booking: str = ""  # an opaque reference; nothing else of a booking reaches a meter

    def as_json(self) -> dict[str, str]:
        """Return the entry as the wire has it."""
        entry = {"from": stamp(self.start), "to": stamp(self.end), **self.show._asdict()}
        return {**entry, "booking": self.booking} if self.booking else entry


Plan = Mapping[int, Sequence[Entry]]  # by lamp, 1 to 8; entries in order, without overlap


class Malformed(ValueError):
    """A message breaks the protocol; `errors` lists (JSON pointer, what is wrong)."""

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{path}: {message}" for path, message in errors))
        self.errors = tuple(errors)


def stamp(moment: datetime) -> str:
    """Write an aware moment as UTC with a Z, to the second unless it has fractions."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_stamp(text: object) -> datetime:
    """Read an aware moment.

    Raises:
        ValueError: it is not one, or has no offset.
    """
    if not isinstance(text, str) or not _MOMENT.fullmatch(text):
        raise ValueError("must be a moment such as 2026-03-03T08:00:00Z")
    moment = datetime.fromisoformat(text)
    if not 1970 <= moment.year < 2200:  # beyond, conversions between time zones overflow
        raise ValueError("must lie between 1970 and 2199")
    return moment


def plan_path(serial: str) -> str:
    """Return where a meter takes its plan, below its own or its gateway's address."""
    return f"/v1/meters/{quote(serial, safe=UNQUOTED)}/plan"


def shown_at(entries: Iterable[Entry], moment: datetime) -> Show:
    """Return what the lamp shows at the moment."""
    return next((entry.show for entry in entries if entry.start <= moment < entry.end), OFF)


def next_change(plan: Plan, moment: datetime) -> datetime | None:
    """Return the first moment after `moment` at which a lamp changes by the plan."""
    edges = (edge for entries in plan.values() for entry in entries for edge in entry[:2])
    return min((edge for edge in edges if edge > moment), default=None)


def from_now_on(plan: Plan, now: datetime) -> dict[int, tuple[Entry, ...]]:
    """Return the part of the plan that lies ahead: two plans that agree on it are the same plan."""
    return {
        lamp: tuple(
            entry._replace(start=max(entry.start, now)) for entry in entries if entry.end > now
        )
        for lamp, entries in plan.items()
    }


def plan_as_json(plan: Plan) -> list[dict[str, Any]]:
    """Return the plan as the wire has it, without "now"."""
    return [
        {"spot": lamp, "plan": [entry.as_json() for entry in entries]}
        for lamp, entries in sorted(plan.items())
    ]


def message(
    *,
    serial: str,
    revision: int,
    command_id: str | None,
    issued_at: datetime,
    not_after: datetime,
    plan: Plan,
    now: datetime,
) -> dict[str, Any]:
    """Return the message that gives a meter its whole plan, with what each lamp shows `now`."""
    return {
        "schema": SCHEMA,
        "meter": serial,
        "revision": revision,
        "command_id": command_id,
        "issued_at": stamp(issued_at),
        "not_after": stamp(not_after),
        "spots": [
            {**spot, "now": shown_at(plan[spot["spot"]], now)._asdict()}
            for spot in plan_as_json(plan)
        ],
    }


def parse_plan(spots: object, *, lamps: Iterable[int] | None = None) -> dict[int, list[Entry]]:
    """Read the "spots" of a message.

    Raises:
        Malformed: naming every light, spot or moment that is wrong; a lamp outside `lamps` too.
    """
    errors: list[tuple[str, str]] = []
    plan: dict[int, list[Entry]] = {}
    if not isinstance(spots, list):
        raise Malformed([("/spots", "must be a list")])
    known = None if lamps is None else frozenset(lamps)
    for index, spot in enumerate(spots):
        here = f"/spots/{index}"
        lamp = spot.get("spot") if isinstance(spot, dict) else None
        if type(lamp) is not int or lamp in plan or (known is not None and lamp not in known):
            errors.append((f"{here}/spot", f"unknown or repeated spot {lamp!r}"))
            continue
        entries = spot.get("plan")
        if not isinstance(entries, list):
            errors.append((f"{here}/plan", "must be a list"))
            continue
        plan[lamp] = []
        for number, entry in enumerate(entries):
            try:
                plan[lamp].append(_parse_entry(entry))
            except ValueError as error:
                errors.append((f"{here}/plan/{number}", str(error)))
    if errors:
        raise Malformed(errors)
    return plan


def _parse_entry(entry: object) -> Entry:
    if not isinstance(entry, dict):
        raise ValueError("must be an object")
    start, end = parse_stamp(entry.get("from")), parse_stamp(entry.get("to"))
    show = Show(str(entry.get("light")), str(entry.get("pattern")))
    if end <= start:
        raise ValueError('"to" must lie after "from"')
    if show.light not in LIGHTS:
        raise ValueError(f"unknown light {show.light!r}")
    if show.pattern not in PATTERNS:
        raise ValueError(f"unknown pattern {show.pattern!r}")
    return Entry(start, end, show, str(entry.get("booking", "")))


def problem(status: int, code: str, detail: str, **members: Any) -> dict[str, Any]:
    """Return an RFC 9457 problem; `code` is one of the protocol's words."""
    return {
        "type": f"urn:curblight:meter:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "code": code,
        "detail": detail,
        **members,
    }
