"""A street that answers, and a site that it can call."""

from collections.abc import Iterator
from typing import Any

import pytest

from parking.models import Meter
from tests import cast
from tests.parking.street import RunningStreet, a_street_meter


@pytest.fixture
def meter(transactional_db: None) -> Meter:
    """A meter of two lamps that is called through the gateway."""
    return a_street_meter(cast.a_zone())


@pytest.fixture
def street(live_server: Any, settings: Any) -> Iterator[RunningStreet]:
    """A running street at the installation's gateway address, without meters so far."""
    running = RunningStreet(live_server.url).start()
    settings.METER_GATEWAY_URL = running.url
    yield running
    running.stop()
