"""Every setting of the site, read from the environment. A bad value stops the start and says why.

`make run` provides all of them; README.md lists them for production.
"""

import logging
import tomllib
from pathlib import Path
from urllib.parse import quote, urlsplit

from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from environs import Env, validate

from payments.sandbox.money import DEFAULT_MINIMUMS

env = Env()

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION: str = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]["version"]

# --- The installation -------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", validate=validate.Length(min=32))
SITE_URL = env.str("SITE_URL", "http://127.0.0.1:8000").rstrip("/")
_site = urlsplit(SITE_URL)
if _site.scheme not in {"http", "https"} or not _site.hostname:
    raise ImproperlyConfigured(
        f"SITE_URL must look like https://park.example.org, not {SITE_URL!r}"
    )
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", [_site.hostname, "localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = [SITE_URL]

# --- The city ---------------------------------------------------------------------------------
# One installation serves one city: one time zone, one currency.

CITY_NAME = env.str("CITY_NAME", "Helsinki")
CITY_COUNTRY = env.str("CITY_COUNTRY", "FI")  # ISO 3166: whose plates people mean
CITY_TIME_ZONE = env.str("CITY_TIME_ZONE", "Europe/Helsinki")
CITY_CURRENCY = env.str("CITY_CURRENCY", "EUR")
CITY_CENTRE = tuple(env.list("CITY_CENTRE", [24.9414, 60.1699], subcast=float))  # lon, lat
CITY_PHONE = env.str("CITY_PHONE", "")
if len(CITY_CENTRE) != 2:
    raise ImproperlyConfigured("CITY_CENTRE must be longitude,latitude such as 24.94,60.17")

# --- Applications -----------------------------------------------------------------------------

INSTALLED_APPS = [
    "config.apps.CurblightAdminConfig",
    "django.forms",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.gis",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "leaflet",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "config",
    "parking",
    "payments",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.compress.CompressPages",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "config.languages.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "parking.busy.BusyMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "config.context_processors.city",
                "config.context_processors.language",
                "config.context_processors.visitor",
            ],
        },
    },
]

FORM_RENDERER = "django.forms.renderers.TemplatesSetting"  # widgets from templates/ as well

# --- PostgreSQL, Redis, Celery ----------------------------------------------------------------

