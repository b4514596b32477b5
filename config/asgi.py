"""The one thing that is served by ASGI: meters that wait for their plans. Pages are WSGI."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from parking.edge_line import Line  # noqa: E402 (needs the settings)

application = Line()
