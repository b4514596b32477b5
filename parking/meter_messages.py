"""What meters tell us: read, checked, and refused with the place of each mistake. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from parking.meter_protocol import (
    LARGEST_REVISION,
    LIGHTS,
    PATTERNS,
    STAGES,
    Malformed,
    Show,
    parse_stamp,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Message = TypeVar("Message")

LARGEST_BATCH = 200  # events in one message
LARGEST_DETAILS = 2_000  # characters of an event's "data" as JSON


@dataclass(frozen=True, kw_only=True)
class LampState:
    """What one lamp shows, by the meter's word."""

    lamp: int
    show: Show
    occupied: bool | None


@dataclass(frozen=True, kw_only=True)
class State:
    """A meter's report of itself."""

    seq: int
    at: datetime
    boot_id: str
    revision: int
    firmware: str
    battery_pct: int | None
    clock_offset_ms: int
    faults: list[str]
    lamps: list[LampState]


@dataclass(frozen=True, kw_only=True)
class Ack:
    """A meter's word on a command."""

    command_id: UUID
    stage: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that a meter noticed."""

    event_id: str
    kind: str
    at: datetime
    spot: int | None
    data: dict[str, Any]


class _Reader:
    """Takes values out of an object and collects what is wrong with them."""

    def __init__(self, data: object, errors: list[tuple[str, str]], at: str = "") -> None:
        self._data: dict[str, Any] = data if isinstance(data, dict) else {}
        self._errors, self._at = errors, at
        if not isinstance(data, dict):
            errors.append((at or "/", "must be an object"))

    def wrong(self, name: str, message: str) -> None:
        self._errors.append((f"{self._at}/{name}", message))

    def text(self, name: str, longest: int, *, default: str | None = None) -> str:
        value = self._data.get(name, default)
        if _storable(value, longest) and (value or default is not None):
            return str(value)
        self.wrong(name, f"must be a text of 1 to {longest} signs")
        return ""

    def texts(self, name: str, longest: int, most: int) -> list[str]:
        values = self.items(name, most)
        if all(_storable(value, longest) for value in values):
            return values
        self.wrong(name, f"must be texts of at most {longest} signs")
        return []

    def number(self, name: str, low: int, high: int, *, optional: bool = False) -> int | None:
        value = self._data.get(name)
        if value is None and optional:
            return None
        if type(value) is int and low <= value <= high:
            return value
        self.wrong(name, f"must be a whole number from {low} to {high}")
        return None

    def truth(self, name: str) -> bool | None:
        value = self._data.get(name)
        if value is None or isinstance(value, bool):
            return value
        self.wrong(name, "must be true or false")
        return None

    def moment(self, name: str) -> datetime:
        try:
            return parse_stamp(self._data.get(name))
        except ValueError as error:
            self.wrong(name, str(error))
            return EPOCH

    def word(self, name: str, words: frozenset[str]) -> str:
        value = self._data.get(name)
        if isinstance(value, str) and value in words:
            return value
        self.wrong(name, f"must be one of {', '.join(sorted(words))}")
        return ""

    def items(self, name: str, most: int) -> list[Any]:
        value = self._data.get(name, [])
        if isinstance(value, list) and len(value) <= most:
            return value
        self.wrong(name, f"must be a list of at most {most}")
        return []

    def data(self, name: str) -> dict[str, Any]:
        value = self._data.get(name, {})
        if isinstance(value, dict) and _storable(_as_text(value), LARGEST_DETAILS):
            return value
        self.wrong(name, f"must be an object of at most {LARGEST_DETAILS} signs")
        return {}


def parse_state(body: object) -> State:
    """Read a state message.

    Raises:
        Malformed: with the place of each mistake.
    """
    errors: list[tuple[str, str]] = []
    read = _Reader(body, errors)
    lamps: dict[int, LampState] = {}
    for index, item in enumerate(read.items("spots", 8)):
        spot = _Reader(item, errors, f"/spots/{index}")
        lamp = spot.number("spot", 1, 8) or 0
        if lamp in lamps:
            spot.wrong("spot", "is named twice")
        lamps[lamp] = LampState(
            lamp=lamp,
            show=Show(spot.word("light", LIGHTS), spot.word("pattern", PATTERNS)),
            occupied=spot.truth("occupied"),
        )
    state = State(
        seq=read.number("seq", 0, LARGEST_REVISION) or 0,
        at=read.moment("at"),
        boot_id=read.text("boot_id", 64),
        revision=read.number("revision", 0, LARGEST_REVISION) or 0,
        firmware=read.text("firmware", 40, default=""),
        battery_pct=read.number("battery_pct", 0, 100, optional=True),
        clock_offset_ms=read.number("clock_offset_ms", -(2**53), 2**53, optional=True) or 0,
        faults=read.texts("faults", 64, 32),
        lamps=list(lamps.values()),
    )
    return _checked(state, errors)


def parse_ack(body: object) -> Ack:
    """Read an acknowledgement.

    Raises:
        Malformed: with the place of each mistake.
    """
    errors: list[tuple[str, str]] = []
    read = _Reader(body, errors)
    text = read.text("command_id", 36)
    command_id = UUID(int=0)
    if text:
        try:
            command_id = UUID(text)
        except ValueError:
            read.wrong("command_id", "must be a UUID")
    read.number("revision", 0, LARGEST_REVISION)
    read.moment("at")
    ack = Ack(
        command_id=command_id,
        stage=read.word("stage", STAGES),
        reason=read.text("reason", 200, default=""),
    )
    return _checked(ack, errors)


def parse_events(body: object) -> list[Event]:
    """Read a batch of events.

    Raises:
        Malformed: with the place of each mistake.
    """
    errors: list[tuple[str, str]] = []
    events = []
    for index, item in enumerate(_Reader(body, errors).items("events", LARGEST_BATCH)):
        read = _Reader(item, errors, f"/events/{index}")
        events.append(
            Event(
                event_id=read.text("event_id", 64),
                kind=read.text("kind", 64),
                at=read.moment("at"),
                spot=read.number("spot", 1, 8, optional=True),
                data=read.data("data"),
            )
        )
    return _checked(events, errors)


def _storable(value: object, longest: int) -> bool:
    """Say whether PostgreSQL can keep the text: it knows no NUL and no half of a surrogate pair."""
    if not isinstance(value, str) or len(value) > longest or "\0" in value:
        return False
    return not any("\ud800" <= sign <= "\udfff" for sign in value)


def _as_text(value: dict[str, Any]) -> str | None:
    """Write JSON so that what PostgreSQL refuses in it shows; None for numbers without end."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False).replace("\\u0000", "\0")
    except ValueError:
        return None


def _checked(message: Message, errors: list[tuple[str, str]]) -> Message:
    if errors:
        raise Malformed(errors)
    return message
