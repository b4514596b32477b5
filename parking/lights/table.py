"""Which light means what: the city's own table, with the protocol's as the default."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from parking.meter_protocol import LIGHTS, PATTERNS, UNKNOWN, Show


class Situation(StrEnum):
    """What is true of a spot in an interval; in every other one its light is off."""

    RESERVED = "reserved"  # booked, shortly before the start
    RUNNING = "running"
    ENDING = "ending"  # the last minutes of a stay
    CLOSED = "closed"
    UNPAID = "unpaid"  # a sensor sees a car for which nobody has paid
    UNKNOWN = "unknown"  # out of use: no rule holds there


DEFAULTS = {
    Situation.RESERVED: Show("green", "slow_blink"),
    Situation.RUNNING: Show("green", "steady"),
    Situation.ENDING: Show("green", "fast_blink"),
    Situation.CLOSED: Show("red", "steady"),
    Situation.UNPAID: Show("red", "blink"),
    Situation.UNKNOWN: UNKNOWN,
}


@dataclass(frozen=True, kw_only=True)
class LightTable:
    """The lights of a city, and when they change.

    `lead` is before the start of a stay, `last` before its end. Who parks has `unpaid_after` to
    pay; None: a light never says that nobody has.
    """

    shows: Mapping[Situation, Show]
    lead: timedelta
    last: timedelta
    unpaid_after: timedelta | None

    @classmethod
    def parse(
        cls, *, shows: object, lead_min: int, last_min: int, unpaid_after_min: int | None = None
    ) -> LightTable:
        """Read a table such as `{"running": "green steady"}`; what it leaves out is default.

        Raises:
            ImproperlyConfigured: naming the word that is wrong.
        """
        if not isinstance(shows, Mapping):
            raise ImproperlyConfigured('METER_LIGHTS must be like {"running": "green steady"}')
        if min(lead_min, last_min, unpaid_after_min or 0) < 0:
            raise ImproperlyConfigured(
                "METER_LEAD_MIN, METER_LAST_MIN and METER_UNPAID_AFTER_MIN cannot be negative"
            )
        table = dict(DEFAULTS)
        for name, words in shows.items():
            if name not in DEFAULTS:
                raise ImproperlyConfigured(
                    f"METER_LIGHTS: {name!r} is none of {', '.join(sorted(DEFAULTS))}"
                )
            light, _, pattern = str(words).partition(" ")
            if light not in LIGHTS or pattern not in PATTERNS:
                raise ImproperlyConfigured(
                    f'METER_LIGHTS: {name} is {words!r}, not a light and a pattern such as "green '
                    f'steady" ({", ".join(sorted(LIGHTS))}; {", ".join(sorted(PATTERNS))})'
                )
            table[Situation(name)] = Show(light, pattern)
        return cls(
            shows=table,
            lead=timedelta(minutes=lead_min),
            last=timedelta(minutes=last_min),
            unpaid_after=None if unpaid_after_min is None else timedelta(minutes=unpaid_after_min),
        )


def city_table() -> LightTable:
    """Return the table of this installation."""
    return _city_table(
        json.dumps(settings.METER_LIGHTS),
        settings.METER_LEAD_MIN,
        settings.METER_LAST_MIN,
        settings.METER_UNPAID_AFTER_MIN,
    )


@lru_cache(maxsize=4)
def _city_table(
    shows: str, lead_min: int, last_min: int, unpaid_after_min: int | None
) -> LightTable:
    return LightTable.parse(
        shows=json.loads(shows),
        lead_min=lead_min,
        last_min=last_min,
        unpaid_after_min=unpaid_after_min,
    )


@checks.register
def check_light_table(**_options: Any) -> list[checks.CheckMessage]:
    """Report a broken METER_LIGHTS at the start rather than at the first booking."""
    try:
        city_table()
    except ImproperlyConfigured as error:
        return [checks.Error(str(error), id="parking.E001")]
    return []
