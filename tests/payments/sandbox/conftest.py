"""A sandbox process that most tests share, and processes of their own for the rest."""

from collections.abc import Callable, Iterator

import pytest

from tests.payments.sandbox.box import Box
from tests.payments.sandbox.receiver import NEXT_SECRET, SECRET, Receiver


@pytest.fixture(scope="session")
def _receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="session")
def _box(_receiver: Receiver) -> Iterator[Box]:
    secrets = f"{SECRET},{NEXT_SECRET}"
    box = Box("--webhook-url", _receiver.url, "--webhook-secret", secrets, "--seed", "7")
    yield box
    box.stop()
    assert "Traceback" not in box.log


@pytest.fixture
def box(_box: Box) -> Box:
    """A sandbox that knows nothing yet and keeps its webhooks until they are asked for."""
    _box.control("reset")
    _box.control("webhooks", paused=True)
    return _box


@pytest.fixture
def receiver(_receiver: Receiver) -> Receiver:
    """The endpoint that the shared sandbox sends to; it has received nothing."""
    _receiver.forget()
    return _receiver


@pytest.fixture
def start_box() -> Iterator[Callable[..., Box]]:
    """Start sandboxes of one's own; whatever still runs is ended afterwards."""
    started: list[Box] = []

    def start(*arguments: str) -> Box:
        box = Box(*arguments)
        started.append(box)
        return box

    yield start
    for box in started:
        if box.process.poll() is None:
            box.kill()
