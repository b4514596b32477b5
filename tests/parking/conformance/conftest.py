"""A simulated meter on the test bench."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from parking.conformance.bench import Bench
from parking.conformance.calling import CallingBench
from parking.conformance.listener import Listener
from parking.signatures import Key
from parking.simulator.specs import MeterSpec, SpotSpec
from tests.parking.street import RunningStreet

KEYS = (Key("mk_new", b"n" * 32), Key("mk_old", b"o" * 32))
SPEC = MeterSpec(
    serial="MTR-1",
    keys=KEYS,
    is_called=True,
    zone="Kamppi",
    street="Fredrikinkatu",
    longitude=24.9,
    latitude=60.1,
    spots=(SpotSpec(lamp=1, number="K-1"), SpotSpec(lamp=2, number="K-2")),
)


@pytest.fixture
def listener() -> Iterator[Listener]:
    """Where the meter calls."""
    listening = Listener(serial="MTR-1", keys=KEYS, clock=time.time)
    yield listening
    listening.close()


@pytest.fixture
def street(listener: Listener) -> Iterator[RunningStreet]:
    """The meter, whose heart beats twice a second."""
    running = RunningStreet(f"http://127.0.0.1:{listener.port}", heartbeat_s=0.5).start()
    running.put_up([SPEC])
    yield running
    running.stop()


@pytest.fixture
def calling(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningStreet]:
    """The meter as one that nobody calls; it asks for its plan five times a second."""
    monkeypatch.setattr("parking.simulator.engine.PULL_EVERY_S", 0.2)
    running = RunningStreet(f"http://127.0.0.1:{listener.port}", heartbeat_s=0.5).start()
    running.put_up([replace(SPEC, is_called=False)])
    yield running
    running.stop()


@pytest.fixture
def calling_bench(calling: RunningStreet, listener: Listener) -> CallingBench:
    """The bench that offers it plans."""
    return CallingBench(
        serial="MTR-1",
        keys=KEYS,
        lamps=[1, 2],
        listener=listener,
        eye=f"{calling.url}/meters/MTR-1.json",
        heartbeat_s=0.5,
        patience_s=1.5,
        step_s=0.5,
        poll_s=1.0,
    )


@pytest.fixture
def bench(street: RunningStreet, listener: Listener) -> Bench:
    """The bench, in a hurry."""
    return Bench(
        url=street.url,
        serial="MTR-1",
        keys=KEYS,
        lamps=[1, 2],
        listener=listener,
        eye=f"{street.url}/meters/MTR-1.json",
        heartbeat_s=0.5,
        patience_s=1.5,
        step_s=0.5,
    )
