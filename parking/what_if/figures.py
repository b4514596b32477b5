"""What comes out: exact sums of past stays beside their price under a draft. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Self

# Upper ends of the groups of length, in minutes, inclusive; the last group is open.
LENGTHS: Final = (30, 60, 120, 240, 480)
HOURS: Final = 24
WEEKDAYS: Final = 7


def length_group(minutes: int) -> int:
    """Return the group of a length: 0 for up to half an hour, 5 for more than eight hours."""
    return bisect_left(LENGTHS, minutes)


@dataclass(slots=True)
class Sums:
    """Stays that the draft sells too. Amounts are minor units; `saved` is what winners save.

    Winners pay less under the draft, losers more, the others the same.
    """

    stays: int = 0
    old: int = 0
    new: int = 0
    winners: int = 0
    losers: int = 0
    saved: int = 0

    @property
    def same(self) -> int:
        """How many stays cost the same."""
        return self.stays - self.winners - self.losers

    @property
    def difference(self) -> int:
        """How much more the draft brings, below zero for less."""
        return self.new - self.old

    @property
    def extra(self) -> int:
        """What losers pay more."""
        return self.difference + self.saved

    def note(self, old: int, new: int) -> None:
        """Count one stay."""
        self.stays += 1
        self.old += old
        self.new += new
        if new < old:
            self.winners += 1
            self.saved += old - new
        elif new > old:
            self.losers += 1

    def add(self, other: Sums) -> None:
        """Add another part of the same group."""
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def as_list(self) -> list[int]:
        """Return the six figures in order."""
        return [getattr(self, name) for name in _SUMS]


_SUMS: Final = tuple(item.name for item in fields(Sums))
# Local hour of the start, group of length, local weekday of the start (Monday is 0), vehicle class.
Key = tuple[int, int, int, str]


@dataclass(slots=True)
class Apart:
    """Stays that are not compared, with what was paid for them in minor units."""

    stays: int = 0
    paid: int = 0

    def note(self, paid: int, stays: int = 1) -> None:
        """Count some more."""
        self.stays += stays
        self.paid += paid


@dataclass(slots=True)
class Figures:
    """The finest sums, and what is not in them: `unsold` by code of QuoteError, and `left_out`.

    Left out are `cancelled` bookings, and `granted` ones: free whatever the tariff.
    """

    cells: dict[Key, Sums] = field(default_factory=dict)
    unsold: dict[str, Apart] = field(default_factory=dict)
    left_out: dict[str, Apart] = field(default_factory=dict)

    def note(self, key: Key, old: int, new: int) -> None:
        """Count a stay that the draft sells."""
        cell = self.cells.get(key)
        if cell is None:
            cell = self.cells[key] = Sums()
        cell.note(old, new)

    def note_unsold(self, code: str, paid: int) -> None:
        """Count a stay that the draft does not sell, and why."""
        self.unsold.setdefault(code, Apart()).note(paid)

    def note_left_out(self, kind: str, paid: int) -> None:
        """Count a booking that is not compared."""
        self.left_out.setdefault(kind, Apart()).note(paid)

    def add(self, other: Figures) -> None:
        """Add the figures of another part of the stays."""
        for key, cell in other.cells.items():
            self.cells.setdefault(key, Sums()).add(cell)
        for mine, theirs in ((self.unsold, other.unsold), (self.left_out, other.left_out)):
            for name, apart in theirs.items():
                mine.setdefault(name, Apart()).note(apart.paid, apart.stays)

    @property
    def total(self) -> Sums:
        """All stays that the draft sells."""
        return _sum(self.cells.values())

    @property
    def unsold_total(self) -> Apart:
        """All stays that the draft does not sell."""
        whole = Apart()
        for apart in self.unsold.values():
            whole.note(apart.paid, apart.stays)
        return whole

    def by_hour(self) -> list[Sums]:
        """Return the sums of the 24 local hours in which stays begin."""
        return self._by(0, HOURS)

    def by_length(self) -> list[Sums]:
        """Return the sums of the six groups of length."""
        return self._by(1, len(LENGTHS) + 1)

    def by_weekday(self) -> list[Sums]:
        """Return the sums of the weekdays on which stays begin, Monday first."""
        return self._by(2, WEEKDAYS)

    def by_class(self) -> dict[str, Sums]:
        """Return the sums of the vehicle classes by name; "" is none."""
        found: dict[str, Sums] = {}
        for key, cell in sorted(self.cells.items()):
            found.setdefault(key[3], Sums()).add(cell)
        return found

    def as_json(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {
            "cells": [[*key, *cell.as_list()] for key, cell in sorted(self.cells.items())],
            "unsold": _plain(self.unsold),
            "left_out": _plain(self.left_out),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `as_json` wrote."""
        return cls(
            cells={
                (hour, length, weekday, kind): Sums(*sums)
                for hour, length, weekday, kind, *sums in value["cells"]
            },
            unsold={name: Apart(*both) for name, both in value["unsold"].items()},
            left_out={name: Apart(*both) for name, both in value["left_out"].items()},
        )

    def _by(self, place: int, groups: int) -> list[Sums]:
        found = [Sums() for _ in range(groups)]
        for key, cell in self.cells.items():
            found[int(key[place])].add(cell)
        return found


def _sum(cells: Iterable[Sums]) -> Sums:
    whole = Sums()
    for cell in cells:
        whole.add(cell)
    return whole


def _plain(apart: Mapping[str, Apart]) -> dict[str, list[int]]:
    return {name: [one.stays, one.paid] for name, one in sorted(apart.items())}
