"""The real process on which meters and maps wait, as the site starts it, on a free port."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings as site_settings

from tests.parking.street import database_url, eventually


@contextmanager
def running_line(log: Path) -> Iterator[str]:
    """Start it on the test's database, and return its address; it may not fail."""
    command = [sys.executable, "-m", "uvicorn", "--port", "0", "--no-access-log"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--timeout-graceful-shutdown", "1", "config.asgi:application"],
            env={**os.environ, "DATABASE_URL": database_url(), "PGAPPNAME": "line"},
            cwd=site_settings.BASE_DIR,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        found = eventually(
            lambda: re.search(r"running on (http://\S+)", log.read_text()), within=40
        )
        yield found[1]
    finally:
        process.terminate()
        assert process.wait(10) is not None
        assert "Traceback" not in log.read_text(), log.read_text()
