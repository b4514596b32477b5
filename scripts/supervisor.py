"""Run several processes under one readable log: restart what fails, stop all of it in order."""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from types import FrameType

from scripts.local_services import last_lines
from scripts.places import SetupError
from scripts.processes import Service, Stopping, kill_group, start

_BACK_OFF = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds before each new try; then the service is given up
_HEALTHY_AFTER = 60.0  # seconds after which earlier failures no longer count
_COLOURS = (36, 33, 32, 35, 34, 96, 93, 92)


class StopRequested(Exception):
    """Somebody pressed Ctrl-C, or asked us to end in another way."""


class _Running:
    """One started service, what it said last, and how often it failed."""

    def __init__(self, service: Service, failures: int = 0):
        self.service = service
        self.failures = failures
        self.started_at = time.monotonic()
        self.process = start(service)
        self.said: deque[str] = deque(maxlen=8)
        self.rest = b""  # of a line that is not complete yet

    def lines(self, chunk: bytes) -> list[str]:
        """Add output; return the lines that it completes (all of them at the end of the output)."""
        *whole, self.rest = (self.rest + chunk).split(b"\n")
        if not chunk and self.rest:
            whole, self.rest = [self.rest], b""
        lines = [line.decode(errors="replace").rstrip() for line in whole]
        self.said.extend(lines)
        return lines


