"""The vehicles that an account remembers: add, change, offer one first, forget.

Everything is done under the lock of the account's row, so that one vehicle at most is offered
first, and one always is while there are any.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction

from parking.models import TariffState, TariffVersion, Vehicle
from parking.plates import look_alike
from parking.refusals import contended
from parking.terms import tariffs_of

MOST = 20  # for each account


class VehicleError(Exception):
    """The list of vehicles cannot be changed like this."""


class KnownAlready(VehicleError):
    """The account has a vehicle with this plate."""


class TooMany(VehicleError):
    """The account remembers as many vehicles as it can."""


def vehicles_of(person: User | AnonymousUser) -> list[Vehicle]:
    """Return the person's vehicles, the one that is offered first at the head."""
    return list(Vehicle.objects.filter(owner=person.pk)) if person.is_authenticated else []


def classes_priced_apart(*, now: datetime) -> list[str]:
    """Return the vehicle classes to which any tariff in force in the city gives a price."""
    in_force = TariffVersion.objects.filter(state=TariffState.APPROVED, in_force__contains=now)
    tariffs = tariffs_of(dict(in_force.values_list("id", "sha256")))
    return sorted({name for tariff in tariffs.values() for name in tariff.vehicle_classes})


def slip_for(*, vehicle: Vehicle) -> Vehicle | None:
    """Return another vehicle of the same account whose plate this one may be a slip for."""
    others = Vehicle.objects.filter(owner=vehicle.owner_id).exclude(pk=vehicle.pk)
    return next((one for one in others if look_alike(one.plate, vehicle.plate)), None)


def add(
    *,
    owner: User,
    plate: str,
    now: datetime,
    country: str = "",
    name: str = "",
    vehicle_class: str = "",
) -> Vehicle:
    """Remember a vehicle; the first of an account is the one that is offered first.

    Raises:
        KnownAlready, TooMany: see there.
        parking.refusals.Busy: the account is being changed elsewhere.
    """
    with _alone(owner):
        known = set(Vehicle.objects.filter(owner=owner).values_list("plate", flat=True))
        if plate in known:
            raise KnownAlready
        if len(known) >= MOST:
            raise TooMany
        return Vehicle.objects.create(
            owner=owner,
            plate=plate,
            country=country,
            name=name,
            vehicle_class=vehicle_class,
            is_default=not known,
            created_at=now,
        )


def change(*, vehicle: Vehicle, plate: str, country: str, name: str, vehicle_class: str) -> None:
    """Change what is remembered of a vehicle; bookings keep the plate for which they were made.

    Raises:
        KnownAlready; parking.refusals.Busy: as `add`.
    """
    with _alone(vehicle.owner):
        others = Vehicle.objects.filter(owner=vehicle.owner_id).exclude(pk=vehicle.pk)
        if others.filter(plate=plate).exists():
            raise KnownAlready
        vehicle.plate, vehicle.country = plate, country
        vehicle.name, vehicle.vehicle_class = name, vehicle_class
        vehicle.save(update_fields=["plate", "country", "name", "vehicle_class"])


def offer_first(*, vehicle: Vehicle) -> None:
    """Offer this vehicle before the others.

    Raises:
        parking.refusals.Busy: as `add`.
    """
    with _alone(vehicle.owner):
        Vehicle.objects.filter(owner=vehicle.owner_id).update(is_default=False)
        Vehicle.objects.filter(pk=vehicle.pk).update(is_default=True)


def forget(*, vehicle: Vehicle) -> None:
    """Take a vehicle from the list; the oldest of the others is offered first where this one was.

    Raises:
        parking.refusals.Busy: as `add`.
    """
    with _alone(vehicle.owner):
        mine = Vehicle.objects.filter(owner=vehicle.owner_id)
        mine.filter(pk=vehicle.pk).delete()
        if not mine.filter(is_default=True).exists():
            oldest = mine.order_by("id").values("id")[:1]
            Vehicle.objects.filter(id__in=oldest).update(is_default=True)


@contextmanager
def _alone(owner: User) -> Iterator[None]:
    with contended(), transaction.atomic():
        User.objects.select_for_update(no_key=True).only("id").get(pk=owner.pk)
        yield
