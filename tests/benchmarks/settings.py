"""The site's settings, plus the bare view that the holds are measured against."""

from config.settings import *  # noqa: F403
from config.settings import REST_FRAMEWORK

ROOT_URLCONF = "tests.benchmarks.urls"
REST_FRAMEWORK = {**REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": {"hold": None, "plate_search": None}}
SILENCED_SYSTEM_CHECKS = ["gis.W001"]
