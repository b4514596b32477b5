"""The processor of the tests, and payments in the states that tests need."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from parking.models import Slot, Spot
from tests import cast
from tests.payments.pages import page
from tests.payments.processor import KEY, SECRET, Processor


@pytest.fixture(scope="session")
def _sandbox() -> Iterator[Processor]:
    processor = Processor()
    yield processor
    processor.stop()


@pytest.fixture
def processor(_sandbox: Processor, settings: Settings) -> Processor:
    """A processor that knows nothing yet and stands at NOW; the site is set up to use it."""
    settings.STRIPE_API_KEY = KEY
    settings.STRIPE_API_BASE = _sandbox.base
    settings.STRIPE_WEBHOOK_SECRETS = [SECRET]
    _sandbox.start_again(cast.NOW)
    return _sandbox


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test reach a worker: what a nudge would do, the tests do by hand."""
    monkeypatch.setattr("parking.tasks.nudges.QUIET_S", 0.0)
    monkeypatch.setattr("celery.app.task.Task.apply_async", lambda *args, **kwargs: None)


@pytest.fixture
def now(processor: Processor) -> datetime:
    """The real time: pages ask the clock themselves."""
    moment = timezone.now()
    processor.stand_at(moment)
    return moment


@pytest.fixture
def slot(spot: Spot, now: datetime) -> Slot:
    """A slot held just now, for a stay of an hour that is still to come."""
    start = now.replace(second=0, microsecond=0) + timedelta(hours=1)
    start -= timedelta(minutes=start.minute % 15)
    return cast.a_hold(spot, start=start + timedelta(minutes=15), now=now)


@pytest.fixture
def guest(client: Client, slot: Slot) -> Client:
    """The browser of who made the booking."""
    answer = client.get(page(slot), {"key": slot.booking.access_key})
    assert answer.status_code == 302
    assert answer["Location"] == page(slot), "the key does not stay in the address"
    return client
