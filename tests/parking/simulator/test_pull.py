"""A meter that nobody calls fetches its plan, and goes on asking for one that it could not take."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from parking.conformance.listener import Listener, Offer
from parking.meter_protocol import Entry, Show, message
from parking.signatures import Key
from parking.simulator.clock import VirtualClock
from parking.simulator.engine import PULL_EVERY_S
from parking.simulator.specs import MeterSpec, SpotSpec
from tests.parking.street import RunningStreet, eventually

KEY = Key("mk_1", b"secret")
SPEC = MeterSpec(
    serial="MTR-1",
    keys=(KEY,),
    is_called=False,
    zone="Kamppi",
    street="Fredrikinkatu",
    longitude=24.9,
    latitude=60.1,
    spots=(SpotSpec(lamp=1, number="K-1"),),
)


def plan(revision: int, clock: VirtualClock) -> dict[str, Any]:
    now = datetime.fromtimestamp(clock(), UTC)
    return message(
        serial="MTR-1",
        revision=revision,
        command_id=str(UUID(int=revision)),
        issued_at=now,
        not_after=now + timedelta(hours=1),
        plan={1: [Entry(now, now + timedelta(hours=1), Show("green", "steady"))]},
        now=now,
    )


def test_what_was_not_taken_is_asked_for_again() -> None:
    clock = VirtualClock(speed=20)
    listener = Listener(serial="MTR-1", keys=[KEY], clock=clock)
    listener.plan = plan(1, clock)
    street = RunningStreet(f"http://127.0.0.1:{listener.port}", clock=clock).start()

    def asked(answer: int) -> int:
        return sum(one.what == "plan" and one.answered == answer for one in listener.heard)

    try:
        street.put_up([SPEC])
        eventually(lambda: asked(304))
        street.faults({"kind": "maintenance"})
        listener.plan = plan(2, clock)
        eventually(lambda: asked(200) >= 3)
        assert street.do(lambda: street.street.devices["MTR-1"].revision) == 1
        street.faults()
        eventually(lambda: [ack.stage for ack in listener.acks()] == ["applied"] * 2)
    finally:
        street.stop()
        listener.close()


def test_a_meter_on_the_line_has_its_plan_at_once_and_asks_no_more_than_that() -> None:
    listener = Listener(serial="MTR-1", keys=[KEY], clock=time.time)
    listener.plan = plan(1, VirtualClock())
    street = RunningStreet(f"http://127.0.0.1:{listener.port}", wait_s=30).start()

    def revision() -> int:
        return int(street.do(lambda: street.street.devices["MTR-1"].revision))

    try:
        street.put_up([SPEC])
        eventually(lambda: revision() == 1)
        eventually(lambda: listener.asked[-1:] == ['"1"'])  # it waits for the next one
        asked, told_at = len(listener.asked), time.monotonic()
        with listener.changed:
            listener.plan = plan(2, VirtualClock())
            listener.changed.notify_all()
        eventually(lambda: revision() == 2)
        assert time.monotonic() - told_at < PULL_EVERY_S
        assert len(listener.asked) - asked <= 1, "it waited, and did not ask again and again"
        eventually(lambda: [ack.command_id.int for ack in listener.acks()] == [1, 2])
    finally:
        street.stop()
        listener.close()


def test_a_plan_that_the_site_did_not_sign_for_this_question_is_not_taken() -> None:
    listener = Listener(serial="MTR-1", keys=[KEY], clock=time.time)
    street = RunningStreet(f"http://127.0.0.1:{listener.port}", wait_s=30).start()
    body = json.dumps(plan(7, VirtualClock())).encode()
    try:
        with listener.changed:
            listener.offer = Offer(data=body, etag='"7"', key=KEY, nonce="of-another-question-1")
        street.put_up([SPEC])
        eventually(lambda: listener.offer is None)
        eventually(lambda: len(listener.asked) > listener.asked_when_offered, within=20)
        assert street.do(lambda: street.street.devices["MTR-1"].revision) == 0
        assert listener.asked[-1] == ""
    finally:
        street.stop()
        listener.close()
