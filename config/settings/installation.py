"""What is installed where, and for which city."""

import tomllib
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from environs import Env, validate

env = Env()

BASE_DIR = Path(__file__).resolve().parent.parent.parent
VERSION: str = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]["version"]

DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", validate=validate.Length(min=32))
SITE_URL = env.str("SITE_URL", "http://127.0.0.1:8000").rstrip("/")
site = urlsplit(SITE_URL)
if site.scheme not in {"http", "https"} or not site.hostname:
    raise ImproperlyConfigured(
        f"SITE_URL must look like https://park.example.org, not {SITE_URL!r}"
    )
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", [site.hostname, "localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = [SITE_URL]

# One installation serves one city: one time zone, one currency.

CITY_NAME = env.str("CITY_NAME", "Helsinki")
CITY_COUNTRY = env.str("CITY_COUNTRY", "FI")  # ISO 3166: whose plates people mean
CITY_TIME_ZONE = env.str("CITY_TIME_ZONE", "Europe/Helsinki")
CITY_CURRENCY = env.str("CITY_CURRENCY", "EUR")
CITY_CENTRE = tuple(env.list("CITY_CENTRE", [24.9414, 60.1699], subcast=float))  # lon, lat
CITY_PHONE = env.str("CITY_PHONE", "")
if len(CITY_CENTRE) != 2:
    raise ImproperlyConfigured("CITY_CENTRE must be longitude,latitude such as 24.94,60.17")
