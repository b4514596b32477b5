"""Fixtures that every test may use."""

import pytest
from django.core.cache import cache

from parking.models import Spot, Zone
from tests import cast


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


@pytest.fixture
def zone(db: None) -> Zone:
    """A zone at two euro an hour."""
    return cast.a_zone()


@pytest.fixture
def spot(zone: Zone) -> Spot:
    """A free spot of that zone."""
    return cast.a_spot(zone)
