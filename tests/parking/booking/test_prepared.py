"""The statements of a hold are planned once for a connection, and stay ordinary queries besides."""

from __future__ import annotations

import os
import resource
import select
from typing import Any
from unittest import mock

import psycopg
import pytest
from django.db import DataError, OperationalError, connection
from django.test.utils import CaptureQueriesContext

from parking import holds, prepared
from parking.models import Spot
from tests import cast

pytestmark = pytest.mark.django_db
wrapper: Any = connection  # Django's stubs do not know its checks of health


def kept(text: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_prepared_statements WHERE strpos(statement, %s) > 0", [text]
        )
        return int(cursor.fetchone()[0])


def test_a_statement_that_comes_again_is_planned_once() -> None:
    statement = "SELECT %(number)s::int + 1 AS planned_once"
    assert [prepared.fetch_one(statement, {"number": n}) for n in range(6)] == [
        (n + 1,) for n in range(6)
    ]
    assert kept("planned_once") == 1


def test_nothing_is_kept_behind_a_pooler(monkeypatch: pytest.MonkeyPatch) -> None:
    connection.ensure_connection()
    monkeypatch.setattr(connection.connection, "prepare_threshold", None)
    for number in range(6):
        prepared.fetch_one("SELECT %(number)s::int AS behind_a_pooler", {"number": number})
    assert kept("behind_a_pooler") == 0


def test_a_mistake_is_told_as_the_orm_tells_it() -> None:
    with pytest.raises(DataError, match="division by zero"):
        prepared.fetch_one("SELECT 1 / %(number)s::int", {"number": 0})


def test_no_row_is_none() -> None:
    assert prepared.fetch_one("SELECT 1 WHERE %(wish)s::bool", {"wish": False}) is None


def lose_the_connection() -> None:
    """Let the server end our connection behind our back, as a restart does."""
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
    select.select([connection.connection.fileno()], [], [], 10)  # until its last word is here


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_died_since_the_last_request_is_made_anew() -> None:
    connection.ensure_connection()
    lose_the_connection()
    wrapper.health_check_enabled, wrapper.health_check_done = True, False
    assert prepared.fetch_one("SELECT %(number)s::int", {"number": 7}) == (7,)
    assert wrapper.health_check_done


@pytest.mark.django_db(transaction=True)
def test_one_that_was_lost_before_is_made_anew_by_the_next_request_and_told_in_this() -> None:
    connection.ensure_connection()
    connection.connection.close()
    wrapper.health_check_enabled, wrapper.health_check_done = True, True
    with pytest.raises(OperationalError):
        prepared.fetch_one("SELECT 1", {})
    wrapper.health_check_done = False
    assert prepared.fetch_one("SELECT 1", {}) == (1,)


@pytest.mark.django_db(transaction=True)
def test_one_that_stands_is_not_asked_for_its_health() -> None:
    connection.close()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    fillers = [os.dup(0) for _ in range(1100)]  # a process with many connections has large numbers
    try:
        connection.ensure_connection()
        before = connection.connection
        wrapper.health_check_enabled, wrapper.health_check_done = True, False
        with mock.patch.object(wrapper, "is_usable") as asked:
            assert prepared.fetch_one("SELECT %(number)s::int", {"number": 7}) == (7,)
        assert not asked.called
        assert connection.connection is before
        assert before.fileno() > 1024
    finally:
        for filler in fillers:
            os.close(filler)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_dies_during_a_request_is_told() -> None:
    connection.ensure_connection()
    wrapper.health_check_enabled = True
    assert prepared.fetch_one("SELECT 1", {}) == (1,)
    lose_the_connection()
    with pytest.raises(OperationalError):
        prepared.fetch_one("SELECT 1", {})
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_what_the_statement_is_to_blame_for_leaves_the_connection() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '20ms'")
    wrapper.health_check_enabled, wrapper.health_check_done = True, False
    with pytest.raises(OperationalError, match="statement timeout"):
        prepared.fetch_one("SELECT pg_sleep(1)", {})
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")  # the same connection as before
        assert cursor.fetchone() == ("20ms",)
        cursor.execute("RESET statement_timeout")


@pytest.mark.django_db(transaction=True)
def test_a_hold_is_one_statement(spot: Spot) -> None:
    def hold(minute: int) -> None:
        holds.hold(
            spot_id=spot.pk,
            start=cast.at(minute),
            end=cast.at(minute + 60),
            plate="ABC123",
            email="a@example.org",
            now=cast.NOW,
        )

    hold(60)  # meets the zone
    with CaptureQueriesContext(connection) as queries:
        hold(120)
    assert len(queries) == 1
