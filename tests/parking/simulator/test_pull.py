"""A meter that nobody calls fetches its plan, and goes on asking for one that it could not take."""

from datetime import UTC, datetime, timedelta

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


def test_what_was_not_taken_is_asked_for_again() -> None:
    clock = VirtualClock(speed=20)
    listener = Listener(serial="MTR-1", keys=[KEY], clock=clock)
    now = datetime.fromtimestamp(clock(), UTC)
    listener.plan = message(
        serial="MTR-1",
        revision=7,
        command_id="019c0000-0000-7000-8000-000000000000",
        issued_at=now,
        not_after=now + timedelta(hours=1),
        plan={1: [Entry(now, now + timedelta(hours=1), Show("green", "steady"))]},
        now=now,
    )
    street = RunningStreet(f"http://127.0.0.1:{listener.port}", clock=clock).start()
    try:
        street.faults({"kind": "maintenance"})
        street.put_up([SPEC])

        def fetched() -> int:
            return sum(one.what == "plan" and one.answered == 200 for one in listener.heard)

        eventually(lambda: fetched() >= 2)
        assert street.do(lambda: street.street.devices["MTR-1"].revision) == 0
        street.faults()
        eventually(lambda: [ack.stage for ack in listener.acks()] == ["applied"])
        eventually(lambda: any(one.answered == 304 for one in listener.heard))
    finally:
        street.stop()
        listener.close()
