"""The site as in production (granian, WSGI, two workers), on its own database."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql


@contextmanager
def site(database: str, port: int | None = None) -> Iterator[str]:
    """Set up Django on a new database and run the site on it; give the site's address.

    The server answers once the caller has migrated.
    """
    os.environ["DATABASE_URL"] = own_database(database)
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.settings"
    os.environ["DEBUG"] = "0"
    os.environ["LOG_LEVEL"] = "ERROR"
    import django

    django.setup()
    port = port or free_port()
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"),
        *("--port", str(port), "--workers", "2", "--blocking-threads", "4", "--no-ws"),
        *("--log-level", "error", "config.wsgi:application"),
    ]
    server = subprocess.Popen(command, start_new_session=True)
    try:
        _wait(f"http://127.0.0.1:{port}/healthz")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)  # its workers would outlive it
            server.wait()


def free_port() -> int:
    """Return a port of this machine on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def own_database(name: str) -> str:
    """Create an empty database beside the configured one and return its address."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    admin = urlunsplit(("postgresql", parts.netloc, "/postgres", "", ""))
    with psycopg.connect(admin, autocommit=True) as server:
        table = sql.Identifier(name)
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(table))
        server.execute(sql.SQL("CREATE DATABASE {}").format(table))
    return urlunsplit(parts._replace(path=f"/{name}"))


def _wait(url: str) -> None:
    for _ in range(200):
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise TimeoutError(url)
