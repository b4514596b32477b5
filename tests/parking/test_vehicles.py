"""An account remembers its vehicles: each once, and one of them is offered first."""

from __future__ import annotations

from threading import Thread

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction

from parking import vehicles
from parking.models import Booking, Spot, Vehicle
from tests import cast
from tests.racing import wait_until, waiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def citizen() -> User:
    return cast.a_person("citizen")


def a_vehicle(owner: User, plate: str, **fields: str) -> Vehicle:
    return vehicles.add(owner=owner, plate=plate, now=cast.NOW, **fields)


def offered(owner: User) -> list[str]:
    found = vehicles.vehicles_of(owner)
    assert [one.is_default for one in found] == [True, *[False] * (len(found) - 1)][: len(found)]
    return [one.plate for one in found]


def test_the_first_is_offered_first_until_another_is_chosen(citizen: User) -> None:
    _first, second, _third = (a_vehicle(citizen, plate) for plate in ("AA1", "AA2", "AA3"))
    assert offered(citizen) == ["AA1", "AA2", "AA3"]
    vehicles.offer_first(vehicle=second)
    assert offered(citizen) == ["AA2", "AA1", "AA3"]


def test_where_the_first_is_forgotten_the_oldest_takes_its_place(citizen: User) -> None:
    first, second, third = (a_vehicle(citizen, plate) for plate in ("AA1", "AA2", "AA3"))
    vehicles.forget(vehicle=first)
    assert offered(citizen) == ["AA2", "AA3"]
    vehicles.forget(vehicle=third)
    vehicles.forget(vehicle=second)
    assert offered(citizen) == []
    vehicles.forget(vehicle=second)  # a second press


def test_a_vehicle_is_in_a_list_once_and_in_two_lists_twice(citizen: User) -> None:
    first, second = a_vehicle(citizen, "AA1"), a_vehicle(citizen, "AA2")
    with pytest.raises(vehicles.KnownAlready):
        a_vehicle(citizen, "AA1")
    with pytest.raises(vehicles.KnownAlready):
        vehicles.change(vehicle=second, plate="AA1", country="", name="", vehicle_class="")
    vehicles.change(vehicle=first, plate="AA1", country="FI", name="Volvo", vehicle_class="")
    other = cast.a_person("other")
    a_vehicle(other, "AA1")
    assert (offered(citizen), offered(other)) == (["AA1", "AA2"], ["AA1"])


def test_a_list_has_an_end(citizen: User) -> None:
    for number in range(vehicles.MOST):
        a_vehicle(citizen, f"AA{number}")
    with pytest.raises(vehicles.TooMany):
        a_vehicle(citizen, "BB1")
    assert Vehicle.objects.count() == vehicles.MOST


def test_the_database_refuses_what_the_code_might_forget(citizen: User) -> None:
    a_vehicle(citizen, "AA1")
    same = {"owner": citizen, "created_at": cast.NOW}
    for wrong in ({"plate": "AA1"}, {"plate": "AA2", "is_default": True}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Vehicle.objects.create(**same, **wrong)


def test_an_account_that_is_erased_takes_its_vehicles_along_and_leaves_its_bookings(
    citizen: User, spot: Spot
) -> None:
    cast.a_hold(spot, user=citizen)
    a_vehicle(citizen, "AA1")
    citizen.delete()
    assert not Vehicle.objects.exists()
    assert Booking.objects.get().user is None


def test_a_vehicle_is_named_without_its_plate_where_a_log_could_keep_it(citizen: User) -> None:
    assert "AA1" not in f"{a_vehicle(citizen, 'AA1')!r} {a_vehicle(citizen, 'AA2')}"


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_one_is_offered_first_although_all_are_added_at_once() -> None:
    """They wait for the account, so that each looks at what the one before it has added."""
    citizen = cast.a_person("citizen")

    def add(number: int) -> None:
        try:
            a_vehicle(citizen, f"AA{number}")
        finally:
            connection.close()

    threads = [Thread(target=add, args=[number]) for number in range(4)]
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=citizen.pk)
        for thread in threads:
            thread.start()
        wait_until(lambda: waiting() == len(threads))
    for thread in threads:
        thread.join(30)
    assert len(offered(citizen)) == len(threads)
