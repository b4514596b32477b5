"""`make run`: the whole site on this machine, under one log, until Ctrl-C."""

import hashlib
import http.client
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from scripts import environment, site_services
from scripts.environment import ACCOUNTS, PASSWORD, Ports
from scripts.local_services import Postgres, Redis, sweep
from scripts.messages import compile_all
from scripts.places import CHECKOUT, BusyError, Place, SetupError
from scripts.processes import MARK
from scripts.supervisor import StopRequested, Supervisor

_MANAGE = (sys.executable, "manage.py")


def main() -> int:
    """Start the site, watch it, stop it. Return the exit code."""
    place = Place("run")
    try:
        with place.alone():
            sweep(place)
            return Site(place, os.environ).run()
    except BusyError as busy:
        print(f"make run: running already ({busy.holder}); see its terminal.", file=sys.stderr)
    except SetupError as error:
        print(f"make run: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        return 0
    return 1


class Site:
    """One start of the site: the servers, the demo city, the page that answers."""

    def __init__(self, place: Place, environ: dict[str, str] | os._Environ[str]):
        """Choose ports and settings; nothing is started. Raises `SetupError`."""
        self.began = time.monotonic()
        self.place = place
        self.city = environment.city(environ)
        self.ports, self.changes = Ports.wanted(environ).free()
        self.postgres = None if environ.get("DATABASE_URL") else Postgres(place)
        self.redis = None if environ.get("REDIS_URL") else Redis(place)
        self.has_sandbox = not environ.get("STRIPE_API_KEY")
        self.has_meters = not environ.get("METER_GATEWAY_URL")
        self.env = environment.for_site(
            environ,
            place,
            self.ports,
            database_url=self.postgres.url(self.database) if self.postgres else "",
            redis_url=self.redis.url if self.redis else "",
        )
        self.env[MARK] = str(place.home)
        self.supervisor = Supervisor()

    @property
    def database(self) -> str:
        """The name of the city's database in the private cluster."""
        return f"curblight_{self.city}"

    def run(self) -> int:
        """Run until somebody stops it (0) or it cannot go on (1)."""
        code = 0
        try:
            self._start()
            self.supervisor.watch()
        except StopRequested:
            self.supervisor.say("\nStopping. (Ctrl-C again takes the short way.)")
        except SetupError as error:
            self.supervisor.say(f"\nmake run: {error}")
            code = 1
        finally:
            self.supervisor.stop()
            environment.forget_addresses(self.place)
        self.supervisor.say("Everything is stopped.")
        return code

    def _start(self) -> None:
        supervisor = self.supervisor
        for change in self.changes:
            supervisor.say(change)
        # 1. The servers; meanwhile a look at the settings, before anything else trips over them.
        for server in (self.postgres, self.redis):
            if server:
                supervisor.start(server.service())
        theirs = [
            *(["database"] if not self.postgres else []),
            *(["redis"] if not self.redis else []),
        ]
        check = [sys.executable, "-m", "scripts.check_environment", *theirs]
        supervisor.run("setup", check, self.env)
        compile_all()
        # 2. What needs no database; the pages' files are compressed meanwhile.
        if self.has_sandbox:
            supervisor.start(site_services.sandbox(self.env, self.ports, self.place, self.city))
        stamp = self.place.home / "static.stamp"
        files = fingerprint(self.env["DEBUG"], CHECKOUT / "static", CHECKOUT / "requirements.txt")
        stale = not stamp.exists() or stamp.read_text() != files
        if stale:
            stamp.unlink(missing_ok=True)
            collect = ["collectstatic", "--no-input", "--clear", "--verbosity", "0"]
            supervisor.begin("static", [*_MANAGE, *collect], self.env)
        # 3. The database and the demo city, which pays through the sandbox.
        if self.postgres:
            supervisor.wait_for("PostgreSQL", self.postgres.is_ready, seconds=60)
            self.postgres.create_database(self.database)
        self._manage("migrate", "--no-input", "--verbosity", "0")
        if self.has_meters:
            supervisor.start(site_services.meters(self.env, self.ports))
        if self.redis:
            supervisor.wait_for("Redis", self.redis.is_ready, seconds=30)
        if self.has_sandbox:
            sandbox = answers(self.ports.sandbox, "/")
            supervisor.wait_for("the payment sandbox", sandbox, seconds=30)
        environment.remember_addresses(self.place, self.env)
        by_broker = "20" if self.env.get("METER_MQTT_URL") else "0"
        shares = ("--polling", "10", "--by-broker", by_broker)
        self._manage("seed_demo", "--city", self.city, "--if-empty", *shares)
        if stale:
            supervisor.finish("static")
            stamp.write_text(files)
        # 4. The site itself.
        supervisor.start(site_services.worker(self.env))
        supervisor.start(site_services.beat(self.env, self.place))
        supervisor.start(site_services.line(self.env, self.ports))
        if self.env.get("METER_MQTT_URL"):
            supervisor.start(site_services.mqtt(self.env))
        supervisor.start(site_services.web(self.env, self.ports))
        supervisor.wait_for("the site", answers(self.ports.web, "/healthz"), seconds=90)
        supervisor.say(self._welcome())

    def _manage(self, *arguments: str) -> None:
        self.supervisor.run("setup", [*_MANAGE, *arguments], self.env)

    def _welcome(self) -> str:
        """Return what a newcomer wants to know, once everything answers."""
        seconds = time.monotonic() - self.began
        places = {
            "Site": site_services.site_path(self.env, "/"),
            "Operator's desk": site_services.site_path(self.env, "/admin/"),
            "Audit": site_services.site_path(self.env, "/audit/"),
            "API": site_services.site_path(self.env, "/api/"),
        }
        if self.env.get("DEMO_MAILBOX") == "1":
            places["Letters"] = site_services.site_path(self.env, "/demo/mail/")
        if self.has_sandbox:
            places["Payment sandbox"] = f"http://127.0.0.1:{self.ports.sandbox}/"
        if self.has_meters:
            places["Street of meters"] = f"http://127.0.0.1:{self.ports.meters}/"
        return "\n".join(
            [
                "",
                f"  Curblight in {self.env['CITY_NAME']} is up, after {seconds:.1f} s.",
                "",
                *(f"  {what:<18}{address}" for what, address in places.items()),
                "",
                f"  Demo accounts, each with the password {PASSWORD}:",
                *(f"  {account:<24}{purpose}" for account, purpose in ACCOUNTS.items()),
                "",
                "  Ctrl-C stops everything.",
                "",
            ]
        )


def answers(port: int, path: str) -> Callable[[], bool]:
    """Return a question: does the server on this port answer this path with success?"""

    def ask() -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            # As a proxy would, so that a site with an https address does not send us away.
            connection.request("GET", path, headers={"X-Forwarded-Proto": "https"})
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return ask


def fingerprint(mode: str, *roots: Path) -> str:
    """Return a hash of a mode and of names, sizes and times of the files under these roots."""
    lines = [mode]
    for root in roots:
        files = sorted(root.rglob("*")) if root.is_dir() else [root]
        lines += [
            f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}"
            for file in files
            if file.is_file()
        ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
