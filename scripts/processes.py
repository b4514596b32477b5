"""Start a process that cannot outlive us, stop it in good order, find what a crash left behind."""

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

# Every process that we start carries this variable, so that a later run can find what a crash left.
MARK = "CURBLIGHT_STARTED_IN"
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Service:
    """How one process is started and stopped."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(repr=False)
    # Sent in this order, each with the seconds it is given, until the process is gone.
    signals: Sequence[tuple[signal.Signals, float]] = (
        (signal.SIGTERM, 6.0),
        (signal.SIGKILL, 3.0),
    )
    stage: int = 0  # at the end, a lower stage stops first
    patient: bool = False  # never hurried at the end: it has data to keep whole
    vital: bool = False  # nothing works without it
    log: Path | None = None  # a quiet service writes here, the others to our pipe
    prepare: Callable[[], None] | None = None  # mends what an unclean end left; before each start


def start(service: Service) -> subprocess.Popen[bytes]:
    """Start a service in a session of its own, which Ctrl-C in the terminal does not reach.

    Call it from the main thread: the kernel ends a process with the thread that started it.
    Raises OSError when the program cannot be executed.
    """
    if service.prepare:
        service.prepare()
    parent = os.getpid()
    first_signal = int(service.signals[0][0])

    def die_with_parent() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, first_signal)
        if os.getppid() != parent:
            os._exit(1)

    log = service.log.open("wb") if service.log else None
    try:
        return subprocess.Popen(
            service.argv,
            env=dict(service.env),
            stdin=subprocess.DEVNULL,
            stdout=log or subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
    finally:
        if log:
            log.close()


def kill_group(process: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to a process and the children that stayed in its session."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


class Stopping:
    """One process on its way out: a polite signal first, a harder one when its time is up."""

    def __init__(self, service: Service, process: subprocess.Popen[bytes]):
        self.service = service
        self.process = process
        self._left = list(service.signals)
        self._deadline = 0.0

    def step(self, now: float, *, hurry: bool = False) -> bool:
        """Send what is due at the monotonic time `now`; True once the process is gone."""
        if self.process.poll() is not None:
            kill_group(self.process, signal.SIGKILL)
            return True
        if hurry and not self.service.patient:
            self._left, self._deadline = self._left[-1:], now
        if self._left and now >= self._deadline:
            number, seconds = self._left.pop(0)
            self._deadline = now + seconds
            # The process tells its own children; only the last signal goes to all.
            if self._left:
                self.process.send_signal(number)
            else:
                kill_group(self.process, number)
        return False


def stop(services: Sequence[tuple[Service, subprocess.Popen[bytes]]]) -> None:
    """Stop processes stage by stage and wait until all are gone."""
    for stage in sorted({service.stage for service, _ in services}):
        leaving = [Stopping(*pair) for pair in services if pair[0].stage == stage]
        while leaving := [one for one in leaving if not one.step(time.monotonic())]:
            time.sleep(0.03)


def processes_in(place: Path) -> list[int]:
    """Return the ids of the living processes that were started for this place, except ourselves."""
    wanted = f"{MARK}={place}".encode()
    return [
        pid
        for pid, folder in _processes()
        if pid != os.getpid() and wanted in _read(folder / "environ").split(b"\0")
    ]


def processes_on(folder: Path) -> list[int]:
    """Return the ids of the living processes that work in `folder` or have it as an argument.

    The argument is readable also where the kernel hides another user's working directory.
    """
    argument = str(folder).encode()
    found = []
    for pid, entry in _processes():
        try:
            working_there = (entry / "cwd").readlink() == folder
        except OSError:
            working_there = False
        if working_there or argument in _read(entry / "cmdline").split(b"\0"):
            found.append(pid)
    return found


def end(pids: Callable[[], list[int]], *, polite: signal.Signals, seconds: float) -> None:
    """End all of `pids()`: politely first, by force for whatever is left after `seconds`."""
    for number, limit in ((polite, seconds), (signal.SIGKILL, 5.0)):
        for pid in pids():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
        deadline = time.monotonic() + limit
        while pids():
            if time.monotonic() > deadline:
                break
            time.sleep(0.1)
        else:
            return


def _processes() -> list[tuple[int, Path]]:
    return [(int(entry.name), entry) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
