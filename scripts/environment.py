"""The environment that config/settings reads: for the site on this machine, and for tests."""

import json
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.places import Place, SetupError

PASSWORD = "curblight-demo"  # noqa: S105 - of the demo accounts, printed at every start
ACCOUNTS = {
    "citizen@example.org": "books and pays",
    "operator@example.org": "runs zones, tariffs and meters",
    "warden@example.org": "checks the street",
    "auditor@example.org": "reads reports, exports",
    "finance@example.org": "looks into differences, closes the books",
    "admin@example.org": "may do everything",
}

_CITIES: dict[str, dict[str, str]] = {
    "helsinki": {
        "CITY_NAME": "Helsinki",
        "CITY_COUNTRY": "FI",
        "CITY_TIME_ZONE": "Europe/Helsinki",
        "CITY_CURRENCY": "EUR",
        "CITY_CENTRE": "24.9414,60.1699",
    },
    "tehran": {
        "CITY_NAME": "تهران",
        "CITY_COUNTRY": "IR",
        "CITY_TIME_ZONE": "Asia/Tehran",
        "CITY_CURRENCY": "IRR",
        "CITY_CENTRE": "51.4104,35.7575",
        "LANGUAGE_CODE": "fa",
    },
}

# Currencies of places that Stripe does not serve; it refuses them only when somebody wants to pay.
_NOT_AT_STRIPE = frozenset({"CUP", "IRR", "KPW", "SDG", "SYP"})

# What config/settings reads. Tests get their own values, whatever the person's shell has set.
_SETTINGS = (
    *("ALLOWED_HOSTS", "BEHIND_PROXY", "CITY", "CITY_CENTRE", "CITY_COUNTRY", "CITY_CURRENCY"),
    *("CITY_NAME", "CITY_PHONE", "CITY_TIME_ZONE", "DATABASE_POOLER", "DATABASE_URL", "DEBUG"),
    *("DEFAULT_FROM_EMAIL", "DEMO_MAILBOX", "EMAIL_URL", "EXPORT_DIRECT_ROWS"),
    *("EXPORT_KEEP_DAYS", "HOLD_EXTENSION_MIN", "HOLD_RATE", "LANGUAGE_CODE", "LIVE_URL"),
    *("LOG_LEVEL", "MAP_TILES_ATTRIBUTION", "MAP_TILES_PROXY", "MAP_TILES_URL"),
    *("METER_ALLOWED_NETWORKS", "METER_GATEWAY_URL", "METER_KEYS_SECRET", "METER_LAST_MIN"),
    *("METER_LEAD_MIN", "METER_LIGHTS", "METER_MQTT_CA_FILE", "METER_MQTT_CERT_FILE"),
    *("METER_MQTT_KEY_FILE", "METER_MQTT_URL", "METER_UNPAID_AFTER_MIN", "METRICS_TOKEN"),
    *("OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_ISSUER", "OIDC_NAME", "PLATE_SEARCH_RATE"),
    *("PROCESSOR_MINIMUM_CHARGE", "REDIS_URL", "SECRET_KEY", "SECURE_HSTS_SECONDS"),
    *("SECURE_SSL_REDIRECT", "SITE_URL", "STATIC_ROOT", "STRIPE_API_BASE", "STRIPE_API_KEY"),
    *("STRIPE_WEBHOOK_SECRETS", "TILE_RATE"),
)


@dataclass(frozen=True)
class Ports:
    """Where the servers listen, on 127.0.0.1: the pages, the two stand-ins, what waits in line."""

    web: int = 8000
    sandbox: int = 8010
    meters: int = 8020
    line: int = 8030

    @classmethod
    def wanted(cls, environ: Mapping[str, str]) -> "Ports":
        """Return the usual ports, or those of WEB_PORT, SANDBOX_PORT, METERS_PORT, LINE_PORT."""
        usual = {
            "WEB_PORT": cls.web,
            "SANDBOX_PORT": cls.sandbox,
            "METERS_PORT": cls.meters,
            "LINE_PORT": cls.line,
        }
        chosen = []
        for name, number in usual.items():
            text = environ.get(name) or str(number)
            if not text.isdecimal() or not 0 < int(text) < 65536:
                raise SetupError(f"{name} must be a port between 1 and 65535, not {text!r}")
            chosen.append(int(text))
        return cls(*chosen)

    def free(self) -> tuple["Ports", list[str]]:
        """Return ports that are free now (each as wanted, or the next) and what to say of it."""
        taken: list[int] = []
        changes = []
        for name, wanted in (
            ("site", self.web),
            ("sandbox", self.sandbox),
            ("meters", self.meters),
            ("line of meters and maps", self.line),
        ):
            port = next(
                (port for port in range(wanted, 65536) if port not in taken and is_free(port)), None
            )
            if port is None:
                raise SetupError(f"no port from {wanted} upwards is free for the {name}")
            if port != wanted:
                changes.append(f"Port {wanted} is in use; the {name} takes {port}.")
            taken.append(port)
        return Ports(*taken), changes


