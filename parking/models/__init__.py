"""The nouns of the kerb."""

from parking.models.arrival import ArrivalOutcome, ArrivalWatch
from parking.models.booking import (
    LIVE_STATES,
    PENDING_STATES,
    PROLONGED,
    Booking,
    BookingEvent,
    Slot,
    SlotKind,
    SlotState,
)
from parking.models.care import DeedKind, Maintenance, MeterDeed, SeenAlarm
from parking.models.city import LEAST_PLATE_DAYS, Feature, Spot, Street, Zone
from parking.models.demand import SHORTEST_PAUSE_DAYS, DemandRule
from parking.models.forgetting import Forgetting, ForgettingReason
from parking.models.gateway import Gateway
from parking.models.idempotency import IdempotentAnswer
from parking.models.late_light import LateLight
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
from parking.models.preferences import Preferences
from parking.models.report import ReportOutcome, SpotReport
from parking.models.rules import (
    LEAST_GRACE_MIN,
    MOST_CORRECTIONS,
    Closure,
    ClosureKind,
    StayRules,
)
from parking.models.simulation import OPEN_STATES, SimulationState, TariffSimulation
from parking.models.tariff import Standing, TariffOrigin, TariffState, TariffVersion
from parking.models.vehicle import Vehicle

__all__ = [
    "LEAST_GRACE_MIN",
    "LEAST_PLATE_DAYS",
    "LIVE_STATES",
    "MOST_CORRECTIONS",
    "OPEN_STATES",
    "PENDING_STATES",
    "PROLONGED",
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
    "Forgetting",
    "ForgettingReason",
    "Gateway",
    "IdempotentAnswer",
    "LateLight",
    "Light",
    "LightColour",
    "LightPattern",
    "Maintenance",
    "Meter",
    "MeterCommand",
    "MeterDeed",
    "MeterEvent",
    "MeterKey",
    "Preferences",
    "ReportOutcome",
    "SeenAlarm",
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
    "Vehicle",
    "Zone",
]
