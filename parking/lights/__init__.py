"""What each light should show, what was reported, and the difference.

The plan of a meter is computed from slots and closures (`planning`, pure), kept with the meter
and shipped by commands that are rows (`commands`). What the meter says is stored apart
(`reported`). Everything about a meter changes under the lock of its row, which is the last lock
in the order spot, slot, payment, meter.
"""

from parking.lights.planning import Lamp, Span, Stay, plan
from parking.lights.projection import look, plan_of, replan, replan_spots
from parking.lights.repair import reconcile, send_again
from parking.lights.table import LightTable, city_table

__all__ = [
    "Lamp",
    "LightTable",
    "Span",
    "Stay",
    "city_table",
    "look",
    "plan",
    "plan_of",
    "reconcile",
    "replan",
    "replan_spots",
    "send_again",
]
