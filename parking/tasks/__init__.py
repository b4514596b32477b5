"""Celery's way into the rules: thin tasks that take ids and can run twice."""

from parking.tasks.housekeeping import forget_answers, forget_sessions
from parking.tasks.lights import (
    advance_lights,
    nudge_meter,
    reconcile_lights,
    ship_command,
    ship_due,
)
from parking.tasks.simulations import nudge_simulations, run_simulations

__all__ = [
    "advance_lights",
    "forget_answers",
    "forget_sessions",
    "nudge_meter",
    "nudge_simulations",
    "reconcile_lights",
    "run_simulations",
    "ship_command",
    "ship_due",
]
