"""Everything that one terminal starts also ends with it, whatever happens in between."""

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts.places import CHECKOUT
from scripts.processes import MARK, end, processes_in

PRELUDE = '''
import signal, sys
from pathlib import Path
from scripts.places import SetupError
from scripts.processes import MARK, Service
from scripts.supervisor import StopRequested, Supervisor

place = Path(sys.argv[1])
env = {MARK: str(place), "PATH": "/usr/bin:/bin", "PYTHONUNBUFFERED": "1"}

def python(name, code, **how):
    return Service(name, [sys.executable, "-c", code], env, **how)

FOREVER = "import time; print('ready'); time.sleep(600)"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + FOREVER
CLEAN = "import signal, sys; signal.signal(15, lambda *_: (print('bye'), sys.exit())); " + FOREVER
PARENT = "import subprocess; subprocess.Popen(['/bin/sleep', '600']); "
MOODY = f"""
from pathlib import Path
mark = Path({str(place / 'mark')!r})
if not mark.exists():
    mark.touch()
    raise SystemExit('no luck')
print('second try')
""" + FOREVER
SOON = ((signal.SIGTERM, 0.5), (signal.SIGKILL, 3.0))
LATE = ((signal.SIGTERM, 60.0), (signal.SIGKILL, 3.0))
supervisor = Supervisor()
code = 0
try:
'''
FINALE = """
    supervisor.watch()
except StopRequested:
    supervisor.say("stopping")
except SetupError as error:
    supervisor.say(f"error: {error}")
    code = 1
finally:
    supervisor.stop()
supervisor.say("all stopped")
sys.exit(code)
"""


