"""A Redis and a Celery worker with its beat, on the test's own database, that a test may kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from celery import current_app
from django.conf import settings
from django.db import connection
from kombu import pools

from parking.tasks import nudges
from tests.parking.street import eventually

WORKER = "worker of a test"  # how the database knows it


def forget_connections() -> None:
    """Let the next nudge connect anew: to where the settings say then."""
    pools.reset()
    current_app._pool = None  # type: ignore[attr-defined]
    current_app.amqp._producer_pool = None  # type: ignore[attr-defined]


class Redis:
    """A Redis server that can be taken away and brought back."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "r.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", str(self.path), "--save", ""],
            cwd=self.path.parent,
            stdout=subprocess.DEVNULL,
        )
        eventually(self._answers)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        ping = ["redis-cli", "-s", str(self.path), "ping"]
        return b"PONG" in subprocess.run(ping, capture_output=True, check=False).stdout


@pytest.fixture
def redis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    """A Redis at which this process, too, leaves its nudges."""
    server = Redis(tmp_path)
    server.start()
    forget_connections()
    monkeypatch.setattr(nudges, "_quiet_until", 0.0)
    monkeypatch.setattr(
        current_app.conf, "broker_write_url", f"redis+socket://{server.path}?virtual_host=0"
    )
    yield server
    server.stop()
    forget_connections()


class Worker:
    """A process group of its own; `kill` is kill -9 of all of it."""

    def __init__(self, *, redis: Path, gateway: str, folder: Path) -> None:
        address = settings.DATABASES["default"]
        host = str(address["HOST"]).replace("/", "%2F")
        user = (
            f"{address['USER']}:{address['PASSWORD']}" if address["PASSWORD"] else address["USER"]
        )
        port = f":{address['PORT']}" if address["PORT"] else ""
        self._environment = {
            **os.environ,
            "DATABASE_URL": f"postgis://{user}@{host}{port}/{connection.settings_dict['NAME']}",
            "REDIS_URL": f"unix://{redis}?db=0",
            "METER_GATEWAY_URL": gateway,
            "PGAPPNAME": WORKER,
        }
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it needs some seconds until it works."""
        options = ["-c", "4", "-s", str(self._folder / "beat"), "--without-gossip"]
        with (self._folder / "worker.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "celery", "-A", "config", "worker", "-B"),
                    *("-P", "threads", "--without-mingle", *options),
                ],
                env=self._environment,
                cwd=settings.BASE_DIR,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def revive(self) -> bool:
        """Start it again if it has ended by itself, as every installation does; always True.

        A worker that loses its Redis in the middle of a task ends (kombu 5.7).
        """
        if self._process is not None and self._process.poll() is not None:
            self.start()
        return True

    def kill(self) -> None:
        """Kill it in the middle of whatever it does."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
