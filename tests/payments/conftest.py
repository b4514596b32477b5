"""The processor of the tests, and payments in the states that tests need."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests import cast
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
