"""How the installation is put together: settings, addresses, timetable."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
