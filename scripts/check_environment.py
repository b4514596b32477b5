"""Say in one line what is wrong with the settings or the servers that they name.

Usage: python -m scripts.check_environment [database] [redis]
"""

import importlib
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def settings() -> None:
    """Load them."""
    importlib.import_module("config.settings")


def database() -> None:
    """Connect to the server of DATABASE_URL."""
    import django
    from django.db import connection

    django.setup()
    connection.ensure_connection()


def redis() -> None:
    """Ask the server of REDIS_URL."""
    from django.conf import settings as site
    from redis import Redis

    Redis.from_url(site.REDIS_URL, socket_timeout=5, socket_connect_timeout=5).ping()


def main(servers: list[str]) -> int:
    """Return 0 when the settings and these servers are sound."""
    checks = {"settings": settings, "database": database, "redis": redis}
    for name in ("settings", *servers):
        try:
            checks[name]()
        except Exception as error:  # noqa: BLE001 - a trace helps nobody here, its text does
            print(f"The {name} cannot be used: {' '.join(str(error).split())}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
