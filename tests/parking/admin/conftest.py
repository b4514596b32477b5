"""The desk's people: each with a role, two of them with a zone of their own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from parking import roles
from parking.models import Zone
from tests import cast

Enter = Callable[[User], Client]


@pytest.fixture(autouse=True)
def _groups(db: None) -> None:
    roles.write_groups()


@pytest.fixture
def enter() -> Enter:
    """Sign a person in and return their browser."""

    def _enter(person: User) -> Client:
        browser = Client()
        browser.force_login(person)
        return browser

    return _enter


@pytest.fixture
def other_zone(db: None) -> Zone:
    """A zone that somebody else operates."""
    return cast.a_zone("punavuori")


@pytest.fixture
def operator(zone: Zone) -> User:
    """The operator of `zone`."""
    person = cast.a_person("operator")
    roles.give(user=person, role=roles.OPERATOR)
    zone.operators.add(person)
    return person


@pytest.fixture
def second_operator(zone: Zone) -> User:
    """A colleague in the same zone."""
    person = cast.a_person("second")
    roles.give(user=person, role=roles.OPERATOR)
    zone.operators.add(person)
    return person


@pytest.fixture
def warden(db: None) -> User:
    """Walks the whole city and changes nothing."""
    person = cast.a_person("warden")
    roles.give(user=person, role=roles.WARDEN)
    return person


@pytest.fixture
def auditor(db: None) -> User:
    """Reads the money of the whole city."""
    person = cast.a_person("auditor")
    roles.give(user=person, role=roles.AUDITOR)
    return person


@pytest.fixture
def finance(db: None) -> User:
    """Looks after the money of the whole city."""
    person = cast.a_person("finance")
    roles.give(user=person, role=roles.FINANCE)
    return person


@pytest.fixture
def superuser(db: None) -> User:
    """May do all that a person may do."""
    return cast.a_person("root", is_staff=True, is_superuser=True)
