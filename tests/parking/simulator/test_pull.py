"""A meter that nobody calls fetches its plan, and goes on asking for one that it could not take."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from parking.conformance.listener import Listener
from parking.meter_protocol import Entry, Show, message
from parking.signatures import Key
from parking.simulator.clock import VirtualClock
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
