"""The groups of staff."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from parking import roles
from tests import cast


def test_every_permission_of_a_role_exists(db: None) -> None:
    known = {
        f"{app}.{codename}"
        for app, codename in Permission.objects.values_list("content_type__app_label", "codename")
    }

    for role, names in roles.ROLES.items():
        assert set(names) <= known, role
        assert len(set(names)) == len(names), role


def test_migrate_makes_the_groups_and_puts_them_right(db: None) -> None:
    Group.objects.filter(name=roles.WARDEN).delete()
    operators = Group.objects.get(name=roles.OPERATOR)
    operators.permissions.clear()
    operators.permissions.add(Permission.objects.get(codename="delete_booking"))
    of_the_city = Group.objects.create(name="archive")
    of_the_city.permissions.add(Permission.objects.get(codename="view_booking"))

    call_command("migrate", verbosity=0)
    call_command("migrate", verbosity=0)

    for role, names in roles.ROLES.items():
        group = Group.objects.get(name=role)
        found = {f"{p.content_type.app_label}.{p.codename}" for p in group.permissions.all()}
        assert found == set(names)
    assert of_the_city.permissions.count() == 1  # a city's own group is left alone


def test_giving_a_role_opens_the_desk_and_nothing_else(db: None) -> None:
    person = cast.a_person("anna")

    roles.give(user=person, role=roles.WARDEN)

    person.refresh_from_db()
    assert person.is_staff
    assert not person.is_superuser
    assert [group.name for group in person.groups.all()] == [roles.WARDEN]
    with pytest.raises(KeyError):
        roles.give(user=person, role="mayor")


@pytest.mark.parametrize("role", [roles.WARDEN, roles.AUDITOR])
def test_who_looks_changes_nothing(role: str) -> None:
    changing = [name for name in roles.ROLES[role] if ".view_" not in name]

    assert changing == []


def test_nobody_but_superusers_edits_bookings_payments_or_the_books() -> None:
    for names in roles.ROLES.values():
        for noun in ("booking", "slot", "payment", "refund", "ledgerentry", "webhookevent"):
            assert not {f"{noun}" for name in names if name.endswith(f".change_{noun}")}
            assert not {f"{noun}" for name in names if name.endswith(f".delete_{noun}")}
