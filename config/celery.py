"""The Celery application and its timetable.

Beat finds whatever a page could not nudge: a lost message costs one tick, never a booking.
"""

import os
from typing import Any

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("curblight")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Seconds between two runs. A run that waited longer than its own interval is dropped: the next
# one finds the same rows.
MONEY_TIMETABLE: dict[str, float] = {
    "payments.sweep_holds": 2,
    "payments.seal_ledger": 1,
    "payments.process_due_events": 5,
    "payments.send_mail": 10,
    "payments.check_due": 60,
    "payments.read_events": 15 * 60,
    "payments.compare_balance": 24 * 60 * 60,
}


def every(timetable: dict[str, float]) -> dict[str, dict[str, Any]]:
    """Turn task names and seconds into entries of the beat."""
    return {
        name: {"task": name, "schedule": float(seconds), "options": {"expires": float(seconds)}}
        for name, seconds in timetable.items()
    }


app.conf.beat_schedule = every(MONEY_TIMETABLE)
