"""Fixtures that every test may use."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db.backends.postgresql.operations import DatabaseOperations
from playwright.sync_api import Browser

from config.settings import _broker_url
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
        settings.CELERY_BROKER_URL = _broker_url(own)


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


@pytest.fixture(autouse=True, scope="session")
def _books_can_be_emptied_between_tests() -> None:
    """Switch the triggers off that refuse a TRUNCATE, for Django's flush alone."""
    flush = DatabaseOperations.execute_sql_flush

    def flush_without_triggers(self: DatabaseOperations, sql_list: list[str]) -> Any:
        return flush(self, ["SET LOCAL session_replication_role = replica", *sql_list])

    DatabaseOperations.execute_sql_flush = flush_without_triggers


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
