"""Fixtures that every test may use."""

import gc
import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import OperationalError
from django.db.backends.postgresql.operations import DatabaseOperations
from django.utils import translation
from playwright.sync_api import Browser
from psycopg.errors import DeadlockDetected
from whitenoise.middleware import WhiteNoiseMiddleware
from xdist.scheduler import LoadScopeScheduling

from config.settings.servers import broker_url
from parking import remembered
from parking.models import Spot, Zone
from tests import cast
from tests.browser import chromium


def pytest_configure() -> None:
    """Hash cheaply; give each parallel worker a Redis database: clearing a cache empties it."""
    # Half a second of work for each person that a test makes, and nobody to keep out.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        own = f"{settings.REDIS_URL.partition('?')[0]}?db={1 + int(worker.removeprefix('gw'))}"
        os.environ["REDIS_URL"] = settings.REDIS_URL = own
        settings.CACHES["default"]["LOCATION"] = own
        settings.CELERY_BROKER_URL = broker_url(own)


# Long files, the longest first: a worker that began one of them last would keep all others waiting.
LONG = (
    *(
        "tests/journeys/",
        "tests/parking/conformance/test_check",
        "tests/parking/pages/test_browser",
    ),
    *("tests/payments/test_chaos", "tests/demo/", "tests/parking/admin/test_tariff_editor_browser"),
    *(
        "tests/parking/admin/test_browser",
        "tests/payments/sandbox/",
        "tests/payments/test_any_order",
    ),
    *("tests/payments/test_citizens", "tests/payments/test_queries"),
    *("tests/parking/pricing/", "tests/parking/lights/"),
    *("tests/parking/imports/", "tests/payments/test_audit_in", "tests/tooling/"),
)


def pytest_collection_finish() -> None:
    """Let the collector of garbage leave alone what stays: a tenth of the tests' time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(autouse=True)
def in_the_citys_language() -> Iterator[None]:
    """Forget the language of the last page: addresses are made in it."""
    yield
    translation.deactivate()


class Files(LoadScopeScheduling):
    """Hands out whole files, as `--dist loadfile`, and all journeys as one: they share a site."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "tests/journeys/" if file.startswith("tests/journeys/") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Files:
    """Replace what `--dist` names."""
    return Files(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long files; workers take files in this order."""

    def place(item: pytest.Item) -> int:
        known = (number for number, path in enumerate(LONG) if item.nodeid.startswith(path))
        return next(known, len(LONG))

    items.sort(key=place)


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()
    remembered.forget()


@pytest.fixture(autouse=True, scope="session")
def _tables_are_emptied_quickly() -> None:
    """Empty after a test the tables that it wrote to, with the triggers off that would refuse it.

    TRUNCATE makes the files of every table and index anew: half a second for all of them.
    """

    def sql_flush(
        self: DatabaseOperations, style: Any, tables: list[str], **_options: bool
    ) -> list[str]:
        names = [self.quote_name(table) for table in tables]
        looks = [f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in names]
        with self.connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(looks))
            written = [name for (name,) in cursor.fetchall()]
        return [f"DELETE FROM {name}" for name in written]

    def without_triggers(self: DatabaseOperations, sql_list: list[str]) -> Any:
        for others_are_at_it in (True, True, False):  # servers of the test that are still ending
            try:
                return flush(self, ["SET LOCAL session_replication_role = replica", *sql_list])
            except OperationalError as error:
                if not (others_are_at_it and isinstance(error.__cause__, DeadlockDetected)):
                    raise
        return None

    flush = DatabaseOperations.execute_sql_flush
    DatabaseOperations.sql_flush = sql_flush
    DatabaseOperations.execute_sql_flush = without_triggers


@pytest.fixture(autouse=True, scope="session")
def _static_files_are_looked_up_once() -> None:
    """Every test client makes the middleware anew, and that would read all static files again."""
    found: dict[str, Any] = {}
    look = WhiteNoiseMiddleware.add_files_from_finders

    def add_files(self: WhiteNoiseMiddleware) -> None:
        if not found:
            look(self)
            found.update(self.files)
        self.files.update(found)

    WhiteNoiseMiddleware.add_files_from_finders = add_files


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for the tests of one file; there can be only one at a time in a process."""
    with chromium() as started:
        yield started


@pytest.fixture
def zone(db: None) -> Zone:
    """A zone at two euro an hour."""
    return cast.a_zone()


@pytest.fixture
def spot(zone: Zone) -> Spot:
    """A free spot of that zone."""
    return cast.a_spot(zone)