class Supervisor:
    """The processes of one `make run`. Everything happens in the thread that calls it."""

    def __init__(self) -> None:
        self._running: dict[str, _Running] = {}
        self._commands: set[str] = set()  # of what runs: these are meant to end
        self._restarts: list[tuple[float, Service, int]] = []
        self._selector = selectors.DefaultSelector()
        self._requests = 0
        self._silent = False
        self._coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        self._colours: dict[str, int] = {}
        # A signal writes into a pipe, so that a sleeping select() wakes up for it at once.
        self._wake, wake_writer = os.pipe()
        for end in (self._wake, wake_writer):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake_writer, warn_on_full_buffer=False)
        self._selector.register(self._wake, selectors.EVENT_READ)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup
                signal.signal(number, self._request_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    # --- Talking ------------------------------------------------------------------------------

    def say(self, text: str, name: str = "") -> None:
        """Print lines under a name; without a name they are our own."""
        if self._silent:
            return
        clock = time.strftime("%H:%M:%S")
        label = f"{name:<8}|"
        if name and self._coloured:
            colour = self._colours.setdefault(name, _COLOURS[len(self._colours) % len(_COLOURS)])
            label = f"\x1b[{colour}m{label}\x1b[0m"
        try:
            for line in text.splitlines():
                print(f"{clock} {label} {line}" if name else line)
            sys.stdout.flush()
        except OSError:
            # The terminal is gone, or the reader of a pipe: nobody is left to watch the site.
            self._silent = True
            self._requests += 1
            sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - until the end

    # --- Starting -----------------------------------------------------------------------------

    def start(self, service: Service, *, failures: int = 0) -> None:
        """Start a service and keep it running. Raises `SetupError` when it cannot be executed."""
        try:
            running = _Running(service, failures)
        except OSError as error:
            raise SetupError(f"{service.name} cannot be started: {error}") from error
        self._running[service.name] = running
        if running.process.stdout:
            os.set_blocking(running.process.stdout.fileno(), False)
            self._selector.register(running.process.stdout, selectors.EVENT_READ, running)

    def begin(self, name: str, argv: Sequence[str], env: Mapping[str, str]) -> None:
        """Start a command that ends by itself; `finish` waits for it."""
        self.start(Service(name, argv, env))
        self._commands.add(name)

    def finish(self, name: str) -> None:
        """Wait until a command has ended. Raises `SetupError` when it failed, `StopRequested`."""
        command = self._running[name]
        while command.process.poll() is None:
            self._turn(0.5)
        del self._running[name]
        self._commands.discard(name)
        self._drain(command)
        if command.process.returncode:
            shown = " ".join(command.service.argv[1:])
            raise SetupError(f"`{shown}` failed, {_how(command.process)}; its words are above")

    def run(self, name: str, argv: Sequence[str], env: Mapping[str, str]) -> None:
        """Run a command to its end. Raises `SetupError` when it fails, `StopRequested`."""
        self.begin(name, argv, env)
        self.finish(name)

    def wait_for(self, name: str, ready: Callable[[], bool], *, seconds: float) -> None:
        """Wait until `ready()`. Raises `SetupError` after so many seconds, `StopRequested`."""
        deadline = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > deadline:
                raise SetupError(f"{name} did not answer within {seconds:.0f} seconds")
            self._turn(0.1)

    def watch(self) -> None:
        """Pass on what the processes say and restart what ends. Returns only by an exception."""
        while True:
            self._turn(1.0)

    # --- Stopping -----------------------------------------------------------------------------

    def stop(self) -> None:
        """Stop everything, stage by stage. Another Ctrl-C takes the short way."""
        self._restarts.clear()
        before = self._requests
        for stage in sorted({running.service.stage for running in self._running.values()}):
            leaving = [
                Stopping(running.service, running.process)
                for running in self._running.values()
                if running.service.stage == stage
            ]
            while leaving:
                hurry = self._requests > before
                now = time.monotonic()
                leaving = [one for one in leaving if not one.step(now, hurry=hurry)]
                self._listen(0.05)
        for running in self._running.values():
            self._drain(running)
        self._running.clear()

    # --- One turn of the loop -----------------------------------------------------------------

    def _turn(self, seconds: float) -> None:
        now = time.monotonic()
        due = [entry for entry in self._restarts if entry[0] <= now]
        self._restarts = [entry for entry in self._restarts if entry[0] > now]
        for _, service, failures in due:
            self.start(service, failures=failures)
        if self._restarts:
            seconds = min(seconds, 0.2)
        self._listen(seconds)
        for name, running in list(self._running.items()):
            if name not in self._commands and running.process.poll() is not None:
                self._ended(running)
        if self._requests:
            raise StopRequested

    def _listen(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            if key.data is None:
                os.read(self._wake, 4096)
            else:
                self._read(key.data)

    def _read(self, running: _Running) -> bool:
        """Print what a service said since; False when there is no more for now."""
        stream = running.process.stdout
        if stream is None or stream.closed:
            return False
        try:
            chunk = os.read(stream.fileno(), 65536)
        except BlockingIOError:
            return False
        for line in running.lines(chunk):
            self.say(line or " ", running.service.name)
        if not chunk:
            self._selector.unregister(stream)
            stream.close()
        return bool(chunk)

    def _drain(self, running: _Running) -> None:
        while self._read(running):
            pass
        stream = running.process.stdout
        if stream is not None and not stream.closed:
            # A grandchild holds the pipe open; it is none of ours any more.
            self._selector.unregister(stream)
            stream.close()

    def _ended(self, running: _Running) -> None:
        """Say what happened to a service that should be running, and plan its next start."""
        service = running.service
        del self._running[service.name]
        kill_group(running.process, signal.SIGKILL)  # children that would keep its port
        self._drain(running)
        self.say(f"ended unexpectedly: {_how(running.process)}. Its last lines:", service.name)
        said = last_lines(service) if service.log else "\n".join(running.said)
        self.say("\n".join(f"    {line}" for line in (said or "(none)").splitlines()), service.name)
        lived = time.monotonic() - running.started_at
        failures = 0 if lived > _HEALTHY_AFTER else running.failures
        if failures < len(_BACK_OFF):
            wait = _BACK_OFF[failures]
            self._restarts.append((time.monotonic() + wait, service, failures + 1))
            self.say(f"starting again in {wait:g} s", service.name)
        elif service.vital:
            raise SetupError(f"{service.name} keeps failing, and nothing works without it")
        else:
            self.say("keeps failing and is given up; the rest goes on without it", service.name)

    def _request_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._requests += 1


def _how(process: subprocess.Popen[bytes]) -> str:
    code = process.returncode
    if code is None:
        return "still running"
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
