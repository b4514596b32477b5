"""The Celery application and its timetable.

Beat finds whatever a page could not nudge: a lost message costs one tick, never a booking.
"""

import os
from typing import Any

from celery import Celery, signals
from django.db import close_old_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("curblight")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Celery would close the connection to the database after each task, and a new one costs the server
# more than most tasks do. A thread keeps its own, as the site does; a broken one is replaced.
app.conf.CELERY_DB_REUSE_MAX = 2**62


@signals.task_prerun.connect
@signals.task_postrun.connect
def _keep_connections(sender: Any, **_about: Any) -> None:
    if not getattr(sender.request, "is_eager", False):
        close_old_connections()


# Seconds between two runs. A tick that no worker took in time is dropped: the next one finds the
# same rows.
TIMETABLE: dict[str, float] = {
    "parking.ship_due": 1,
    "parking.advance_lights": 2,
    "parking.reconcile_lights": 30,
    "parking.run_simulations": 15,
    "parking.forget_answers": 60 * 60,
    "parking.forget_sessions": 24 * 60 * 60,
    "payments.forget_people": 60 * 60,
    "payments.sweep_holds": 2,
    "payments.seal_ledger": 1,
    "payments.process_due_events": 5,
    "payments.remind": 10,
    "payments.release_no_shows": 30,
    "payments.notice_late_lights": 15,
    "payments.check_due": 60,
    "payments.read_events": 15 * 60,
    "payments.compare_balance": 24 * 60 * 60,
    "payments.verify_ledger": 24 * 60 * 60,
    "payments.make_files": 15,
    "payments.forget_files": 60 * 60,
    "payments.compare_payouts": 24 * 60 * 60,
}

app.conf.beat_schedule = {
    name: {"task": name, "schedule": float(seconds), "options": {"expires": max(seconds, 5.0)}}
    for name, seconds in TIMETABLE.items()
}
