"""A Celery worker with its beat, on the test's own database, that a test may kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.db import connection


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
