"""The site as a WSGI application."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

# What is loaded now stays: two hundred thousand objects, through which the collector of garbage
# would walk again and again, with every request of this process waiting for it.
_ = get_resolver().url_patterns
gc.collect()
gc.freeze()
