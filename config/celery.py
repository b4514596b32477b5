"""The Celery application and its timetable.

Beat finds whatever a page could not nudge: a lost message costs one tick, never a booking.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("curblight")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