DATABASES = {"default": env.dj_db_url("DATABASE_URL", conn_max_age=None)}
if "postgis" not in DATABASES["default"]["ENGINE"]:
    raise ImproperlyConfigured("DATABASE_URL must begin with postgis://: the site needs PostGIS")
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# Who waits longer than this for a row is told to try again; see `parking.booking.contended`.
DATABASES["default"].setdefault("OPTIONS", {}).setdefault("options", "-c lock_timeout=3000")
# A pooler that hands each transaction another connection knows nothing of prepared statements.
DATABASES["default"]["OPTIONS"]["prepare_threshold"] = (
    None if env.bool("DATABASE_POOLER", False) else 3
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL")


def _broker_url(redis_url: str) -> str:
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

CELERY_BROKER_URL = _broker_url(REDIS_URL)
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

# --- The payment processor --------------------------------------------------------------------

STRIPE_API_KEY = env.str("STRIPE_API_KEY", "")
STRIPE_API_BASE = env.str("STRIPE_API_BASE", "https://api.stripe.com").rstrip("/")
STRIPE_WEBHOOK_SECRETS: list[str] = env.list(
    "STRIPE_WEBHOOK_SECRETS", []
)  # two while one is rotated
# Minor units. A tariff with a price below it is not approved: nobody could pay that.
PROCESSOR_MINIMUM_CHARGE = env.int(
    "PROCESSOR_MINIMUM_CHARGE",
    DEFAULT_MINIMUMS.get(CITY_CURRENCY.lower(), 1),  # as the processor publishes it
    validate=validate.Range(min=0),
)

# --- Holds ------------------------------------------------------------------------------------

# A hold lasts ten minutes; by so many more its maker may prolong it, once. 0: never. The
# processor's page lives for half an hour, so more than 20 could not be kept.
HOLD_EXTENSION_MIN = env.int("HOLD_EXTENSION_MIN", 10, validate=validate.Range(min=0, max=20))

# --- The auditor's files ----------------------------------------------------------------------

# More rows than this, and a file is made by a worker; a workbook takes ten times as long.
EXPORT_DIRECT_ROWS = env.int("EXPORT_DIRECT_ROWS", 100_000, validate=validate.Range(min=0))
EXPORT_KEEP_DAYS = env.int("EXPORT_KEEP_DAYS", 7, validate=validate.Range(min=1))

# --- Meters -----------------------------------------------------------------------------------

METER_KEYS_SECRET = env.str("METER_KEYS_SECRET", SECRET_KEY)
METER_ALLOWED_NETWORKS = env.list("METER_ALLOWED_NETWORKS", ["127.0.0.0/8", "::1/128"])
METER_GATEWAY_URL = env.str("METER_GATEWAY_URL", "http://127.0.0.1:8020").rstrip("/")
# A broker for meters whose address is “mqtt”: mqtt://user:password@host:1883, or mqtts:// with TLS.
METER_MQTT_URL = env.str("METER_MQTT_URL", "")
_mqtt = urlsplit(METER_MQTT_URL)
if METER_MQTT_URL and (_mqtt.scheme not in {"mqtt", "mqtts"} or not _mqtt.hostname):
    raise ImproperlyConfigured(
        f"METER_MQTT_URL must look like mqtts://broker.example.org, not {METER_MQTT_URL!r}"
    )
METER_MQTT_CA_FILE = env.str("METER_MQTT_CA_FILE", "")  # empty: the machine's authorities
METER_MQTT_CERT_FILE = env.str("METER_MQTT_CERT_FILE", "")  # our own, where the broker asks
METER_MQTT_KEY_FILE = env.str("METER_MQTT_KEY_FILE", "")
METER_LIGHTS = env.json("METER_LIGHTS", {})  # such as {"running": "green steady"}
METER_LEAD_MIN = env.int("METER_LEAD_MIN", 15)  # a booked spot blinks before the start
METER_LAST_MIN = env.int("METER_LAST_MIN", 10)  # and before the end
# Who parks has so long to pay before the light says that nobody has; empty: it never does.
METER_UNPAID_AFTER_MIN = (
    env.int("METER_UNPAID_AFTER_MIN", 5) if env.str("METER_UNPAID_AFTER_MIN", "5") else None
)

# --- Monitoring -------------------------------------------------------------------------------

METRICS_TOKEN = env.str("METRICS_TOKEN", "")  # who knows it may read /metrics; empty: nobody
if METRICS_TOKEN and len(METRICS_TOKEN) < 24:
    raise ImproperlyConfigured("METRICS_TOKEN must have 24 characters or more")

# --- People -----------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_USER_MODEL_USERNAME_FIELD = "username"
ACCOUNT_ADAPTER = "config.accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_FORMAT = {"numeric": True, "length": 8, "dashed": True}
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_FORMS = {"confirm_login_code": "config.accounts.forms.CodeForm"}
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ALLAUTH_TRUSTED_PROXY_COUNT = int(env.bool("BEHIND_PROXY", False))
MFA_ADAPTER = "config.accounts.adapters.PasskeyAdapter"
MFA_SUPPORTED_TYPES = ["webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"  # a passkey stands for address and password
# Browsers make passkeys on https only, and on the machine itself.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = _site.hostname in {"localhost", "127.0.0.1"}

# The city's own login, by OpenID Connect: all four or none.
OIDC_ISSUER = env.str("OIDC_ISSUER", "").rstrip("/")
OIDC_NAME = env.str("OIDC_NAME", "")  # as people know it
_oidc = {
    "OIDC_NAME": OIDC_NAME,
    "OIDC_ISSUER": OIDC_ISSUER,
    "OIDC_CLIENT_ID": env.str("OIDC_CLIENT_ID", ""),
    "OIDC_CLIENT_SECRET": env.str("OIDC_CLIENT_SECRET", ""),
}
if any(_oidc.values()) and not all(_oidc.values()):
    _missing = ", ".join(name for name, value in _oidc.items() if not value)
    raise ImproperlyConfigured(f"The city's own login needs {_missing} as well, or nothing of it")
_issuer = urlsplit(OIDC_ISSUER)
if OIDC_ISSUER and not (
    _issuer.scheme == "https"
    or (_issuer.scheme == "http" and _issuer.hostname in {"localhost", "127.0.0.1"})
):
    raise ImproperlyConfigured(
        f"OIDC_ISSUER must look like https://login.example.org, not {OIDC_ISSUER!r}"
    )
SOCIALACCOUNT_ADAPTER = "config.accounts.city_login.CityLoginAdapter"
# An address that the city's login has checked opens the account that has it.
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "city",
                "name": OIDC_NAME,
                "client_id": _oidc["OIDC_CLIENT_ID"],
                "secret": _oidc["OIDC_CLIENT_SECRET"],
                "settings": {"server_url": OIDC_ISSUER},
            }
        ]
        if OIDC_ISSUER
        else [],
    }
}
ACCOUNT_DEFAULT_HTTP_PROTOCOL = _site.scheme
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "parking:my-bookings"
LOGOUT_REDIRECT_URL = "parking:find"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
EMAIL_CONFIG = env.dj_email_url("EMAIL_URL", "console://")
vars().update(EMAIL_CONFIG)
# Everybody reads every letter at /demo/mail/: for a site where nothing is real.
DEMO_MAILBOX = env.bool("DEMO_MAILBOX", False)
if DEMO_MAILBOX and not STRIPE_API_KEY.startswith(("sk_test_", "rk_test_")):
    raise ImproperlyConfigured("DEMO_MAILBOX shows every letter to everybody: test keys only")
if (
    DEMO_MAILBOX
    and EMAIL_CONFIG["EMAIL_BACKEND"] != "django.core.mail.backends.filebased.EmailBackend"
):
    raise ImproperlyConfigured("DEMO_MAILBOX reads letters from files: EMAIL_URL must be file:///…")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", f"Curblight <parking@{_site.hostname}>")