class Session:
    """A program that supervises, in a terminal of its own."""

    def __init__(self, place: Path, steps: str):
        program = PRELUDE + "".join(f"    {line}\n" for line in steps.splitlines()) + FINALE
        self.place = place
        self.text = ""
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            # Whoever started the tests may ignore them, and that is inherited.
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.chdir(CHECKOUT)
            os.execv(sys.executable, [sys.executable, "-c", program, str(place)])
        os.set_blocking(self.terminal, False)

    def read_until(self, words: str, seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while words not in self.text:
            assert time.monotonic() < deadline, f"{words!r} never came. What came:\n{self.text}"
            self._read()

    def press_ctrl_c(self) -> None:
        os.write(self.terminal, b"\x03")

    def exit_code(self, seconds: float = 20) -> int:
        deadline = time.monotonic() + seconds
        while True:
            self._read()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                self._read()
                return os.waitstatus_to_exitcode(status)
            assert time.monotonic() < deadline, f"it does not end. What came:\n{self.text}"

    def hang_up(self) -> None:
        os.close(self.terminal)
        self.terminal = -1

    def left_running(self) -> list[int]:
        return processes_in(self.place)

    def close(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        end(self.left_running, polite=signal.SIGKILL, seconds=3)
        if self.terminal >= 0:
            os.close(self.terminal)

    def _read(self) -> None:
        if self.terminal < 0:
            time.sleep(0.02)
            return
        try:
            self.text += os.read(self.terminal, 65536).decode(errors="replace")
        except OSError:  # nothing yet, or the other side is closed
            time.sleep(0.02)


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[[str], Session]]:
    sessions: list[Session] = []

    def begin(steps: str) -> Session:
        sessions.append(Session(tmp_path, steps))
        return sessions[-1]

    yield begin
    for session in sessions:
        session.close()


TWO = """
supervisor.start(python("front", CLEAN, stage=0))
supervisor.start(python("back", CLEAN, stage=1))
"""


def test_ctrl_c_stops_everything_stage_by_stage(supervise) -> None:
    session = supervise(TWO)
    session.read_until("front   |\x1b[0m ready")
    session.read_until("back    |\x1b[0m ready")
    session.press_ctrl_c()
    assert session.exit_code() == 0
    assert session.text.index("front   |\x1b[0m bye") < session.text.index("back    |\x1b[0m bye")
    assert session.left_running() == []


def test_ctrl_c_twice_does_not_wait_for_a_deaf_process(supervise) -> None:
    session = supervise('supervisor.start(python("deaf", DEAF, signals=LATE))')
    session.read_until("ready")
    session.press_ctrl_c()
    session.read_until("stopping")
    began = time.monotonic()
    session.press_ctrl_c()
    assert session.exit_code() == 0
    assert time.monotonic() - began < 3
    assert session.left_running() == []


def test_a_deaf_process_with_children_is_killed_with_them(supervise) -> None:
    session = supervise('supervisor.start(python("deaf", PARENT + DEAF, signals=SOON))')
    session.read_until("ready")
    assert len(session.left_running()) == 2
    session.press_ctrl_c()
    assert session.exit_code() == 0
    assert session.left_running() == []


def test_children_that_a_polite_process_forgets_are_killed(supervise) -> None:
    session = supervise('supervisor.start(python("hasty", PARENT + CLEAN))')
    session.read_until("ready")
    assert len(session.left_running()) == 2
    session.press_ctrl_c()
    assert session.exit_code() == 0
    assert session.left_running() == []


def test_a_term_or_a_closed_terminal_stops_it_too(supervise) -> None:
    told, closed = (supervise('supervisor.start(python("one", FOREVER))') for _ in range(2))
    for session in (told, closed):
        session.read_until("ready")
    os.kill(told.pid, signal.SIGTERM)
    assert told.exit_code() == 0
    closed.hang_up()
    assert closed.exit_code() == 0
    assert closed.left_running() == []


def test_nothing_outlives_a_supervisor_that_is_killed(supervise) -> None:
    session = supervise('supervisor.start(python("one", FOREVER))')
    session.read_until("ready")
    assert len(session.left_running()) == 1
    os.kill(session.pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while session.left_running() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert session.left_running() == []


def test_a_process_that_ends_is_named_with_its_last_words_and_started_again(supervise) -> None:
    session = supervise('supervisor.start(python("moody", MOODY))')
    session.read_until("ended unexpectedly: exit code 1")
    session.read_until("    no luck")
    session.read_until("second try")
    session.press_ctrl_c()
    assert session.exit_code() == 0


def test_a_vital_process_that_keeps_failing_ends_the_whole_with_an_error(supervise) -> None:
    session = supervise(
        "import scripts.supervisor as module\n"
        "module._BACK_OFF = (0.05, 0.05)\n"
        'supervisor.start(python("other", FOREVER))\n'
        'supervisor.start(python("site", "raise SystemExit(3)", vital=True))'
    )
    assert session.exit_code() == 1
    assert session.text.count("ended unexpectedly: exit code 3") == 3
    assert "error: site keeps failing" in session.text
    assert session.left_running() == []


def test_another_process_that_keeps_failing_is_given_up_and_the_rest_goes_on(supervise) -> None:
    session = supervise(
        "import scripts.supervisor as module\n"
        "module._BACK_OFF = (0.05,)\n"
        'supervisor.start(python("other", FOREVER))\n'
        'supervisor.start(python("extra", "raise SystemExit(3)"))'
    )
    session.read_until("is given up; the rest goes on")
    assert len(session.left_running()) == 1
    session.press_ctrl_c()
    assert session.exit_code() == 0


def test_a_command_that_fails_is_shown_and_ends_the_whole(supervise) -> None:
    session = supervise(
        'supervisor.start(python("other", FOREVER))\n'
        'supervisor.run("step", [sys.executable, "-c", "raise SystemExit(\'bad data\')"], env)'
    )
    assert session.exit_code() == 1
    assert "bad data" in session.text
    assert "failed, exit code 1" in session.text
    assert session.left_running() == []


def test_the_last_line_without_an_end_is_shown(supervise) -> None:
    session = supervise(
        'supervisor.run("step", [sys.executable, "-c", "print(\'half\', end=\'\')"], env)'
    )
    session.read_until("half")
    session.press_ctrl_c()
    assert session.exit_code() == 0


def test_a_reader_that_goes_away_stops_it(tmp_path: Path) -> None:
    program = PRELUDE + '    supervisor.start(python("one", "while True: print(1)"))\n' + FINALE
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=CHECKOUT,
        env={**os.environ, MARK: "elsewhere"},
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=20) == 0
    assert processes_in(tmp_path) == []
