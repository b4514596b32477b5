"""What maps are told: each change once, also when its transaction was slower than others."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from parking import booking, locking
from parking.kerb_news import KerbNews
from parking.models import Slot, Spot
from parking.plan_news import database_address
from tests import cast

pytestmark = pytest.mark.django_db(transaction=True)


def told(*steps: Any) -> list[dict[str, Any]]:
    """Look once before and once after each step; return what a reader was told."""

    async def look() -> list[bytes | None]:
        news = KerbNews()
        address = await asyncio.to_thread(database_address)
        async with await psycopg.AsyncConnection.connect(**address) as database:
            with news.read() as mine:
                await news._look(database)
                for step in steps:
                    await asyncio.to_thread(done, step)
                    await news._look(database)
                    await news._look(database)
                return [mine.get_nowait() for _ in range(mine.qsize())]

    return [json.loads(one) for one in asyncio.run(look()) if one is not None]


def done(step: Any) -> None:
    """Take a step in this thread, and leave no connection to the collector of garbage."""
    try:
        step()
    finally:
        connection.close()


def end(slot: Slot) -> None:
    with transaction.atomic():
        held = locking.lock_slot(slot.pk)
        booking.begin_expiry(slot=held, now=cast.NOW, actor="clock")
        booking.release(slot=held, now=cast.NOW, actor="clock")


def seconds(slot: Slot) -> list[int]:
    return [int(slot.start.timestamp()), int(slot.end.timestamp())]


def test_a_hold_and_its_end_are_told_once_each(spot: Spot) -> None:
    before = cast.a_hold(spot, cast.at(120))
    slots: list[Slot] = []
    answers = told(lambda: slots.append(cast.a_hold(spot)), lambda: end(slots[0]))
    assert answers == [
        {"taken": [[spot.pk, *seconds(slots[0])]], "freed": []},
        {"taken": [], "freed": [spot.pk]},
    ]
    assert before.spot_id == spot.pk  # and of what was there before nothing was told


def test_a_confirmed_hold_is_no_news(spot: Spot) -> None:
    slot = cast.a_hold(spot)

    def confirm() -> None:
        with transaction.atomic():
            booking.confirm(slot=locking.lock_slot(slot.pk), now=cast.NOW, actor="processor")

    assert told(confirm) == []


def test_what_is_kept_free_between_bookings_is_taken_too(db: None) -> None:
    spot = cast.a_spot(cast.a_zone(buffer_min=15))
    slots: list[Slot] = []
    (answer,) = told(lambda: slots.append(cast.a_hold(spot)))
    since, until = seconds(slots[0])
    assert answer["taken"] == [[spot.pk, since - 15 * 60, until + 15 * 60]]


def test_who_does_not_read_is_let_go(spot: Spot) -> None:
    news = KerbNews()
    with news.read() as mine:
        for _ in range(201):
            news._tell(b"{}")
        assert len(news) == 0
        assert [mine.get_nowait() for _ in range(201)][-1] is None
