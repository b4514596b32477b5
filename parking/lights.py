"""What each light should show."""

from __future__ import annotations

from datetime import datetime

from parking.models import MeterCommand


def replan(*, meter_id: int, now: datetime) -> MeterCommand | None:
    """Compute the meter's plan and, if it changed, write the command that carries it."""
    return None
