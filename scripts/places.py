"""Where the private servers of this checkout keep their things, and who may use them now."""

import fcntl
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
# The longest name that a server puts into the folder of sockets.
LONGEST_SOCKET = "postgres/.s.PGSQL.5432.lock"


class SetupError(Exception):
    """Something that a person has to put right; the message says what and how."""


class BusyError(SetupError):
    """Another command is using the same servers."""

    def __init__(self, holder: str):
        super().__init__(f"another command is using these servers: {holder}")
        self.holder = holder


class Place:
    """One folder under `.local/`: `run` for the site, `test` and `bench` for theirs."""

    def __init__(self, name: str, local: Path = CHECKOUT / ".local"):
        self.name = name
        self.home = local / name

    def make(self) -> None:
        """Create the folder. Others may pass through: under root, PostgreSQL is somebody else."""
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            self.home.chmod(0o711)
        except PermissionError as error:
            raise SetupError(
                f"{error.filename} belongs to another user, probably from a run as root. "
                "Run as that user, or remove .local as root."
            ) from error

    @contextmanager
    def alone(self, *, wait: bool = False) -> Iterator[None]:
        """Hold this place for one command at a time. Raises `BusyError`, or waits its turn."""
        self.make()
        with (self.home / "lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                holder = lock.read().strip()
                if not wait:
                    raise BusyError(holder) from None
                print(f"Waiting for another command in this checkout: {holder}", flush=True)
                fcntl.flock(lock, fcntl.LOCK_EX)
            lock.truncate(0)
            lock.write(f"process {os.getpid()}, since {time.strftime('%H:%M')}")
            lock.flush()
            yield

    def in_use(self) -> bool:
        """Whether another command holds this place."""
        try:
            with self.alone():
                return False
        except BusyError:
            return True

    def sockets(self) -> Path:
        """Return a folder that can hold unix sockets, whose paths must stay under 107 bytes."""
        here = self.home / "sockets"
        if here.is_symlink() and _ours(here.resolve()):
            return here.resolve()
        here.unlink() if here.is_symlink() else here.mkdir(exist_ok=True)
        if not here.exists() or not _can_hold_sockets(here):
            if here.exists():
                here.rmdir()
            # The checkout lies too deep, or on a file system without sockets.
            here.symlink_to(tempfile.mkdtemp(prefix="curblight-", dir="/tmp"))
        here.resolve().chmod(0o711)
        return here.resolve()

    def remove(self) -> None:
        """Delete everything that was kept here."""
        sockets = self.home / "sockets"
        if sockets.is_symlink() and _ours(sockets.resolve()):
            shutil.rmtree(sockets.resolve())
        shutil.rmtree(self.home, ignore_errors=False)


def _ours(folder: Path) -> bool:
    return folder.is_dir() and folder.stat().st_uid == os.geteuid()


def _can_hold_sockets(folder: Path) -> bool:
    probe = folder / LONGEST_SOCKET.replace("/", "-")
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(probe))
    except OSError:
        return False
    finally:
        probe.unlink(missing_ok=True)
    return True
