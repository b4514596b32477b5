"""A street that answers, and a site that it can call."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site_settings

from parking.models import Meter
from tests import cast
from tests.parking.broker import Broker
from tests.parking.street import RunningStreet, a_street_meter, answered, database_url, eventually


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
    answered()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker with a password."""
    running = Broker(tmp_path_factory.mktemp("broker")).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def ear(broker: Broker, django_db_setup: None, tmp_path_factory: Any) -> Iterator[Path]:
    """The site's process that takes what meters say; its log."""
    log = tmp_path_factory.mktemp("ear") / "ear.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "config.mqtt"],
            env={**os.environ, "DATABASE_URL": database_url(), "METER_MQTT_URL": broker.url},
            cwd=site_settings.BASE_DIR,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        eventually(lambda: "listening" in log.read_text(), within=40)
        yield log
    finally:
        process.terminate()
        assert process.wait(10) == 0
