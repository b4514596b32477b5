"""The four groups of staff, and what each may do.

The groups belong to the product: every `migrate` sets them to what stands here, so that a new
release brings its new permissions along. A city that wants other rules makes groups of its own.
Operators are bound to the zones that name them (`parking.admin.scoping`).
"""

from __future__ import annotations

from typing import Any

from django.apps import apps as installed
from django.contrib.auth.models import Group, User
from django.db import DEFAULT_DB_ALIAS

OPERATOR, WARDEN, AUDITOR, FINANCE = "operator", "warden", "auditor", "finance"

ROLES: dict[str, tuple[str, ...]] = {
    OPERATOR: (
        "parking.view_zone",
        "parking.change_zone",
        "parking.view_stayrules",
        "parking.add_stayrules",
        "parking.change_stayrules",
        "parking.view_street",
        "parking.view_spot",
        "parking.add_spot",
        "parking.change_spot",
        "parking.view_meter",
        "parking.add_meter",
        "parking.change_meter",
        "parking.view_metercommand",
        "parking.view_meterevent",
        "parking.view_meterdeed",
        "parking.view_maintenance",
        "parking.view_seenalarm",
        "parking.view_latelight",
        "parking.view_light",
        "parking.view_closure",
        "parking.add_closure",
        "parking.change_closure",
        "parking.delete_closure",
        "parking.view_tariffversion",
        "parking.add_tariffversion",
        "parking.change_tariffversion",
        "parking.delete_tariffversion",
        "parking.view_tariffsimulation",
        "parking.add_tariffsimulation",
        "parking.view_demandrule",
        "parking.add_demandrule",
        "parking.change_demandrule",
        "parking.delete_demandrule",
        "parking.view_booking",
        "parking.view_slot",
        "parking.view_bookingevent",
        "parking.view_spotreport",
        "parking.change_spotreport",
        "parking.view_arrivalwatch",
        "parking.view_forgetting",
        "payments.view_payment",
        "payments.view_refund",
        "payments.request_refund",
        "payments.force_release",
        "payments.view_moneyexception",
        "payments.change_moneyexception",
    ),
    # Paid or not, until when: from the slots. E-mail addresses are none of a warden's business.
    WARDEN: (
        "parking.view_every_zone",
        "parking.view_zone",
        "parking.view_stayrules",
        "parking.view_street",
        "parking.view_spot",
        "parking.view_meter",
        "parking.view_light",
        "parking.view_closure",
        "parking.view_slot",
        "parking.view_spotreport",
    ),
    # Money without people: an auditor's rows carry no plate and no e-mail address.
    AUDITOR: (
        "parking.view_every_zone",
        "parking.view_zone",
        "parking.view_stayrules",
        "parking.view_street",
        "parking.view_spot",
        "parking.view_meter",
        "parking.view_light",
        "parking.view_tariffversion",
        "parking.view_tariffsimulation",
        "parking.view_demandrule",
        "parking.view_forgetting",
        "payments.view_audit",
        "payments.view_payment",
        "payments.view_refund",
        "payments.view_ledgerentry",
        "payments.view_ledgerline",
        "payments.view_moneyexception",
        "payments.view_exportlog",
    ),
    # Works on money of the whole city, and on nothing else: the second person of a refund, the
    # one who looks into differences and closes the books.
    FINANCE: (
        "parking.view_every_zone",
        "parking.view_zone",
        "payments.view_audit",
        "payments.view_payment",
        "payments.view_refund",
        "payments.request_refund",
        "payments.approve_refund",
        "payments.force_release",
        "payments.handle_every_zone",
        "payments.close_period",
        "payments.view_ledgerentry",
        "payments.view_ledgerline",
        "payments.view_moneyexception",
        "payments.change_moneyexception",
        "payments.view_exportlog",
    ),
}


def give(*, user: User, role: str) -> None:
    """Put the person into the role's group and open the desk to them.

    Raises:
        KeyError: no such role.
    """
    if role not in ROLES:
        raise KeyError(role)
    user.groups.add(Group.objects.get(name=role))
    if not user.is_staff:
        user.is_staff = True
        user.save(update_fields=["is_staff"])


def write_groups(
    *, using: str = DEFAULT_DB_ALIAS, apps: Any = installed, **_signal: object
) -> None:
    """Make the groups, or set them right. A receiver of `post_migrate`."""
    try:
        group_model = apps.get_model("auth", "Group")
        permission_model = apps.get_model("auth", "Permission")
    except LookupError:  # migrated back to before accounts existed
        return
    known = {
        f"{app}.{codename}": pk
        for pk, app, codename in permission_model.objects.using(using).values_list(
            "pk", "content_type__app_label", "codename"
        )
    }
    for role, names in ROLES.items():
        group, _ = group_model.objects.using(using).get_or_create(name=role)
        # Half-migrated databases lack some permissions; the next migrate adds them.
        group.permissions.set([known[name] for name in names if name in known])