# --- Words, dates, numbers --------------------------------------------------------------------

LANGUAGES = [
    ("en", _("English")),
    ("fa", _("Persian")),
    ("ru", _("Russian")),
    ("vi", _("Vietnamese")),
]
# The city's own: its pages have no language in their address, those of the others do.
LANGUAGE_CODE = env.str(
    "LANGUAGE_CODE", "en", validate=validate.OneOf([code for code, _name in LANGUAGES])
)
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
FORMAT_MODULE_PATH = ["config.formats"]
USE_TZ = True
TIME_ZONE = CITY_TIME_ZONE

# --- Files ------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
# What is compressed already; and source maps, half of the bytes, wanted by developers only.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ["gif", "jpg", "png", "webp", "woff", "woff2", "map"]

# --- The map ----------------------------------------------------------------------------------

MAP_TILES_URL = env.str("MAP_TILES_URL", "")  # empty: only the drawing of our own data
MAP_TILES_ATTRIBUTION = env.str("MAP_TILES_ATTRIBUTION", "")
# Where maps are told of bookings: /map/live behind a proxy, or another address; empty: they ask.
LIVE_URL = env.str("LIVE_URL", "")
_live = urlsplit(LIVE_URL)
if LIVE_URL and not (
    LIVE_URL.startswith("/") or (_live.scheme in {"http", "https"} and _live.netloc)
):
    raise ImproperlyConfigured(f"LIVE_URL must look like /map/live, not {LIVE_URL!r}")
MAP_TILES_PROXY = env.bool("MAP_TILES_PROXY", False)  # the tile server sees the site alone
_tile_url = urlsplit(MAP_TILES_URL.replace("{s}", "*"))
if MAP_TILES_URL and not (
    _tile_url.scheme in {"http", "https"}
    and _tile_url.netloc
    and all(f"{{{name}}}" in MAP_TILES_URL for name in "zxy")
):
    raise ImproperlyConfigured(
        f"MAP_TILES_URL must look like https://…/{{z}}/{{x}}/{{y}}.png, not {MAP_TILES_URL!r}"
    )
if MAP_TILES_PROXY and (not MAP_TILES_URL or "{s}" in MAP_TILES_URL):
    raise ImproperlyConfigured("MAP_TILES_PROXY needs a MAP_TILES_URL that names one host, no {s}")
_tiles_of = "/map/tiles/{z}/{x}/{y}" if MAP_TILES_PROXY else MAP_TILES_URL
MAP_MAX_ZOOM = 20
LEAFLET_CONFIG = {
    "DEFAULT_CENTER": (CITY_CENTRE[1], CITY_CENTRE[0]),
    "DEFAULT_ZOOM": 15,
    "MIN_ZOOM": 3,
    "MAX_ZOOM": MAP_MAX_ZOOM,
    "TILES": [("Map", _tiles_of, {"attribution": MAP_TILES_ATTRIBUTION})] if _tiles_of else [],
    "ATTRIBUTION_PREFIX": "",
    "RESET_VIEW": False,
    "SCALE": "metric",
    "NO_GLOBALS": True,
}

# --- Security ---------------------------------------------------------------------------------

_secure = _site.scheme == "https"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _secure
SESSION_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", _secure)
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 31_536_000 if _secure else 0)
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", False) else None
)
SECURE_REFERRER_POLICY = "same-origin"
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"
X_FRAME_OPTIONS = "DENY"
_tile_hosts = (
    [f"{_tile_url.scheme}://{_tile_url.netloc}"] if MAP_TILES_URL and not MAP_TILES_PROXY else []
)
_live_hosts = [f"{_live.scheme}://{_live.netloc}"] if _live.netloc else []
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:", *_tile_hosts],
        "connect-src": [SELF, *_live_hosts],
        "worker-src": [SELF],
        "manifest-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# The public gives longitudes and latitudes only, never a spatial reference; an operator's file is
# read with an allow-list of drivers. So an old GDAL's lack of a network lock is no way in.
SILENCED_SYSTEM_CHECKS = ["gis.W001"]

# --- REST -------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "parking.problems.exception_handler",
    "DEFAULT_VERSIONING_CLASS": None,
    # For one visitor, pages and API together; an empty rate is no limit.
    "DEFAULT_THROTTLE_RATES": {
        "hold": env.str("HOLD_RATE", "30/min") or None,
        "plate_search": env.str("PLATE_SEARCH_RATE", "60/min") or None,
        "erase": "10/hour",
        "tiles": env.str("TILE_RATE", "600/min") or None,
    },
    "NUM_PROXIES": int(env.bool("BEHIND_PROXY", False)),
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Curblight",
    "DESCRIPTION": "Find, price, book and cancel metered parking spots of one city.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- Logs -------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{levelname:<7} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.log_level("LOG_LEVEL", logging.INFO)},
    "loggers": {
        "django.server": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
        "stripe": {"level": "WARNING"},
        # One line for each tick of the beat would hide what matters.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
    },
}
