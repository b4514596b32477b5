"""The processes that the site consists of, beside PostgreSQL and Redis."""

import signal
import sys
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from scripts.environment import Ports
from scripts.places import Place
from scripts.processes import Service


def web(env: Mapping[str, str], ports: Ports) -> Service:
    """Serve the pages; stops first, so that nobody is answered by half a site."""
    return _python(
        "web",
        env,
        *("granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(ports.web)),
        *("--workers", "2", "--blocking-threads", "4", "--no-ws", "--log-level", "warning"),
        *("--respawn-failed-workers", "--workers-kill-timeout", "2", "config.wsgi:application"),
        stage=0,
        vital=True,
    )


def line(env: Mapping[str, str], ports: Ports) -> Service:
    """Let meters that only call us wait for their plans, and maps for what others book."""
    return _python(
        "line",
        env,
        *("uvicorn", "--host", "127.0.0.1", "--port", str(ports.line), "--log-level", "warning"),
        *("--no-access-log", "--timeout-graceful-shutdown", "1", "config.asgi:application"),
        stage=0,
    )


def mqtt(env: Mapping[str, str]) -> Service:
    """Take what meters say over MQTT."""
    return _python("mqtt", env, "config.mqtt", stage=0)


def worker(env: Mapping[str, str]) -> Service:
    """Do what pages have put into the queue."""
    # Celery warns root at length; who runs a demo as root knows, and the log stays readable.
    env = {**env, "PYTHONWARNINGS": "ignore:You're running the worker with superuser"}
    return _python(
        "worker",
        env,
        *("celery", "-A", "config", "--quiet", "worker", "-P", "threads", "-c", "16"),
        *("--without-gossip", "--without-mingle", "--loglevel", env.get("LOG_LEVEL") or "INFO"),
    )


def beat(env: Mapping[str, str], place: Place) -> Service:
    """Keep the timetable."""
    return _python(
        "beat",
        env,
        *("celery", "-A", "config", "--quiet", "beat", "--pidfile=", "--loglevel", "WARNING"),
        *("--schedule", str(place.home / "beat")),
    )


def sandbox(env: Mapping[str, str], ports: Ports, place: Place, city: str) -> Service:
    """Stand in for the payment processor."""
    return _python(
        "sandbox",
        env,
        *("payments.sandbox", "--port", str(ports.sandbox)),
        *("--state", str(place.home / f"sandbox-{city}.db")),
        *("--webhook-url", f"http://127.0.0.1:{ports.web}/stripe/webhook/"),
        *("--webhook-secret", env["STRIPE_WEBHOOK_SECRETS"]),
    )


def meters(env: Mapping[str, str], ports: Ports) -> Service:
    """Play the street of meters."""
    argv = [sys.executable, "manage.py", "simulate_meters", "--port", str(ports.meters)]
    argv += ["--line", f"http://127.0.0.1:{ports.line}", "--wait", "30"]
    return Service("meters", argv, env, stage=1)


def site_path(env: Mapping[str, str], path: str) -> str:
    """Return an address of the site as people reach it."""
    return urlsplit(env["SITE_URL"])._replace(path=path).geturl()


def _python(
    name: str, env: Mapping[str, str], *module: str, stage: int = 1, vital: bool = False
) -> Service:
    # By module, not by script: the scripts of an environment name the folder it was made in.
    argv: Sequence[str] = [sys.executable, "-m", *module]
    signals = ((signal.SIGTERM, 6.0), (signal.SIGKILL, 3.0))
    return Service(name, argv, env, signals=signals, stage=stage, vital=vital)
