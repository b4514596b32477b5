"""A meter with one spot that tells, minute by minute, whether somebody stands there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from parking.lights import reported
from parking.meter_messages import LampState, State
from parking.meter_protocol import Show
from parking.models import Light, Spot, Zone
from tests import cast


class Sensor:
    """The sensor of `spot`; all times are minutes after NOW."""

    def __init__(self, zone: Zone, *, saw_a_car: float | None = -60) -> None:
        self.meter = cast.a_meter(zone, is_active=True)
        self.spot: Spot = cast.a_spot(zone, meter=self.meter, position=1)
        self.boot, self._seq = "b1", 0
        if saw_a_car is not None:
            self.says(True, saw_a_car)

    @property
    def light(self) -> Light:
        """The light as it is stored now."""
        return Light.objects.get(spot=self.spot)

    def says(self, occupied: bool | None, minutes: float, **changes: Any) -> None:
        """Report at that minute; `late` minutes on its way."""
        now = changes.pop("real", None) or cast.at(minutes)
        late = timedelta(minutes=changes.pop("late", 0))
        self._seq += 1
        show = Show("off", "none")
        state: dict[str, Any] = {
            "seq": self._seq,
            "at": now - late,
            "boot_id": self.boot,
            "revision": 0,
            "firmware": "",
            "battery_pct": 90,
            "clock_offset_ms": 0,
            "faults": [],
            "lamps": [LampState(lamp=1, show=show, occupied=occupied)],
            **changes,
        }
        reported.take_state(meter_id=self.meter.pk, state=State(**state), skew_ms=0, now=now)

    def says_free(self, *minutes: float) -> None:
        """Report "free" each minute from the first to the last that is given."""
        first, last = min(minutes), max(minutes)
        for step in range(int(last - first) + 1):
            self.says(False, first + step)

    def says_each_minute(self, words: Sequence[bool | None], *, since: float) -> None:
        """Report one word after the other."""
        for step, word in enumerate(words):
            self.says(word, since + step)

    def reboots(self) -> None:
        """Start anew."""
        self.boot += "+"
        self._seq = 0
