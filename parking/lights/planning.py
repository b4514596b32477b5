"""What each lamp of a meter shows, when. Pure: slots and closures in, entries out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from parking.lights.table import LightTable, Situation
from parking.meter_protocol import Entry, Show


class Stay(NamedTuple):
    """A confirmed slot `[start, end)`, with the opaque reference of its booking."""

    start: datetime
    end: datetime
    booking: str


class Span(NamedTuple):
    """Some time `[start, end)`."""

    start: datetime
    end: datetime


class Lamp(NamedTuple):
    """One lamp of a meter: its number, and what is known of its spot.

    `unpaid` is when a car that stands there now has paid for nothing, `unknown` when nobody can
    say what holds there.
    """

    position: int
    stays: Sequence[Stay] = ()
    closures: Sequence[Span] = ()
    unpaid: Sequence[Span] = ()
    unknown: Sequence[Span] = ()


def plan(
    *, lamps: Iterable[Lamp], table: LightTable, now: datetime
) -> dict[int, tuple[Entry, ...]]:
    """Return what is not over yet of every lamp's entries, in order and without overlap.

    A paid stay goes before a closure: a lamp is never red in paid time. A closure goes before the
    lead of a later stay, and that before a car that has not paid. What lies ahead depends only on
    what is not over, so that the passing of time alone changes no plan.
    """
    return {
        lamp.position: tuple(entry for entry in _lamp(lamp, table) if entry.end > now)
        for lamp in lamps
    }


def _lamp(lamp: Lamp, table: LightTable) -> list[Entry]:
    stays = list(_whole(lamp.stays))
    layers = (
        [entry for stay in stays for entry in _paid(stay, table)],
        _all(lamp.closures, table.shows[Situation.CLOSED]),
        [
            Entry(
                stay.start - table.lead, stay.start, table.shows[Situation.RESERVED], stay.booking
            )
            for stay in stays
            if table.lead
        ],
        _all(lamp.unpaid, table.shows[Situation.UNPAID]),
        _all(lamp.unknown, table.shows[Situation.UNKNOWN]),
    )
    entries: list[Entry] = []
    for layer in layers:
        for entry in layer:
            entries.extend(_gaps(entry, entries))
            entries.sort()
    return entries


def _all(spans: Iterable[Span], show: Show) -> list[Entry]:
    return [Entry(span.start, span.end, show) for span in sorted(spans)]


def _whole(stays: Iterable[Stay]) -> Iterator[Stay]:
    """Join the slots of one booking that follow on each other: an extended stay is one stay."""
    last: Stay | None = None
    for stay in sorted(stays):
        if last and last.end == stay.start and last.booking == stay.booking:
            last = last._replace(end=stay.end)
            continue
        if last:
            yield last
        last = stay
    if last:
        yield last


def _paid(stay: Stay, table: LightTable) -> Iterator[Entry]:
    ending = max(stay.start, stay.end - table.last)
    if ending > stay.start:
        yield Entry(stay.start, ending, table.shows[Situation.RUNNING], stay.booking)
    if stay.end > ending:
        yield Entry(ending, stay.end, table.shows[Situation.ENDING], stay.booking)


def _gaps(entry: Entry, taken: Iterable[Entry]) -> Iterator[Entry]:
    """Cut out of an entry what is taken; `taken` is in order and without overlap."""
    start = entry.start
    for other in list(taken):
        if other.end <= start or other.start >= entry.end:
            continue
        if other.start > start:
            yield entry._replace(start=start, end=other.start)
        start = other.end
    if start < entry.end:
        yield entry._replace(start=start)
