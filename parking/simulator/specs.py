"""What a meter is given when it is put up."""

from __future__ import annotations

from dataclasses import dataclass

from parking.signatures import Key


@dataclass(frozen=True, kw_only=True)
class SpotSpec:
    """One bay and its lamp, 1 to 8."""

    lamp: int
    number: str


@dataclass(frozen=True, kw_only=True)
class MeterSpec:
    """A meter: who it is, its valid keys (the newest first), where it stands, what it serves."""

    serial: str
    keys: tuple[Key, ...]
    is_called: bool  # False: nobody calls it, it asks for its plan, or finds it at a broker
    zone: str
    street: str
    longitude: float
    latitude: float
    spots: tuple[SpotSpec, ...]
    gateway: str = ""  # what it hangs on, together with others of the same name
    by_broker: bool = False

    @property
    def polls(self) -> bool:
        """Whether it has to ask for its plan."""
        return not self.is_called and not self.by_broker
