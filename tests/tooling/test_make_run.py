"""`make run` in a real terminal: up, a page, Ctrl-C, nothing left; then again, quickly."""

import os
import pty
import re
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.places import CHECKOUT
from scripts.processes import end, processes_in, processes_on

pytestmark = pytest.mark.torture


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Path]:
    """A fresh clone of what is committed, with this checkout's packages."""
    folder = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", CHECKOUT, folder], check=True)
    (folder / ".venv").symlink_to((CHECKOUT / ".venv").resolve())
    yield folder
    end(lambda: left_running(folder), polite=signal.SIGKILL, seconds=3)
    subprocess.run(["make", "reset"], cwd=folder, check=True)
    shutil.rmtree(folder)


def left_running(clone: Path) -> list[int]:
    place = clone / ".local" / "run"
    return processes_in(place) + processes_on(place / "postgres/data")


class Run:
    """One `make run` in a terminal of its own, with an environment that sets nothing."""

    def __init__(self, clone: Path, **environ: str):
        self.text = ""
        self.began = time.monotonic()
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            # A shell that started the tests in the background ignores it, and that is inherited.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.chdir(clone)
            os.execvpe("make", ["make", "run"], newcomer(**environ))
        os.set_blocking(self.terminal, False)

    def wait_until_up(self, seconds: float) -> float:
        """Return after how many seconds it was up."""
        while "Ctrl-C stops everything." not in self.text:
            self._read()
            assert time.monotonic() - self.began < seconds, self.text
            assert os.waitpid(self.pid, os.WNOHANG)[0] == 0, self.text
        return time.monotonic() - self.began

    def address(self, of: str) -> str:
        found = re.search(rf"^ *{of} +(http://\S+)", self.text, re.MULTILINE)
        assert found, self.text
        return found[1]

    def press_ctrl_c(self, times: int = 1) -> float:
        """Return how many seconds it took until everything was gone."""
        began = time.monotonic()
        for _ in range(times):
            os.write(self.terminal, b"\x03")
            time.sleep(0.2)
        while True:
            self._read()
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                return time.monotonic() - began
            assert time.monotonic() - began < 30, self.text

    def kill_the_supervisor(self) -> None:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        os.kill(int(children[0]), signal.SIGKILL)
        os.waitpid(self.pid, 0)

    def _read(self) -> None:
        try:
            self.text += os.read(self.terminal, 65536).decode(errors="replace")
        except OSError:
            time.sleep(0.05)


def newcomer(**environ: str) -> dict[str, str]:
    """The environment of somebody who has set nothing, least of all what these tests run with."""
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **environ}


def count_spots(clone: Path) -> int:
    """Ask through `make manage`, beside the running site or without it."""
    question = 'ARGS=shell -c "from parking.models import Spot; print(Spot.objects.count())"'
    command = ["make", "--silent", "manage", question]
    done = subprocess.run(
        command, cwd=clone, env=newcomer(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1])


def answer(address: str) -> int:
    with urllib.request.urlopen(address, timeout=10) as response:
        return int(response.status)


def test_it_comes_up_answers_stops_and_comes_up_again_with_the_data(clone: Path) -> None:
    first = Run(clone)
    first.wait_until_up(300)
    for name in ("Site", "Payment sandbox", "Street of meters"):
        assert answer(first.address(name)) == 200
    second = subprocess.run(
        ["make", "run"], cwd=clone, env=newcomer(), capture_output=True, text=True, check=False
    )
    assert second.returncode != 0
    assert "running already" in second.stderr
    spots = count_spots(clone)
    assert spots > 0
    assert first.press_ctrl_c() < 10
    assert left_running(clone) == []

    again = Run(clone)
    assert again.wait_until_up(60) < 10
    again.kill_the_supervisor()
    deadline = time.monotonic() + 10
    while left_running(clone) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left_running(clone) == []

    after_the_crash = Run(clone)
    after_the_crash.wait_until_up(60)
    assert after_the_crash.press_ctrl_c(times=2) < 10
    assert left_running(clone) == []
    assert count_spots(clone) == spots
    assert left_running(clone) == []


def test_a_wrong_setting_ends_it_with_one_sentence_and_no_trace(clone: Path) -> None:
    for name, value, words in (
        ("CITY", "paris", "no such demo city"),
        ("CITY_CENTRE", "3", "CITY_CENTRE must be"),
        ("DATABASE_URL", "postgis://nobody@127.0.0.1:1/none", "database cannot be used"),
        ("REDIS_URL", "redis://127.0.0.1:1/0", "redis cannot be used"),
    ):
        done = subprocess.run(
            ["make", "run"], cwd=clone, env=newcomer(**{name: value}),
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        said = done.stdout + done.stderr
        assert done.returncode != 0
        assert words in said
        assert "Traceback" not in said
        assert left_running(clone) == []
