"""Meters that only call us wait on a line: they are told at once, and cost nothing meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.db import connection
from django.utils import timezone

from parking import lights, meter_keys
from parking.models import Meter
from parking.signatures import Key, new_nonce, sign, verify
from tests import cast
from tests.parking.line import running_line
from tests.parking.street import a_street_meter, booked_now

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def line(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the real process."""
    with running_line(tmp_path_factory.mktemp("line") / "line.log") as address:
        yield address


@pytest.fixture
def meter(transactional_db: None) -> Meter:
    """A meter that nobody calls, with its first plan."""
    meter = a_street_meter(cast.a_zone(), edge_url="")
    lights.look(now=timezone.now())
    return meter


def signed(meter: Meter, key: Key | None = None) -> dict[str, str]:
    return sign(
        key=key or meter_keys.keys_of(meter.pk)[0],
        method="GET",
        path=f"/edge/v1/meters/{meter.serial}/plan",
        body=b"",
        timestamp=int(time.time()),
        nonce=new_nonce(),
    )


def ask(line: str, meter: Meter, *, wait: float | str, etag: str = '"1"', **more: Any) -> Any:
    return httpx.get(
        f"{line}/edge/v1/meters/{meter.serial}/plan",
        params={"wait": wait},
        headers={"If-None-Match": etag, **(more.get("headers") or signed(meter))},
        timeout=30,
    )


async def ask_all(line: str, meters: list[Meter], *, wait: float, then: Any) -> list[Any]:
    """Let all of them wait, do something meanwhile, and return (answer, seconds after it)."""
    began = 0.0

    async def one(client: httpx.AsyncClient, meter: Meter, headers: dict[str, str]) -> Any:
        url = f"{line}/edge/v1/meters/{meter.serial}/plan?wait={wait}"
        answer = await client.get(url, headers={"If-None-Match": '"1"', **headers})
        return answer, time.monotonic() - began

    def in_a_thread(what: Any) -> Any:
        try:
            return what()
        finally:
            connection.close()

    limits = httpx.Limits(max_connections=len(meters), max_keepalive_connections=0)
    headers = await asyncio.to_thread(in_a_thread, lambda: [signed(meter) for meter in meters])
    async with httpx.AsyncClient(timeout=60, limits=limits, trust_env=False) as client:
        waits = [
            asyncio.create_task(one(client, meter, signature))
            for meter, signature in zip(meters, headers, strict=True)
        ]
        await asyncio.sleep(1.5)
        assert not any(wait.done() for wait in waits)
        await asyncio.to_thread(in_a_thread, then)
        began = time.monotonic()
        return await asyncio.gather(*waits)


def test_a_waiting_meter_is_told_of_a_booking_at_once(line: str, meter: Meter) -> None:
    ((answer, seconds),) = asyncio.run(
        ask_all(line, [meter], wait=20, then=lambda: booked_now(meter))
    )
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')
    assert answer.json()["spots"][0]["now"]["light"] == "green"
    assert seconds < 2  # long before the next look at the rows


def test_a_meter_without_news_is_answered_304_when_its_time_is_over(
    line: str, meter: Meter
) -> None:
    began = time.monotonic()
    answer = ask(line, meter, wait=1)
    assert (answer.status_code, answer.headers["ETag"], answer.content) == (304, '"1"', b"")
    assert 1 <= time.monotonic() - began < 4


def test_news_is_answered_without_a_wait_and_nonsense_does_not_wait(
    line: str, meter: Meter
) -> None:
    began = time.monotonic()
    assert ask(line, meter, wait=20, etag='"0"').status_code == 200
    assert ask(line, meter, wait="-7").status_code == 304
    assert ask(line, meter, wait="").status_code == 304
    assert time.monotonic() - began < 5


def test_strangers_are_refused_before_they_wait(line: str, meter: Meter) -> None:
    began = time.monotonic()
    assert ask(line, meter, wait=20, headers=signed(meter, Key("mk_x", b"x"))).status_code == 401
    again = signed(meter)
    assert ask(line, meter, wait=0, headers=again).status_code == 304
    assert ask(line, meter, wait=20, headers=again).json()["code"] == "replay"
    other = a_street_meter(meter.zone, "MTR-000002", edge_url="")
    assert ask(line, other, wait=20, headers=signed(meter)).status_code == 401
    assert httpx.get(f"{line}/admin/").status_code == 404
    assert time.monotonic() - began < 5


def test_the_meter_can_tell_that_the_plan_is_ours(line: str, meter: Meter) -> None:
    question = signed(meter)
    answer = ask(line, meter, wait=0, etag='"0"', headers=question)
    told = verify(
        header=answer.headers.get,
        method="GET",
        path=f"/edge/v1/meters/{meter.serial}/plan",
        body=answer.content,
        key_of=lambda _key_id: meter_keys.keys_of(meter.pk)[0],
        now=time.time(),
    )
    assert told.nonce == question["X-Nonce"]


def test_without_a_notice_the_plan_comes_with_the_next_look(line: str, meter: Meter) -> None:
    def book_in_silence() -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE parking_meter DISABLE TRIGGER meter_plan_news")
            try:
                booked_now(meter)
            finally:
                cursor.execute("ALTER TABLE parking_meter ENABLE TRIGGER meter_plan_news")

    ((answer, seconds),) = asyncio.run(ask_all(line, [meter], wait=30, then=book_in_silence))
    assert answer.status_code == 200
    assert seconds < 15


def test_when_the_database_drops_the_line_it_listens_again(line: str, meter: Meter) -> None:
    def cut_and_book() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'line' AND query LIKE 'LISTEN%'"
            )
            assert cursor.fetchall() == [(True,)]
        booked_now(meter)

    ((answer, seconds),) = asyncio.run(ask_all(line, [meter], wait=30, then=cut_and_book))
    assert answer.status_code == 200
    assert seconds < 15


def test_hundreds_wait_without_holding_up_anybody(line: str, meter: Meter) -> None:
    crowd = [a_street_meter(meter.zone, f"M-{number}", edge_url="") for number in range(60)]
    lights.look(now=timezone.now(), limit=100)
    asked: list[float] = []

    def another_asks() -> None:
        began = time.monotonic()
        assert ask(line, meter, wait=0).status_code == 304
        asked.append(time.monotonic() - began)

    answers = asyncio.run(ask_all(line, crowd, wait=4, then=another_asks))
    assert {answer.status_code for answer, _seconds in answers} == {304}
    assert asked[0] < 2
