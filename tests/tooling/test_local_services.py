"""The private servers start as anybody, keep their data, and recover from an unclean end."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scripts import local_services
from scripts.local_services import Postgres, Redis, running
from scripts.places import Place, SetupError
from scripts.processes import end, processes_on, start


@pytest.fixture
def place() -> Iterator[Place]:
    # Closed to others, as the home of root is: PostgreSQL must get in all the same.
    folder = tempfile.mkdtemp(dir="/tmp")
    place = Place("test", Path(folder))
    with place.alone():
        yield place
    end(lambda: processes_on(place.home / "postgres/data"), polite=signal.SIGKILL, seconds=3)
    place.remove()
    shutil.rmtree(folder)


@contextmanager
def servers(place: Place) -> Iterator[tuple[Postgres, Redis]]:
    postgres, redis = Postgres(place, durable=False), Redis(place)
    with running(place, postgres, redis):
        yield postgres, redis


def query(postgres: Postgres, statement: str, database: str = "postgres") -> str:
    done = postgres.run("psql", "-Atq", "-d", database, "-c", statement)
    assert done.returncode == 0, done.stdout
    return done.stdout.strip()


def test_the_data_is_there_after_a_stop_and_a_crash(place: Place) -> None:
    with servers(place) as (postgres, redis):
        postgres.create_database("city")
        postgres.create_database("city")  # twice is fine
        query(postgres, "CREATE TABLE kerb AS SELECT 1 AS spot", "city")
        assert query(postgres, "SHOW listen_addresses") == ""
        assert redis.is_ready()
    assert processes_on(place.home / "postgres/data") == []

    # A supervisor that was killed hard enough to leave its server behind.
    orphan = start(postgres.service())
    wait_until_ready(postgres)
    with servers(place) as (postgres, _):
        assert orphan.wait(timeout=10) == 0
        assert query(postgres, "SELECT spot FROM kerb", "city") == "1"
        server = int((postgres.data / "postmaster.pid").read_text().split()[0])
        os.kill(server, signal.SIGKILL)
    assert (postgres.data / "postmaster.pid").exists()
    # Meanwhile the number of the dead server went to a process that has nothing to do with it.
    lines = (postgres.data / "postmaster.pid").read_text().splitlines()
    with subprocess.Popen(["/bin/sleep", "60"]) as innocent:
        lines[0] = str(innocent.pid)
        (postgres.data / "postmaster.pid").write_text("\n".join(lines) + "\n")
        with servers(place) as (postgres, _):
            assert query(postgres, "SELECT spot FROM kerb", "city") == "1"
        assert innocent.poll() is None
        innocent.kill()


def test_an_interrupted_creation_is_begun_again(place: Place) -> None:
    half = place.home / "postgres" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("15\n")
    with servers(place) as (postgres, _):
        assert query(postgres, "SELECT 1") == "1"


def test_a_cluster_of_a_version_that_is_gone_is_named(place: Place) -> None:
    (place.home / "postgres/data").mkdir(parents=True)
    (place.home / "postgres/data/PG_VERSION").write_text("9\n")
    with pytest.raises(SetupError, match=r"made by PostgreSQL 9, .*make reset"):
        Postgres(place)


def test_a_server_that_cannot_start_is_named_with_its_log(place: Place) -> None:
    with servers(place) as (postgres, _):
        pass
    with (postgres.data / "postgresql.conf").open("a") as configuration:
        configuration.write("shared_buffers = nonsense\n")
    with pytest.raises(SetupError, match=r"(?s)postgres did not start.*shared_buffers"):
        with servers(place):
            pytest.fail("it started with a nonsensical configuration")


def test_no_statement_of_a_refused_row_reaches_the_log(place: Place) -> None:
    with servers(place) as (postgres, _):
        query(postgres, "CREATE TABLE vehicles (plate text UNIQUE)")
        query(postgres, "INSERT INTO vehicles VALUES ('ABC-123')")
        refused = postgres.run(
            "psql", "-d", "postgres", "-c", "INSERT INTO vehicles VALUES ('ABC-123')"
        )
        assert refused.returncode != 0
    log = (place.home / "postgres.log").read_text()
    assert "duplicate key value" in log
    assert "ABC-123" not in log


def test_without_any_way_out_of_root_the_message_says_what_to_do(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root has to become somebody else")
    monkeypatch.setattr(local_services.Postgres, "_try", staticmethod(lambda *_: False))
    with pytest.raises(SetupError, match=r"refuses to run as root.*or set DATABASE_URL"):
        Postgres(place)


def wait_until_ready(postgres: Postgres) -> None:
    for _ in range(200):
        if postgres.is_ready():
            return
        subprocess.run(["/bin/sleep", "0.05"], check=True)
    pytest.fail("PostgreSQL did not come up")
