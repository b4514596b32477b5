"""The whole site with every real process, as `make run` starts it, on a database of its own."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from parking.pricing import Tariff
from scripts import site_services
from scripts.environment import Ports, for_site
from scripts.local_services import Redis
from scripts.places import CHECKOUT, Place
from scripts.processes import Service, start, stop
from scripts.run import fingerprint

# A site for each of the processes that share the tests.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
NAME = f"journeys-{WORKER}"
DATABASE = f"curblight-{NAME}"


class Stack:
    """Web, worker, beat, sandbox, meters and a Redis that a test may take away."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self.place = Place(NAME)
        self.place.make()
        for old in self.place.home.glob("sandbox-*"):
            old.unlink()
        self.redis = Redis(self.place)
        first = 18000 + 100 * int(WORKER.removeprefix("gw"))
        self.ports, _ = Ports(first, first + 20, first + 40, first + 60).free()
        self.database_url = self._empty_database()
        # The tests' own settings are not the site's.
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.env = for_site(
            {**kept, "CITY": "helsinki"},
            self.place,
            self.ports,
            database_url=self.database_url,
            redis_url=self.redis.url,
        )
        self.env["HOLD_RATE"] = ""  # journeys book more in a minute than people do
        self.running: dict[str, tuple[Service, subprocess.Popen[bytes]]] = {}

    @property
    def address(self) -> str:
        """Where the site answers, without a slash at the end."""
        return self.env["SITE_URL"]

    @property
    def street(self) -> str:
        """Where the simulated street answers."""
        return self.env["METER_GATEWAY_URL"]

    def up(self) -> None:
        """Start everything; raise with the log's end when something does not come up."""
        self.begin("redis")
        self.begin("sandbox")
        self.manage("migrate", "--no-input", "--verbosity", "0")
        self._collect_static()
        self.manage("seed_demo", "--city", "helsinki", "--history-days", "0")
        self._price_the_night()
        for name in ("meters", "worker", "beat", "web"):
            self.begin(name)
        self.wait_for_the_site()
        self.wait("the sandbox", lambda: self._answers(self.ports.sandbox, "/"))
        self.wait("the meters", lambda: self._answers(self.ports.meters, "/"))

    def wait_for_the_site(self) -> None:
        """Wait until pages are answered."""
        self.wait("the site", lambda: self._answers(self.ports.web, "/healthz"))

    def down(self) -> None:
        """Stop everything."""
        stop(list(self.running.values()))
        self.running.clear()

    def begin(self, name: str) -> None:
        """Start one process."""
        service = {
            "redis": self.redis.service,
            "sandbox": lambda: site_services.sandbox(self.env, self.ports, self.place, "helsinki"),
            "meters": lambda: site_services.meters(self.env, self.ports),
            "worker": lambda: site_services.worker(self.env),
            "beat": lambda: site_services.beat(self.env, self.place),
            "web": lambda: site_services.web(self.env, self.ports),
        }[name]()
        log = self.logs / f"{name}.log"
        service = replace(service, log=service.log or log)
        self.running[name] = (service, start(service))
        if name == "redis":
            self.wait("Redis", self.redis.is_ready)

    def end(self, name: str) -> None:
        """Stop one process, as a failure of its machine would."""
        service, process = self.running.pop(name)
        process.kill()
        stop([(service, process)])

    def manage(self, *arguments: str) -> None:
        """Run a command of manage.py."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            env=self.env,
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{arguments[0]}:\n{done.stdout}\n{done.stderr}"

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the database what is true, past the site."""
        with psycopg.connect(self._plain(self.database_url)) as connection:
            return connection.execute(query, values).fetchall()

    def let_the_hold_run_out(self, reference: str) -> None:
        """Do to a booking's rows what ten minutes do."""
        slots = (
            "SELECT slot.id FROM parking_slot slot JOIN parking_booking booking"
            " ON booking.id = slot.booking_id WHERE reference = %s"
        )
        self.change(f"UPDATE parking_slot SET held_until = now() WHERE id IN ({slots})", reference)
        self.change(
            f"UPDATE payments_payment SET next_check_at = now() WHERE slot_id IN ({slots})",
            reference,
        )

    def change(self, query: str, *values: Any) -> None:
        """Move the rows to where time alone would take them."""
        with psycopg.connect(self._plain(self.database_url)) as connection:
            connection.execute(query, values)

    def wait(self, what: str, holds: Callable[[], object], seconds: float = 40) -> Any:
        """Wait until something holds and return it; fail saying what did not."""
        deadline = time.monotonic() + seconds
        while not (result := holds()):
            self._supervise()
            if time.monotonic() > deadline:
                logs = "\n".join(self.last_lines(name) for name in self.running)
                raise AssertionError(f"{what}: not within {seconds} s\n{logs}")
            time.sleep(0.1)
        return result

    def _supervise(self) -> None:
        """Start a worker or beat again that ended, as whatever runs them in earnest does.

        Losing Redis ends a Celery worker now and then. Nothing else may end by itself.
        """
        for name, (_, process) in list(self.running.items()):
            if process.poll() is None:
                continue
            assert name in {"worker", "beat"}, f"{name} has ended:\n{self.last_lines(name)}"
            self.begin(name)

    def last_lines(self, name: str, count: int = 15) -> str:
        """Return the end of a process's log."""
        with suppress(OSError):
            lines = (self.logs / f"{name}.log").read_text(errors="replace").splitlines()
            return "\n".join(f"{name} | {line}" for line in lines[-count:])
        return ""

    def _collect_static(self) -> None:
        """Compress the pages' files, once for each state of them."""
        stamp = self.place.home / "static.stamp"
        state = fingerprint(NAME, CHECKOUT / "static", CHECKOUT / "requirements.txt")
        if not stamp.exists() or stamp.read_text() != state:
            self.manage("collectstatic", "--no-input", "--clear", "--verbosity", "0")
            stamp.write_text(state)

    def _price_the_night(self) -> None:
        """Replace each zone's tariff by one that also costs something at night and on Sundays."""
        document = {
            "currency": "EUR",
            "time_zone": "Europe/Helsinki",
            "bands": [
                {
                    "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
                    "from": "00:00",
                    "to": "24:00",
                    "tiers": [{"per_hour": 400}],
                }
            ],
        }
        self.change(
            "UPDATE parking_tariffversion"
            " SET in_force = tstzrange(lower(in_force), now() - interval '1 hour')"
            " WHERE state = 'approved' AND upper_inf(in_force)"
        )
        self.change(
            "INSERT INTO parking_tariffversion"
            " (zone_id, version, document, sha256, state, in_force, created_at)"
            " SELECT zone_id, max(version) + 1, %s, %s, 'approved',"
            " tstzrange(now() - interval '1 hour', NULL), now()"
            " FROM parking_tariffversion GROUP BY zone_id",
            json.dumps(document),
            Tariff.parse(document).sha256,
        )

    def _empty_database(self) -> str:
        parts = urlsplit(os.environ["DATABASE_URL"])
        with psycopg.connect(
            self._plain(urlunsplit(parts._replace(path="/postgres"))), autocommit=True
        ) as server:
            name = sql.Identifier(DATABASE)
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
            server.execute(sql.SQL("CREATE DATABASE {}").format(name))
        return urlunsplit(parts._replace(path=f"/{DATABASE}"))

    @staticmethod
    def _plain(url: str) -> str:
        return url.replace("postgis:", "postgresql:", 1)

    @staticmethod
    def _answers(port: int, path: str) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()