def is_free(port: int) -> bool:
    """Whether nobody listens on this port; connections that wind down do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen()
        except OSError:
            return False
    return True


def city(environ: Mapping[str, str]) -> str:
    """Return the name of the demo city that CITY asks for."""
    name = environ.get("CITY") or "helsinki"
    if name not in _CITIES:
        raise SetupError(f"CITY={name}: there is no such demo city. Choose {' or '.join(_CITIES)}.")
    return name


def for_site(
    environ: Mapping[str, str], place: Place, ports: Ports, *, database_url: str, redis_url: str
) -> dict[str, str]:
    """Return the whole environment of the site. What the caller has set in `environ` stays."""
    secret = _secrets(place.home / "secrets.json")
    env = {
        "DEBUG": "0",
        "SITE_URL": f"http://127.0.0.1:{ports.web}",
        "LIVE_URL": f"http://127.0.0.1:{ports.line}/map/live",  # no proxy stands before both
        "STATIC_ROOT": str(place.home / "static"),
        "PYTHONUNBUFFERED": "1",
        # A letter has a key to a booking: not for a log. The path has a slash of its own.
        "EMAIL_URL": f"file:///{place.home}/mail",
        **_CITIES[city(environ)],
        "SECRET_KEY": secret["SECRET_KEY"],
        "METER_KEYS_SECRET": secret["METER_KEYS_SECRET"],
        "METER_GATEWAY_URL": f"http://127.0.0.1:{ports.meters}",
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        **{name: value for name, value in environ.items() if value or name not in _SETTINGS},
    }
    if not environ.get("STRIPE_API_KEY"):
        env |= {
            "STRIPE_API_KEY": secret["STRIPE_API_KEY"],
            "STRIPE_API_BASE": f"http://127.0.0.1:{ports.sandbox}",
            "STRIPE_WEBHOOK_SECRETS": secret["STRIPE_WEBHOOK_SECRET"],
        }
        if not environ.get("EMAIL_URL"):
            env.setdefault("DEMO_MAILBOX", "1")
    elif env["CITY_CURRENCY"] in _NOT_AT_STRIPE and not environ.get("STRIPE_API_BASE"):
        raise SetupError(
            f"STRIPE_API_KEY is set, but Stripe does not settle {env['CITY_CURRENCY']}, the "
            f"currency of {env['CITY_NAME']}. Unset STRIPE_API_KEY to use the sandbox, or choose "
            "a city whose currency Stripe settles (CITY=helsinki)."
        )
    return env


def for_tests(database_url: str, redis_url: str) -> dict[str, str]:
    """Return the environment of tests and benchmarks: the same on every machine."""
    kept = {name: value for name, value in os.environ.items() if name not in _SETTINGS}
    return kept | {
        "DEBUG": "1",
        "SECRET_KEY": "only-for-tests-" + "x" * 32,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
    }


def remember_addresses(place: Place, env: Mapping[str, str]) -> None:
    """Note what the running site uses, for `make manage` and `make shell` in another terminal."""
    noted = {name: env[name] for name in _SETTINGS if name in env}
    _write_private(place.home / "running.json", noted)


def forget_addresses(place: Place) -> None:
    """Remove the note of `remember_addresses`."""
    (place.home / "running.json").unlink(missing_ok=True)


def of_running_site(place: Place) -> dict[str, str] | None:
    """Return the settings of the site that runs in this place now, None before it has any."""
    try:
        noted = json.loads((place.home / "running.json").read_text())
    except (OSError, ValueError):
        return None
    return {**os.environ, **noted}


def of_this_checkout() -> dict[str, str]:
    """Return settings for a command that somebody runs by hand, without any of their own.

    Those of the running site where there is one; else such as need no server.
    """
    running = of_running_site(Place("run"))
    return running or for_tests("postgis:///curblight", "redis://127.0.0.1:1/0")


def _secrets(path: Path) -> dict[str, str]:
    """Return this installation's secrets, made once and readable by their owner only."""
    made = {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "METER_KEYS_SECRET": secrets.token_urlsafe(48),
        "STRIPE_API_KEY": f"sk_test_{secrets.token_hex(16)}",
        "STRIPE_WEBHOOK_SECRET": f"whsec_{secrets.token_hex(24)}",
    }
    if path.exists():
        try:
            made |= json.loads(path.read_text())
        except ValueError as error:
            raise SetupError(
                f"{path} is damaged ({error}). Remove it; new secrets will be made."
            ) from error
    else:
        _write_private(path, made)
    return made


def _write_private(path: Path, values: Mapping[str, str]) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    half = path.with_suffix(".new")
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(values, file, indent=1)
    half.rename(path)
