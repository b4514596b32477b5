"""The nouns of the kerb."""

from parking.models.arrival import ArrivalOutcome, ArrivalWatch
from parking.models.booking import (
    LIVE_STATES,
    PENDING_STATES,
    Booking,
    BookingEvent,
    Slot,
    SlotKind,
    SlotState,
)
from parking.models.care import DeedKind, MeterDeed
from parking.models.city import Feature, Spot, Street, Zone
from parking.models.demand import SHORTEST_PAUSE_DAYS, DemandRule
from parking.models.idempotency import IdempotentAnswer
from parking.models.meter import (
    CommandState,
    Light,
    LightColour,
    LightPattern,
    Meter,
    MeterCommand,
    MeterEvent,
    MeterKey,
)
from parking.models.metrics import CountedCommands
from parking.models.report import ReportOutcome, SpotReport
from parking.models.rules import Closure, ClosureKind, StayRules
from parking.models.simulation import OPEN_STATES, SimulationState, TariffSimulation
from parking.models.tariff import Standing, TariffOrigin, TariffState, TariffVersion

__all__ = [
    "LIVE_STATES",
    "OPEN_STATES",
    "PENDING_STATES",
    "SHORTEST_PAUSE_DAYS",
    "ArrivalOutcome",
    "ArrivalWatch",
    "Booking",
    "BookingEvent",
    "Closure",
    "ClosureKind",
    "CommandState",
    "CountedCommands",
    "DeedKind",
    "DemandRule",
    "Feature",
    "IdempotentAnswer",
    "Light",
    "LightColour",
    "LightPattern",
    "Meter",
    "MeterCommand",
    "MeterDeed",
    "MeterEvent",
    "MeterKey",
    "ReportOutcome",
    "SimulationState",
    "Slot",
    "SlotKind",
    "SlotState",
    "Spot",
    "SpotReport",
    "Standing",
    "StayRules",
    "Street",
    "TariffOrigin",
    "TariffSimulation",
    "TariffState",
    "TariffVersion",
    "Zone",
]
