"""PostgreSQL, Redis and Celery."""

from urllib.parse import quote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from config.settings.installation import env

DATABASES = {"default": env.dj_db_url("DATABASE_URL", conn_max_age=None)}
if "postgis" not in DATABASES["default"]["ENGINE"]:
    raise ImproperlyConfigured("DATABASE_URL must begin with postgis://: the site needs PostGIS")
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# Who waits longer than this for a row is told to try again; see `parking.refusals.contended`.
DATABASES["default"].setdefault("OPTIONS", {}).setdefault("options", "-c lock_timeout=3000")
# A pooler that hands each transaction another connection knows nothing of prepared statements.
DATABASES["default"]["OPTIONS"]["prepare_threshold"] = (
    None if env.bool("DATABASE_POOLER", False) else 3
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL")


def broker_url(redis_url: str) -> str:
    """Spell a Redis address the way Celery wants it; only unix sockets differ."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    database = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    return f"redis+socket://{quote(parts.path)}?virtual_host={database.get('db', '0')}"


CACHES = {
    "default": {
        "BACKEND": "config.cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "curblight",
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # no cookie of its own

CELERY_BROKER_URL = broker_url(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# A nudge that cannot be sent must not hold up a booking: the beat finds what was not nudged.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 2,
    "socket_connect_timeout": 1,
    "visibility_timeout": 600,
    "max_retries": 0,  # who waits for a page is told at once; workers and beat try for ever
    "retry_on_timeout": False,
}
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
