"""Every page of the desk × every role × the person's own zone and another one."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.urls import reverse

from parking.models import Zone
from tests import cast
from tests.parking.admin.conftest import Enter
from tests.parking.admin.situations import a_street, rows_of

SEES = {  # role → what it sees in (own zone, another zone): "-" nothing, "r" reads, "w" changes
    "citizen": {},
    "operator": {
        "parking_zone": "w-",
        "parking_spot": "w-",
        "parking_meter": "w-",
        "parking_closure": "w-",
        "parking_tariffversion": "r-",  # approved: read only, whoever looks
        "parking_tariffsimulation": "r-",
        "parking_demandrule": "w-",
        "parking_booking": "r-",
        "parking_spotreport": "w-",
        "parking_arrivalwatch": "r-",
        "parking_forgetting": "r-",
        "parking_maintenance": "r-",
        "parking_latelight": "r-",
        "parking_seenalarm": "r-",
        "payments_payment": "r-",
        "payments_refund": "r-",
        "payments_moneyexception": "w-",
    },
    "warden": {
        "parking_zone": "rr",
        "parking_spot": "rr",
        "parking_meter": "rr",
        "parking_closure": "rr",
        "parking_spotreport": "rr",
    },
    "auditor": {
        "parking_zone": "rr",
        "parking_spot": "rr",
        "parking_meter": "rr",
        "parking_tariffversion": "rr",
        "parking_tariffsimulation": "rr",
        "parking_demandrule": "rr",
        "parking_forgetting": "rr",
        "payments_payment": "rr",
        "payments_refund": "rr",
        "payments_ledgerentry": "rr",
        "payments_moneyexception": "rr",
    },
    "finance": {
        "parking_zone": "rr",
        "payments_payment": "rr",
        "payments_refund": "rr",
        "payments_ledgerentry": "rr",
        "payments_moneyexception": "rr",  # worked on elsewhere: /audit/exceptions/
    },
    "superuser": {
        "parking_zone": "ww",
        "parking_spot": "ww",
        "parking_meter": "ww",
        "parking_closure": "ww",
        "parking_tariffversion": "rr",
        "parking_tariffsimulation": "rr",
        "parking_demandrule": "ww",
        "parking_booking": "rr",
        "parking_spotreport": "ww",
        "parking_arrivalwatch": "rr",
        "parking_forgetting": "rr",
        "parking_maintenance": "rr",
        "parking_latelight": "rr",
        "parking_seenalarm": "rr",
        "payments_payment": "rr",
        "payments_refund": "rr",
        "payments_ledgerentry": "rr",
        "payments_moneyexception": "ww",
    },
}
MAY_ADD = {
    "citizen": set(),
    "operator": {
        "parking_spot",
        "parking_meter",
        "parking_closure",
        "parking_tariffversion",
        "parking_tariffsimulation",
        "parking_demandrule",
    },
    "warden": set(),
    "auditor": set(),
    "finance": set(),
    "superuser": {
        "parking_zone",
        "parking_spot",
        "parking_meter",
        "parking_closure",
        "parking_tariffversion",
        "parking_tariffsimulation",
        "parking_demandrule",
    },
}


@pytest.fixture
def people(
    operator: User, warden: User, auditor: User, finance: User, superuser: User
) -> dict[str, User]:
    return {
        "citizen": cast.a_person("citizen"),
        "operator": operator,
        "warden": warden,
        "auditor": auditor,
        "finance": finance,
        "superuser": superuser,
    }


@pytest.mark.parametrize("role", SEES)
def test_a_role_meets_exactly_what_it_should(
    role: str, people: dict[str, User], zone: Zone, other_zone: Zone, enter: Enter
) -> None:
    own, other = rows_of(zone, serial="MTR-1"), rows_of(other_zone, serial="MTR-2")
    browser = enter(people[role])

    met: dict[str, str] = {}
    for name in own:
        ways = ""
        for rows in (own, other):
            answer = browser.get(reverse(f"admin:{name}_change", args=[rows[name]]))
            assert answer.status_code in {200, 302, 403, 404}, (name, answer.status_code)
            readable = answer.status_code == 200
            ways += "-" if not readable else "w" if b'name="_save"' in answer.content else "r"
        if ways != "--":
            met[name] = ways

    assert met == SEES[role]


@pytest.mark.parametrize("role", SEES)
def test_a_list_holds_only_what_the_role_may_open(
    role: str, people: dict[str, User], zone: Zone, other_zone: Zone, enter: Enter
) -> None:
    own, other = rows_of(zone, serial="MTR-1"), rows_of(other_zone, serial="MTR-2")
    browser = enter(people[role])

    for name in own:
        answer = browser.get(reverse(f"admin:{name}_changelist"))
        ways = SEES[role].get(name)
        if ways is None:
            assert answer.status_code in {302, 403}, name
            continue
        shown = {row.pk for row in answer.context["cl"].queryset}
        assert own[name] in shown, name
        assert (other[name] in shown) == (ways[1] != "-"), name


@pytest.mark.parametrize("role", SEES)
def test_a_role_adds_exactly_what_it_should(
    role: str, people: dict[str, User], enter: Enter
) -> None:
    browser = enter(people[role])
    statuses = {
        name: browser.get(reverse(f"admin:{name}_add")).status_code
        for name in (*SEES["superuser"], "parking_zone")
    }

    assert {name for name, status in statuses.items() if status == 200} == MAY_ADD[role]
    assert set(statuses.values()) <= {200, 302, 403}


@pytest.mark.parametrize("role", ["operator", "warden", "auditor", "superuser"])
def test_no_link_of_the_desk_leads_to_a_closed_door(
    role: str, people: dict[str, User], zone: Zone, other_zone: Zone, enter: Enter
) -> None:
    rows_of(zone, serial="MTR-1")
    rows_of(other_zone, serial="MTR-2")
    a_street()
    browser = enter(people[role])
    waiting, seen = [reverse("admin:index")], set()

    while waiting:
        address = waiting.pop()
        if address in seen:
            continue
        seen.add(address)
        answer = browser.get(address)
        assert answer.status_code == 200, address
        if "/delete/" in address or "/history/" in address:
            continue
        for link in re.findall(r'href="(/(?:admin|bookings)/[^"#]*)"', answer.content.decode()):
            link = link.replace("&amp;", "&")
            if "_popup" not in link and "password" not in link and "logout" not in link:
                waiting.append(link.split("?")[0])

    assert len(seen) > 8


def test_every_noun_of_the_desk_stands_in_the_matrix() -> None:
    # Nouns without a zone: the drawing of the streets, and what only superusers open.
    without_zone = {
        "parking_street",
        "payments_webhookevent",
        "payments_exportlog",
        "payments_refundlimit",
    }
    of_the_city = {"auth_user", "auth_group", "account_emailaddress"}
    names = {f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry}

    ours = {name for name in names if name.startswith(("parking_", "payments_"))}
    later = {
        "parking_metercommand",
        "parking_meterevent",
        "parking_meterdeed",
    }  # tested with the meters
    assert ours - without_zone - later == set(SEES["superuser"])
    assert names - ours <= of_the_city


@pytest.mark.parametrize("name", ["payments_payment", "payments_refund", "payments_ledgerentry"])
def test_money_cannot_be_edited_or_deleted_even_by_superusers(
    name: str, superuser: User, zone: Zone, enter: Enter
) -> None:
    rows = rows_of(zone, serial="MTR-1")
    browser = enter(superuser)

    for page in ("change", "delete"):
        address = reverse(f"admin:{name}_{page}", args=[rows[name]])
        assert browser.post(address, {"post": "yes"}).status_code == 403
    answer: Any = browser.get(reverse(f"admin:{name}_changelist"))
    assert b"delete_selected" not in answer.content
