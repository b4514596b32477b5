"""The sandbox's clock: moved, stopped, reset."""

import time
from typing import Any

import pytest

from tests.payments.sandbox.box import Box
from tests.payments.sandbox.receiver import Receiver

PAST = 1_700_000_000


def test_it_is_the_machines_at_first(box: Box) -> None:
    assert abs(box.now() - time.time()) < 5


def test_objects_are_born_at_its_time(box: Box) -> None:
    box.control("clock", now=PAST, frozen=True)
    intent = box.a_paid_intent()
    assert intent.created == intent.latest_charge.created == PAST
    assert {event["created"] for event in box.all("events")} == {PAST}


def test_set_it_runs_on_and_stopped_it_stands(box: Box) -> None:
    box.control("clock", now=PAST)
    time.sleep(0.05)
    assert PAST < box.now() < PAST + 5
    box.control("clock", frozen=True)
    assert box.now() == box.now()
    box.control("clock", frozen=False)
    assert box.now() < PAST + 10


def test_it_goes_back_to_the_machines_time(box: Box) -> None:
    box.control("clock", now=PAST, frozen=True)
    box.control("clock", reset=True)
    assert abs(box.now() - time.time()) < 5


def test_what_is_passed_over_happens_in_its_order_and_at_its_time(box: Box) -> None:
    box.control("clock", now=PAST, frozen=True)
    for minutes in (50, 40):
        box.a_session(client_reference_id=str(minutes), expires_at=PAST + minutes * 60)
    box.advance(86_400)
    told = [(e["created"], e["data"]["object"]["client_reference_id"]) for e in box.all("events")]
    assert told == [(PAST + 2400, "40"), (PAST + 3000, "50")]


def test_going_back_strands_no_webhook(box: Box, receiver: Receiver) -> None:
    box.client().customers.create({})
    box.control("clock", now=PAST)
    assert box.control("deliver") == {"attempted": 1, "accepted": 1}
    assert receiver.types() == ["customer.created"]


@pytest.mark.parametrize(
    "fields",
    [
        {"now": "noon"},
        {"now": -1},
        {"now": 5_000_000_000},
        {"advance": 1e300},
        {"advance": 4_000_000_000},
        {"now": 1, "advance": 1},
        {"now": None, "then": 3},
        {"frozen": "a bit"},
    ],
)
def test_a_time_that_makes_no_sense_is_refused(box: Box, fields: dict[str, Any]) -> None:
    answer = box.http.post(f"{box.base}/_control/clock", json=fields, timeout=10)
    assert answer.status_code == 400
    assert abs(box.now() - time.time()) < 5
