"""A command beside its own servers: its exit code counts, and the servers end with it."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.places import CHECKOUT, Place
from scripts.processes import end, processes_in, processes_on


@pytest.fixture
def place() -> Iterator[Place]:
    folder = tempfile.mkdtemp(dir="/tmp")
    place = Place("test", Path(folder))
    yield place
    end(lambda: servers(place), polite=signal.SIGKILL, seconds=3)
    place.remove()
    shutil.rmtree(folder)


def beside_services(place: Place, code: str) -> subprocess.Popen[str]:
    elsewhere = (
        "import sys; from pathlib import Path; from scripts import with_services as it; "
        f"it.Place = lambda name, P=it.Place: P(name, Path({str(place.home.parent)!r})); "
        f"sys.exit(it.main(['test', sys.executable, '-c', {code!r}]))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", elsewhere],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell that started the tests in the background ignores it, and that is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def servers(place: Place) -> list[int]:
    return processes_in(place.home) + processes_on(place.home / "postgres/data")


def test_the_command_finds_both_servers_and_its_exit_code_is_ours(place: Place) -> None:
    code = (
        "import os, sys; from redis import Redis; Redis.from_url(os.environ['REDIS_URL']).ping(); "
        "import psycopg; url = os.environ['DATABASE_URL'].replace('postgis', 'postgresql', 1); "
        "psycopg.connect(url.rsplit('/', 1)[0] + '/postgres'); print('found both'); sys.exit(7)"
    )
    with beside_services(place, code) as process:
        said, _ = process.communicate(timeout=60)
    assert "found both" in said
    assert process.returncode == 7
    assert servers(place) == []


@pytest.mark.parametrize("to_all", [True, False], ids=["ctrl-c", "term"])
def test_an_interrupted_command_takes_its_servers_along(place: Place, to_all: bool) -> None:
    with beside_services(
        place, "import time; print('here', flush=True); time.sleep(60)"
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "here\n"
        assert servers(place)
        if to_all:  # as the terminal does
            os.killpg(process.pid, signal.SIGINT)
        else:
            process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == (130 if to_all else 143)
    assert servers(place) == []


def test_servers_of_a_killed_command_end_too(place: Place) -> None:
    with beside_services(place, "import time; print('here', flush=True); time.sleep(5)") as process:
        assert process.stdout
        process.stdout.readline()
        process.kill()
    deadline = time.monotonic() + 10
    while servers(place) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert servers(place) == []
