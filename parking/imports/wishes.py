"""What the rows of a file ask for, before anybody looks at the database. Plain data."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from django.contrib.gis.geos import MultiPolygon
from django.db.models import Model

from parking.imports.hours import Policy

LAMPS = 8  # of one meter


def longest(model: type[Model], field: str) -> int:
    """Return how many signs a text field of a model holds."""
    return int(getattr(model._meta.get_field(field), "max_length", 0) or 0)  # noqa: SLF001


@dataclass(kw_only=True, slots=True)
class WantedSpot:
    """A spot as the file has it. `key` is its external id; `row` where it stands.

    `active` None: the file does not say. `serial`: its meter, by name; or else `group` and `size`:
    the neighbours with whom it may share a new one, called `new_serial` if this spot is its first.
    """

    key: str
    row: int
    zone: str
    number: str
    street: str
    street_names: dict[str, str] | None  # None: the file does not say
    longitude: float
    latitude: float
    bearing: int
    features: tuple[str, ...]
    active: bool | None
    serial: str = ""
    new_serial: str = ""
    group: tuple[str, ...] | None = None
    size: int = 1

    @property
    def point(self) -> tuple[float, float]:
        """Longitude and latitude, degrees."""
        return (self.longitude, self.latitude)


@dataclass(kw_only=True)
class WantedZone:
    """A zone as the file has it. `boundary` None: drawn around its spots. `name` may be empty."""

    code: str
    said: str
    name: str
    names: dict[str, str] | None  # None: the file does not say
    boundary: MultiPolygon | None
    row: int
    policies: Counter[Policy] = field(default_factory=Counter)
    first_rows: dict[Policy, int] = field(default_factory=dict)
    stays: Counter[int] = field(default_factory=Counter)  # longest ones, minutes

    def vote(self, policy: Policy, row: int) -> None:
        """Count what one row says of hours and rate."""
        self.policies[policy] += 1
        self.first_rows.setdefault(policy, row)

    def by_votes(self) -> list[Policy]:
        """Return what the rows say, the most said first; of equals, the first in the file."""
        return sorted(self.policies, key=lambda p: (-self.policies[p], self.first_rows[p]))


@dataclass(kw_only=True)
class Wishes:
    """A whole file. `doubtful`: keys of rows that were refused, so that they do not count as gone.

    `keyless`: some refused row has no key to be known by.
    """

    zones: dict[str, WantedZone] = field(default_factory=dict)
    spots: list[WantedSpot] = field(default_factory=list)
    doubtful: set[str] = field(default_factory=set)
    keyless: bool = False
