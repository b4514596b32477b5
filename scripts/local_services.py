"""A private PostgreSQL with PostGIS and a private Redis, on unix sockets under `.local/`."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from scripts.places import Place, SetupError
from scripts.processes import MARK, Service, end, processes_in, processes_on, start, stop

ROLE = "curblight"
_PORT = 5432  # only the name of a socket file: nothing listens on a port

_CONFIGURATION = """
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = 128MB
max_wal_size = 2GB
timezone = 'UTC'
# Statements and details carry plates and addresses of people: they stay out of the log.
log_min_error_statement = panic
log_error_verbosity = terse
log_checkpoints = off
"""


class Postgres:
    """A private cluster. PostgreSQL refuses root, so under root somebody else runs it."""

    def __init__(self, place: Place, *, durable: bool = True):
        self.home = place.home / "postgres"
        self.data = self.home / "data"
        self.sockets = place.sockets() / "postgres"
        self.durable = durable
        self.log = place.home / "postgres.log"
        self._bin = _find_binaries(self.data)
        for folder in (self.home, self.sockets):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o700)
        self._as_other = self._somebody_else() if os.geteuid() == 0 else []
        if not os.access(self.home, os.W_OK | os.X_OK):
            raise SetupError(
                f"{self.home} belongs to another user, probably from a run as root. "
                "Run as that user, or remove .local as root."
            )

    def url(self, database: str) -> str:
        """Return the DATABASE_URL of one database."""
        return f"postgis://{ROLE}@{quote(str(self.sockets), safe='')}/{database}"

    def service(self) -> Service:
        """Return how to run the server in the foreground."""
        fast = [] if self.durable else ["-c", "fsync=off", "-c", "full_page_writes=off"]
        return Service(
            name="postgres",
            argv=[
                *self._as_other,
                str(self._bin / "postgres"),
                *("-D", str(self.data), "-k", str(self.sockets), *fast),
            ],
            env=self._env(),
            signals=((signal.SIGINT, 15.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 3.0)),
            stage=3,
            patient=True,
            vital=True,
            log=self.log,
            prepare=self.prepare,
        )

    def prepare(self) -> None:
        """Create the cluster if there is none; recover from a run that did not end cleanly."""
        if not self.data.exists():
            self._create()
        self._forget_crash()

    def is_ready(self) -> bool:
        """Whether the server takes connections."""
        return self.run("pg_isready", "-q", "-d", "postgres").returncode == 0

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's own programs against this server."""
        at = ["-h", str(self.sockets), "-p", str(_PORT), "-U", ROLE]
        return self._captured([str(self._bin / program), *at, *arguments])

    def create_database(self, name: str) -> None:
        """Create a database of this name unless it exists."""
        exists = self.run("psql", "-Atq", "-d", "postgres", "-c", "SELECT datname FROM pg_database")
        if exists.returncode == 0 and name in exists.stdout.split():
            return
        made = self.run("createdb", name)
        if made.returncode:
            raise SetupError(
                f"PostgreSQL could not create the database {name}: {made.stdout.strip()}"
            )

    def _create(self) -> None:
        # Built beside its place and then moved: an interrupted start leaves no half cluster.
        half = self.home / "data.new"
        shutil.rmtree(half, ignore_errors=True)
        made = self._run_as_other(
            *(str(self._bin / "initdb"), "-D", str(half), "-U", ROLE, "-A", "trust"),
            *("-E", "UTF8", "--locale=C.UTF-8", "--no-instructions", "--no-sync"),
        )
        if made.returncode:
            raise SetupError(f"PostgreSQL could not create its data folder:\n{made.stdout.strip()}")
        with (half / "postgresql.conf").open("a") as configuration:
            configuration.write(_CONFIGURATION)
        half.rename(self.data)

    def _forget_crash(self) -> None:
        # A server that outlived its supervisor is stopped; a file that names a process which is not
        # ours (the number was given to another one) would keep PostgreSQL from starting for ever.
        if (self.data / "postmaster.pid").exists():
            end(lambda: processes_on(self.data), polite=signal.SIGINT, seconds=20)
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _somebody_else(self) -> Sequence[str]:
        """Return the command prefix that leaves root, trying the least privilege first."""
        ways: list[tuple[int, list[str]]] = []
        try:
            uid = pwd.getpwnam("postgres").pw_uid
        except KeyError:
            pass
        else:
            become = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
            ways.append((uid, become))
            # The checkout may be closed to others, as the home of root is.
            pass_through = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
            ways.append((uid, [*become, *pass_through]))
        ways.append((0, ["unshare", "--user", "--map-user=1000", "--map-group=1000"]))
        for uid, command in ways:
            for folder in (self.home, self.sockets):
                _give(folder, uid)
            # Where the user changes, the signal at the parent's death is lost unless kept.
            keep = ["--pdeathsig", "keep"] if command[0] == "setpriv" else []
            prefix = [*command, *keep]
            try:
                tried = [self._try(prefix, folder) for folder in (self.home, self.sockets)]
            except FileNotFoundError:
                continue
            if all(tried):
                return prefix
        raise SetupError(
            "PostgreSQL refuses to run as root, and here nobody else can: the user postgres "
            f"cannot enter {self.home}, and the kernel grants neither capabilities nor user "
            "namespaces. Move the checkout to a folder that others may enter, work as a normal "
            "user, or set DATABASE_URL."
        )

    @staticmethod
    def _try(prefix: Sequence[str], folder: Path) -> bool:
        probe = str(folder / "probe")
        script = 'test "$(id -u)" != 0 && : > "$1" && rm "$1"'
        tried = subprocess.run([*prefix, "sh", "-c", script, "sh", probe], capture_output=True)
        return tried.returncode == 0

    def _env(self) -> Mapping[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
        return {**kept, "LC_ALL": "C.UTF-8"}

    def _run_as_other(self, *command: str) -> subprocess.CompletedProcess[str]:
        return self._captured([*self._as_other, *command])

    def _captured(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            env=dict(self._env()),
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


class Redis:
    """A private Redis that keeps nothing: queues and caches are rebuilt from PostgreSQL."""

    def __init__(self, place: Place):
        self.socket = place.sockets() / "redis.sock"
        self._place = place
        program = shutil.which("redis-server") or shutil.which("redis-server", path="/usr/bin")
        if program is None:
            raise SetupError("redis-server is not installed; `apt-get install redis-server`")
        self._program = program

    @property
    def url(self) -> str:
        """Return the REDIS_URL."""
        return f"unix://{self.socket}?db=0"

    def service(self) -> Service:
        """Return how to run the server in the foreground."""
        return Service(
            name="redis",
            argv=[
                self._program,
                *("--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700"),
                *("--save", "", "--appendonly", "no", "--dir", str(self._place.home)),
                *("--daemonize", "no", "--loglevel", "notice"),
            ],
            env={"PATH": os.environ.get("PATH", ""), MARK: str(self._place.home)},
            stage=2,
            log=self._place.home / "redis.log",
            prepare=lambda: self.socket.unlink(missing_ok=True),
        )

    def is_ready(self) -> bool:
        """Whether the server takes connections."""
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(str(self.socket)) == 0


@contextmanager
def running(place: Place, *servers: Postgres | Redis) -> Iterator[None]:
    """Run servers of a place that the caller holds; stop them whatever happens."""
    sweep(place)
    started: list[tuple[Service, subprocess.Popen[bytes]]] = []
    try:
        for server in servers:
            service = server.service()
            started.append((service, start(service)))
        deadline = time.monotonic() + 60
        while not all(server.is_ready() for server in servers):
            for service, process in started:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SetupError(f"{service.name} did not start:\n{last_lines(service)}")
            time.sleep(0.05)
        yield
    finally:
        stop(started)


def sweep(place: Place) -> None:
    """End what a killed run left behind. The caller holds the place, so nobody is using it."""
    end(lambda: processes_in(place.home), polite=signal.SIGTERM, seconds=6)


def last_lines(service: Service, count: int = 8) -> str:
    """Return the end of a quiet service's log."""
    if service.log is None or not service.log.exists():
        return ""
    return "\n".join(service.log.read_text(errors="replace").splitlines()[-count:])


def _find_binaries(data: Path) -> Path:
    """Return the folder of programs for the existing cluster, else of the newest with PostGIS."""
    installed = {
        control.parts[4]: Path("/usr/lib/postgresql", control.parts[4], "bin")
        for control in Path("/usr/share/postgresql").glob("*/extension/postgis.control")
        if control.parts[4].isdigit() and int(control.parts[4]) >= 15
    }
    if (data / "PG_VERSION").exists():
        version = (data / "PG_VERSION").read_text().strip()
        if version not in installed:
            raise SetupError(
                f"the data under {data.parent} was made by PostgreSQL {version}, which is not "
                f"installed any more. Install postgresql-{version}-postgis-3, or start afresh "
                "with `make reset`."
            )
        return installed[version]
    if not installed:
        raise SetupError(
            "PostgreSQL 15 or newer with PostGIS is not installed; "
            "`apt-get install postgresql-postgis`"
        )
    return installed[max(installed, key=int)]


def _give(folder: Path, uid: int) -> None:
    """Make a folder and everything in it belong to a user, unless it does."""
    if folder.stat().st_uid == uid:
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, uid, -1, follow_symlinks=False)
